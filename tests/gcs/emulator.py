"""The emulator, in a process of its own: prints its port, and ends when its input does.

In the process of the tests it could wait for itself: a writer that a failed job left behind calls
Cloud Storage from whichever thread happens to collect it, the emulator's only one included.
"""

import contextlib
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import HTTPServer
from pathlib import Path

from gcp_storage_emulator.server import RequestHandler
from gcp_storage_emulator.storage import Storage


@contextlib.contextmanager
def emulator() -> Iterator[int]:
    """The port of an emulator that runs for as long as the context lasts."""
    with subprocess.Popen(
        [sys.executable, "-m", __name__],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


def main() -> None:
    """Serves buckets that are held in memory."""
    logging.disable()  # it warns of all and nothing
    server = HTTPServer(("127.0.0.1", 0), partial(RequestHandler, Storage(use_memory_fs=True)))
    print(server.server_port, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
