"""Dataflow as a launcher meets it: a server that takes jobs, and tells how they go on."""

import contextlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

JOB_ID = "2026-11-22_00_00_00-1"

RUNNING, DONE, FAILED = "JOB_STATE_RUNNING", "JOB_STATE_DONE", "JOB_STATE_FAILED"
DRAINED, CANCELLED = "JOB_STATE_DRAINED", "JOB_STATE_CANCELLED"

_JOBS = re.compile(r"/v1b3/projects/([^/]+)/locations/([^/]+)/jobs(/[^/]+)?(/messages)?")


class DataflowService:
    """A server that runs no job.

    Attributes:
        endpoint: for `--dataflow_endpoint`.
        jobs: what was submitted, as it came.
        states: the states of a job, one for each time that somebody looks at it, the first at its
            submission; the last one stays.
        errors: what the job says of its errors.
        active: names of jobs that others have submitted and that run still.
        refusal: HTTP status and message for whoever submits a job; status 0 where jobs are taken.
        looks: number of times that somebody has looked at the job.
        work: what a job does, before it is looked at; one that raises has failed.
    """

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://localhost:{port}"
        self.jobs: list[dict[str, Any]] = []
        self.states: Sequence[str] = (DONE,)
        self.errors: Sequence[str] = ()
        self.work: Callable[[dict[str, Any]], object] = bool
        self.active: Sequence[str] = ()
        self.refusal = (0, "")
        self.looks = 0

    def submit(self, project: str, region: str, body: bytes) -> dict[str, Any]:
        """Takes a job; its state is the first."""
        job = json.loads(body) | {"project": project, "region": region}
        self.jobs.append(job)
        self.looks = 0
        try:
            self.work(job)
        except Exception as error:
            self.states, self.errors = (RUNNING, FAILED), [str(error)]
        return self.look() | {"clientRequestId": job["clientRequestId"]}

    def look(self) -> dict[str, Any]:
        """The job as it is now."""
        state = self.states[min(self.looks, len(self.states) - 1)]
        self.looks += 1
        return {"id": JOB_ID, "currentState": state}

    def active_jobs(self, project: str, region: str) -> dict[str, Any]:
        """What `projects.locations.jobs.list` gives with `filter=ACTIVE`."""
        place = {"projectId": project, "location": region}
        return {
            "jobs": [
                {"id": f"{JOB_ID}{number}", "name": name, "currentState": RUNNING, **place}
                for number, name in enumerate(self.active)
            ]
        }

    def messages(self) -> dict[str, Any]:
        """What the job has said."""
        return {
            "jobMessages": [
                {
                    "id": str(number),
                    "time": "2026-11-22T00:00:00Z",
                    "messageText": text,
                    "messageImportance": "JOB_MESSAGE_ERROR",
                }
                for number, text in enumerate(self.errors)
            ]
        }


@contextlib.contextmanager
def dataflow_service() -> Iterator[DataflowService]:
    """A server on a free port, for as long as the context lasts."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("localhost", 0), handler)
    service = DataflowService(server.server_port)
    handler.service = service  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    service: DataflowService

    def do_POST(self) -> None:
        place = _JOBS.match(self.path)
        assert place
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, message = self.service.refusal
        if status:
            self._answer({"error": {"code": status, "message": message}}, status)
        else:
            self._answer(self.service.submit(place[1], place[2], body))

    def do_GET(self) -> None:
        place = _JOBS.match(self.path)
        assert place
        if not place[3]:
            self._answer(self.service.active_jobs(place[1], place[2]))
        else:
            self._answer(self.service.messages() if place[4] else self.service.look())

    def _answer(self, content: dict[str, Any], status: int = 200) -> None:
        encoded = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)

    def log_message(self, *arguments: object) -> None:
        pass
