"""Try to connect to the database without TLS or with a wrong token: {"how", "port"} on stdin."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from urllib.parse import urlencode

import psycopg2

payload = json.load(sys.stdin)
NOW = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
TOKEN = {
    "Action": "connect",
    "DBUser": "mlflow",
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": f"AKIASTRANGER/{NOW[:8]}/us-west-2/rds-db/aws4_request",
    "X-Amz-Date": NOW,
    "X-Amz-Expires": "900",
    "X-Amz-SignedHeaders": "host",
    "X-Amz-Signature": "0" * 64,
}
ways = {
    # Without TLS.
    "plain": {"sslmode": "disable", "password": "x"},
    # With a token of credentials that the cloud did not issue.
    "stranger": {"sslmode": "require", "password": f"localhost:{payload['port']}/?{urlencode(TOKEN)}"},
}
try:
    psycopg2.connect(
        host="localhost", port=payload["port"], user="mlflow", dbname="mlflow", **ways[payload["how"]]
    )
except psycopg2.OperationalError as error:
    answer = {"refused": str(error)}
else:
    answer = {"refused": ""}
json.dump(answer, sys.stdout)
