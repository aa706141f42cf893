"""A server whose answers show what its container has (tests/end_to_end/test_processes.py)."""

from __future__ import annotations

import http.server
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any


class Handler(http.server.BaseHTTPRequestHandler):
    """GET /: files, variables and names; /object: an S3 object; /settings: a ConfigMap of the API server."""

    def do_GET(self) -> None:
        body = json.dumps(ANSWERS[self.path]()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def container() -> dict[str, Any]:
    """Return what the container was given."""
    return {
        "file": Path(sys.argv[1]).read_text(),
        "password": os.environ["PASSWORD"],
        "node": os.environ["NODE_ADDRESS"],
        "host": socket.gethostname(),
        "listens": server.server_address[0],
        "pid": os.getpid(),
    }


def s3_object() -> dict[str, Any]:
    """Return an object, or the error, by the SDK without any configuration."""
    import boto3
    from botocore.exceptions import ClientError, NoCredentialsError

    client: Any = boto3.client("s3", region_name="us-west-2")
    try:
        body = client.get_object(Bucket=os.environ["BUCKET"], Key="file")["Body"].read().decode()
        identity: Any = boto3.client("sts", region_name="us-west-2")
        return {"body": body, "arn": identity.get_caller_identity()["Arn"]}
    except (ClientError, NoCredentialsError) as error:
        return {"error": type(error).__name__}


def settings() -> dict[str, Any]:
    """Return the data of a ConfigMap, read with the token of the Pod's service account."""
    import kubernetes

    kubernetes.config.load_config()
    api: Any = kubernetes.client.CoreV1Api()
    try:
        return api.read_namespaced_config_map("settings", "apps").data
    except kubernetes.client.ApiException as error:
        return {"status": error.status}


ANSWERS: dict[str, Any] = {"/": container, "/object": s3_object, "/settings": settings, "/healthz": dict}
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
server = http.server.ThreadingHTTPServer(("", 8080), Handler)
sys.stderr.write("listening\n")
server.serve_forever()
