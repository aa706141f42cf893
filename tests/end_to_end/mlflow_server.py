"""MLflow's server with the component's files, on this machine, without a cloud, for requests of accounts."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from aiplatform.model_registry import container_files
from tests.end_to_end import clients
from tests.end_to_end.postgres import free_port
from twin.tests.waiting import eventually

PASSWORD: Final = "a-password-that-is-long"
_START: Final = """
import json, os, runpy, sys
import registry_start
from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore

uri = os.environ["REGISTRY_ACCOUNTS_URI"]
store = SqlAlchemyStore()
store.init_db(uri)
for account in json.loads(os.environ["TEST_ACCOUNTS"]):
    if not store.has_user(account):
        store.create_user(account, os.environ["TEST_PASSWORD"], is_admin=account == "admin")
settings = registry_start.configuration(uri)
with open(settings, "a") as file:
    file.write("auth_cache_ttl_seconds = 600\\n")
os.environ["MLFLOW_AUTH_CONFIG_PATH"] = settings
# In this process, which has imported MLflow: registry_start.py, which has not, starts a new one.
sys.argv = ["mlflow", "server", *sys.argv[1:]]
runpy.run_module("mlflow", run_name="__main__")
"""
"""What the Pod's steps do, with accounts that all have one password. Its hash, which takes 0.1 s, is not
computed for each request."""


@dataclass(frozen=True)
class Answer:
    """What the server answered."""

    status: int
    body: bytes

    def json(self) -> Any:
        """Return the body, which is JSON. Fails for an error."""
        assert self.status == 200, f"{self.status}: {self.body[:500]!r}"
        return json.loads(self.body)


class Server:
    """A server. variables: of its container, in addition to those that it needs here. store: the database of
    runs and models; files: where files are."""

    def __init__(
        self,
        folder: Path,
        accounts: Sequence[str],
        variables: Mapping[str, str],
        store: str | None = None,
        files: str | None = None,
    ) -> None:
        self.folder, self.port = folder, free_port()
        self._accounts, self._variables = accounts, dict(variables)
        self._store = store or f"sqlite:///{folder}/mlflow.db"
        self._files = files or str(folder / "files")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        code = self.folder / "code"
        for key, path in container_files.paths().items():
            file = code / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(container_files.config_map("")[key])
        variables = {
            "REGISTRY_ACCOUNTS_URI": f"sqlite:///{self.folder}/accounts.db",
            "TEST_ACCOUNTS": json.dumps(self._accounts),
            "TEST_PASSWORD": PASSWORD,
            "PYTHONPATH": str(code),
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "signs nothing",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "TMPDIR": str(self.folder),
            **self._variables,
        }
        arguments = [
            f"--app-name={container_files.APP}",
            "--host=127.0.0.1",
            f"--port={self.port}",
            "--workers=1",
            f"--backend-store-uri={self._store}",
            "--serve-artifacts",
            f"--artifacts-destination={self._files}",
        ]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*clients.command("mlflow"), "python", "-c", _START, *arguments],
                env=clients.environment("mlflow", variables),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        eventually(f"MLflow answers ({self.folder}/server.log)", self._healthy, 120)

    def _healthy(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "server.log").read_text()[-3000:]
        try:
            return self.ask(None, "GET", "/health").status == 200
        except OSError:
            return False

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            os.killpg(self._process.pid, 15)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, 9)
                self._process.wait(30)
            self._process = None

    def ask(
        self,
        account: str | None,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        **headers: str,
    ) -> Answer:
        """Send a request as an account. path: is sent as it is. body: bytes, or what is sent as JSON."""
        url = f"http://127.0.0.1:{self.port}{path}" + (f"?{urlencode(query, doseq=True)}" if query else "")
        sent = dict(headers)
        if account is not None:
            sent["Authorization"] = f"Basic {base64.b64encode(f'{account}:{PASSWORD}'.encode()).decode()}"
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(url, data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return Answer(answer.status, answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read())
