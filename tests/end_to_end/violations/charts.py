"""A repository of charts on this machine: previews of releases download their chart."""

from __future__ import annotations

import functools
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

NAME: Final = "shop"
VERSION: Final = "1.4.2"
_CHART: Final = {"apiVersion": "v2", "name": NAME, "version": VERSION}
_TEMPLATE: Final = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
"""


@dataclass(frozen=True)
class Charts:
    """Where the chart `shop` is."""

    address: str
    """Of the repository: http://127.0.0.1:..."""
    folder: Path
    """The chart itself, unpacked."""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Write no log."""


@contextmanager
def serving(folder: Path) -> Iterator[Charts]:
    """A repository with one chart of one version, until the end."""
    files = {"Chart.yaml": json.dumps(_CHART), "templates/settings.yaml": _TEMPLATE}
    archive = f"{NAME}-{VERSION}.tgz"
    with tarfile.open(folder / archive, "w:gz") as packed:
        for name, text in files.items():
            at = folder / NAME / name
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_text(text)
            info = tarfile.TarInfo(f"{NAME}/{name}")
            info.size = len(text)
            packed.addfile(info, io.BytesIO(text.encode()))
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    address = f"http://127.0.0.1:{server.server_port}"
    index = {"apiVersion": "v1", "entries": {NAME: [{**_CHART, "urls": [f"{address}/{archive}"]}]}}
    (folder / "index.yaml").write_text(json.dumps(index))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Charts(address, folder / NAME)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
