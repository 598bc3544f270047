"""Cloud Storage on this machine: gcp-storage-emulator behind a proxy, with credentials for it."""

import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from tests.gcs.emulator import emulator
from tests.gcs.proxy import Proxy

PROJECT = "review-scoring"


class CloudStorage:
    """A running server.

    Attributes:
        proxy: what clients speak to; tests set its faults and look at its calls.
        client: for what a test does itself; speaks to the emulator, past the proxy, so that no
            fault applies and no call is counted.
    """

    def __init__(self, proxy: Proxy, emulator_url: str) -> None:
        self.proxy = proxy
        self.client = storage.Client(
            project=PROJECT,
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": emulator_url},
        )

    def environment(self, credentials: Path) -> dict[str, str]:
        """The variables by which clients find the server; read by each client as it is made.

        Args:
            credentials: file that `write_credentials` made for this server.
        """
        return {
            "STORAGE_EMULATOR_HOST": self.proxy.url,
            "GOOGLE_APPLICATION_CREDENTIALS": str(credentials),
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            # Else each client looks up its bucket too, at a moment of its own.
            "DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA": "true",
        }

    def write_credentials(self, path: Path) -> Path:
        """Writes a service account whose tokens the server itself gives out.

        With none, clients look for some on the network for up to 20 seconds.
        """
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        encoded = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        account = {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "test",
            "private_key": encoded.decode(),
            "client_email": "test@example.com",
            "token_uri": f"{self.proxy.url}/token",
        }
        path.write_text(json.dumps(account), "utf-8")
        return path

    def forget(self) -> None:
        """Ends all faults and starts the count of calls anew."""
        self.proxy.faults.clear()
        self.proxy.corrupted.clear()
        self.proxy.calls.clear()


@contextlib.contextmanager
def cloud_storage() -> Iterator[CloudStorage]:
    """A server on a free port, for as long as the context lasts; what it holds is in memory."""
    with emulator() as port:
        proxy = Proxy(port)
        thread = threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield CloudStorage(proxy, f"http://127.0.0.1:{port}")
        finally:
            proxy.shutdown()
            proxy.server_close()
            thread.join()
