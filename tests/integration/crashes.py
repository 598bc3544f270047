"""Where disturbed jobs write, on disk and in a bucket, and what their readers see there."""

import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from google.cloud.storage import Bucket

from tests.gcs.calls import Call
from tests.gcs.faults import OK
from tests.gcs.proxy import Proxy
from tests.integration.buckets import rows_of
from tests.integration.job_process import JobProcess, Tell

Rows = dict[str, list[dict[str, Any]]]
"""By kind, `scores` or `rejected`; sorted."""


class Disk:
    """An output prefix on disk.

    Attributes:
        prefix: where a job is to write.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.prefix = str(folder)

    def start(self, arguments: Sequence[str], log: Path) -> JobProcess:
        """Starts a job that writes here."""
        return JobProcess([*arguments, "--output", self.prefix], log, self.prefix)

    def follow(self, job: JobProcess, tell: Tell) -> int:
        """Tells of each change that a job makes here; returns its exit code."""
        return job.follow(tell)

    def files(self) -> dict[str, bytes]:
        """All files by their names; also folders that hold none."""
        found = {}
        for path in self._folder.rglob("*"):
            if path.is_file():
                found[str(path.relative_to(self._folder))] = path.read_bytes()
            elif not any(path.iterdir()):
                found[f"{path.relative_to(self._folder)}/"] = b""
        return found


class InBucket:
    """An output prefix in a bucket; attributes and methods are those of `Disk`."""

    def __init__(self, bucket: Bucket, name: str, proxy: Proxy, environment: dict[str, str]):
        self._bucket, self._name = bucket, name
        self._proxy, self._environment = proxy, environment
        self.prefix = f"gs://{bucket.name}/{name}"

    def start(self, arguments: Sequence[str], log: Path) -> JobProcess:
        return JobProcess([*arguments, "--output", self.prefix], log, environment=self._environment)

    def follow(self, job: JobProcess, tell: Tell) -> int:
        lock, numbers = threading.Lock(), iter(range(1_000_000))

        def fault(call: Call) -> int:
            of_ours = call.bucket == self._bucket.name and call.name.startswith(self._name + "/")
            if of_ours and call.writes():
                with lock:
                    tell(next(numbers), f"{call.method} {call.path}")
            return OK

        self._proxy.faults.append(fault)
        try:
            return job.exit_code()
        finally:
            self._proxy.faults.remove(fault)

    def files(self) -> dict[str, bytes]:
        start = f"{self._name}/"
        return {
            blob.name.removeprefix(start): blob.download_as_bytes()
            for blob in self._bucket.list_blobs(prefix=start)
        }


Place = Disk | InBucket


def run(place: Place, arguments: Sequence[str], log: Path) -> int:
    """Runs a job that nobody disturbs; returns its exit code."""
    return place.follow(place.start(arguments, log), lambda number, change: None)


def rows_seen(place: Place) -> Rows:
    """What somebody reads who waits for the manifest: all rows, or nothing without one.

    Raises:
        AssertionError: the manifest names what isn't there, or counts what isn't in it.
    """
    files = place.files()
    if "manifest.json" not in files:
        return {}
    manifest = json.loads(files["manifest.json"])
    rows = {
        kind: sorted((row for path in paths for row in _rows_of(place, path, files)), key=str)
        for kind, paths in manifest["files"].items()
    }
    counts, found = manifest["counts"], {kind: len(of_kind) for kind, of_kind in rows.items()}
    assert found == {"scores": counts["scored"], "rejected": counts["rejected"]}
    assert counts["read"] == counts["scored"] + counts["rejected"]
    return rows


def _rows_of(place: Place, path: str, files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    name = path.removeprefix(f"{place.prefix}/")
    assert name in files, f"the manifest names {name}, which is not there"
    return rows_of(name, files[name])


def strays(place: Place) -> set[str]:
    """What a finished run left beside the files that its manifest names."""
    files = place.files()
    named = json.loads(files["manifest.json"])["files"]
    paths = {path.removeprefix(f"{place.prefix}/") for kind in named.values() for path in kind}
    return set(files) - paths - {"manifest.json"}
