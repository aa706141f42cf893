"""An exporter for Pods on the twin: `python exporter.py FILE PORTS` serves the metrics in a file at ports,
those of metrics and of probes."""

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Metrics(BaseHTTPRequestHandler):
    """Answers every request with the file."""

    file: Path

    def do_GET(self) -> None:
        """Answer a scrape, or a probe."""
        body = self.file.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Scrapes are not logged."""


if __name__ == "__main__":
    Metrics.file = Path(sys.argv[1])
    servers = [ThreadingHTTPServer(("127.0.0.1", int(port)), Metrics) for port in sys.argv[2].split(",")]
    for server in servers[1:]:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    servers[0].serve_forever()
