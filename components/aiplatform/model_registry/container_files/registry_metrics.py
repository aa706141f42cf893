"""Serves the metrics of requests that the processes of the server count, in a separate container.

`mlflow server --expose-prometheus` also serves them, at /metrics of its port: only to accounts, and only for
requests with one of the allowed host names. Prometheus connects to the address of a Pod, without an account.
"""
# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false

import os
import sys
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server


class _Quiet(WSGIRequestHandler):
    """Logs no scrapes."""

    def log_message(self, format, *arguments):
        """Log nothing."""


def main(folder: str, port: int) -> None:
    """Serve the metrics of the files in a folder, one for each process and type of metric."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
    from prometheus_client import CollectorRegistry, make_wsgi_app
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=folder)
    make_server("", port, make_wsgi_app(registry), handler_class=_Quiet).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
