"""Looks the packages of the image up in a database of known vulnerabilities.

`python -m deploy.audit`, or `make audit`. Arguments are handed to pip-audit, for example
`--osv-url` of a mirror within the company, or `--ignore-vuln ID` for one that does no harm here.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

LOCK = Path(__file__).with_name("requirements-gpu.lock")
"""It holds all that the image without CUDA has, too."""

SERVICES = ("osv", "pypi")
"""In the order in which they are tried."""


def main(arguments: Sequence[str], services: Sequence[str] = SERVICES) -> int:
    """Prints what is known of the image's packages.

    Args:
        arguments: of pip-audit.
        services: databases to try, by pip-audit's names.

    Returns:
        The exit code: 1 if a package is vulnerable; 0 if none is, and also where no database can
        be reached, which is then said.
    """
    packages = locked(LOCK)
    for service in services:
        # One package first: without access there is no need to ask for all.
        if _scanned(scan(packages[:1], service, arguments)):
            return report(scan(packages, service, arguments), service)
    print(f"audit: NOT SCANNED: no database ({', '.join(services)}) answers from this machine")
    return 0


def locked(lock: Path) -> list[str]:
    """The packages of a lock file, as `name==version`."""
    lines = lock.read_text("utf-8").splitlines()
    return [line.partition(" ")[0] for line in lines if line[:1].isalpha()]


def scan(
    packages: Sequence[str], service: str, arguments: Sequence[str]
) -> Sequence[dict[str, Any]]:
    """What pip-audit says of each package; nothing if it can't reach the database."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirements:
        requirements.write("\n".join(packages))
        requirements.flush()
        command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--no-deps"]
        command += ["--format", "json", "--progress-spinner", "off"]
        command += ["--vulnerability-service", service, "--requirement", requirements.name]
        result = subprocess.run([*command, *arguments], capture_output=True, text=True)
    try:
        return json.loads(result.stdout)["dependencies"]
    except ValueError:
        return []


def report(results: Sequence[dict[str, Any]], service: str) -> int:
    """Prints the result of a scan; returns the exit code."""
    vulnerable = [package for package in _scanned(results) if package["vulns"]]
    for package in vulnerable:
        for found in package["vulns"]:
            fixed = ", ".join(found["fix_versions"]) or "no version yet"
            print(f"{package['name']} {package['version']}: {found['id']}, fixed in {fixed}")
    for package in results:
        if "skip_reason" in package:
            print(f"{package['name']}: not scanned: {package['skip_reason']}")
    print(
        f"audit: {len(_scanned(results))} of {len(results)} packages scanned ({service}), "
        f"{len(vulnerable)} vulnerable"
    )
    return 1 if vulnerable or not results else 0


def _scanned(results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [package for package in results if "skip_reason" not in package]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
