"""Functions on the twin's Google Cloud. The twin deploys them; functions-framework runs the examples in the
name of their accounts, with what was deployed. The test has the part of Pub/Sub and of Cloud Run's front: it
sends messages as the subscription states, and asks which callers have the permission."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pulumi
import pytest
import requests

from aiplatform.lakehouse.gcp.bigquery_jobs import ENDPOINT
from tests.end_to_end import gcp_lake
from tests.end_to_end.gcp_lake import REGION, member
from tests.end_to_end.test_functions import EVENTS, GOOD
from tests.end_to_end.test_gcp_provider import PROJECT, Place, front
from twin import environment
from twin.instances import Instance
from twin.kubernetes.processes.environments import commands
from twin.toolchain import build

__all__ = ["front"]
pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif("pulumi" not in build.locate(), reason="pulumi is not built: `aiplatform doctor`"),
]
EXAMPLES = Path(__file__).parents[2] / "examples" / "functions"
PREFIX = "acme-fn"
IMAGE = f"{REGION}-docker.pkg.dev/{PROJECT}/functions/NAME@sha256:{'1' * 64}"
ACCOUNT = """
import os
import google.auth
import google.auth.credentials

class _Account(google.auth.credentials.Credentials):
    def __init__(self):
        super().__init__()
        self.token = os.environ["ACCOUNT_TOKEN"]

    def refresh(self, request):
        pass

google.auth.default = lambda *arguments, **more: (_Account(), os.environ["GOOGLE_CLOUD_PROJECT"])
"""
"""In place of the metadata server of Cloud Run: a token of the function's account."""


@pytest.fixture(autouse=True)
def _endpoint(front: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the provider's variable for the endpoint in this process, too: the program runs in it."""
    monkeypatch.setenv(ENDPOINT, environment.environment(front)[ENDPOINT])


def _common(name: str) -> dict[str, Any]:
    place = {"cloud": "gcp", "project": PROJECT, "region": REGION, "prefix": PREFIX}
    return {**place, "name": name, "owner": "data", "image": IMAGE.replace("NAME", name)}


def _ingest() -> None:
    from pulumi_gcp import projects, serviceaccount

    from aiplatform.function import Function
    from aiplatform.lakehouse import Lakehouse

    apis = [
        projects.Service(api, service=f"{api}.googleapis.com", disable_on_destroy=False)
        for api in ("iam", "storage")
    ]
    options = pulumi.ResourceOptions(depends_on=apis)
    accounts = [
        serviceaccount.Account(who, account_id=who, opts=options) for who in ("pipeline", "ingest-code")
    ]
    lake_args: Any = {
        "prefix": PREFIX,
        "cloud": "gcp",
        "project": PROJECT,
        "region": REGION,
        "force_destroy": True,
        "account_settings": False,
        "arrival_events": False,
        "writers": [member("pipeline")],
        "tables": [EVENTS],
        "grants": [
            {
                "name": "ingest",
                "principal": member("ingest-code"),
                "actions": ["read", "write"],
                "tables": ["curated.events"],
            }
        ],
    }
    lake = Lakehouse("lake", lake_args, pulumi.ResourceOptions(depends_on=accounts))
    args: Any = {
        **_common("ingest"),
        "role": member("ingest-code"),
        "lakehouse": lake.outputs,
        "event": {"zone": "raw", "prefix": "files/incoming/"},
        "reads": [{"zone": "raw", "prefix": "files/incoming/"}],
        "writes": [{"zone": "raw", "prefix": "files/quarantine/"}],
        "environment": {
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "CATALOG_URI": lake.catalog_uri,
            "WAREHOUSE": lake.warehouse,
            "TABLE": lake.tables.apply(lambda tables: f"{tables[0]['database']}.{tables[0]['name']}"),
            "QUARANTINE": "files/quarantine/",
        },
    }
    function = Function("ingest", args, pulumi.ResourceOptions(depends_on=accounts))
    pulumi.export("lake", lake.outputs)
    pulumi.export("function", function.outputs)


def _get(
    instance: Instance, host: str, path: str, method: str = "GET", who: str = "", body: Any = None
) -> Any:
    answer = requests.request(
        method,
        f"{instance.url('cloud')}/{host}.googleapis.com/{path}",
        headers={"Authorization": f"Bearer {gcp_lake.token(instance, who)}"},
        json=body,
        timeout=30,
    )
    answer.raise_for_status()
    return answer.json()


@contextmanager
def _running(instance: Instance, name: str, service: dict[str, Any], folder: Path) -> Iterator[str]:
    """Run the container of a service: the image's command with its variables and its account. Yield its
    URL."""
    hook = folder / name
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(ACCOUNT)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    template = service["template"]
    [container] = template["containers"]
    stated = {entry["name"]: entry["value"] for entry in container.get("env", [])}
    address = instance.url("cloud")
    variables = {
        **{
            key: value.replace("https:/", address) if key == "CATALOG_URI" else value
            for key, value in stated.items()
        },
        "ACCOUNT_TOKEN": gcp_lake.token(instance, template["serviceAccount"].partition("@")[0]),
        "API_ENDPOINT_OVERRIDE": f"{address}/storage.googleapis.com",
        "PYICEBERG_CATALOG__LAKE__GCS__SERVICE__HOST": address,
        "PATH": os.environ["PATH"],
        "HOME": str(hook),
        "PYTHONPATH": f"{hook}:{EXAMPLES / name / 'src'}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    program = commands(EXAMPLES / name) / "functions-framework"
    words = [str(program), "--target=handle", "--source=main.py", "--host=127.0.0.1", f"--port={port}"]
    with (hook / "log").open("wb") as log:
        process = subprocess.Popen(words, cwd=EXAMPLES / name, env=variables, stdout=log, stderr=log)
        try:
            for _ in range(600):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                assert process.poll() is None, (hook / "log").read_text()
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.terminate()
            process.wait(30)


def test_an_object_ends_as_a_row_of_curated(front: Instance, tmp_path: Path) -> None:
    place = Place(tmp_path, instance=front)
    before = place.inventory()
    stack = place.stack(_ingest)
    outputs = stack.up().outputs
    function = outputs["function"].value
    bucket = outputs["lake"].value["zones"][0]["bucket"]
    service = _get(front, "run", f"v2/{function['target']}")
    [notification] = _get(front, "storage", f"storage/v1/b/{bucket}/notificationConfigs")["items"]
    assert notification["object_name_prefix"] == "files/incoming/"
    topic = notification["topic"].partition("/projects/")[2]
    subscription = _get(front, "pubsub", f"v1/projects/{PROJECT}/subscriptions/{PREFIX}-ingest-events")
    assert subscription["topic"] == f"projects/{topic}"
    assert subscription["pushConfig"]["pushEndpoint"] == function["url"]
    sender = subscription["pushConfig"]["oidcToken"]["serviceAccountEmail"].partition("@")[0]
    wanted = {"permissions": ["run.routes.invoke"]}
    path = f"v2/{function['target']}:testIamPermissions"
    assert _get(front, "run", path, "POST", sender, wanted) == wanted, "the subscription may call the service"
    assert _get(front, "run", path, "POST", "ingest-code", wanted) == {}, "the code may not call itself"

    def push(url: str, name: str, body: bytes) -> Any:
        upload = f"{front.url('cloud')}/storage.googleapis.com/upload/storage/v1/b/{bucket}/o"
        requests.post(
            upload,
            params={"uploadType": "media", "name": name},
            headers={"Authorization": f"Bearer {gcp_lake.token(front)}"},
            data=body,
            timeout=30,
        ).raise_for_status()
        attributes = {"bucketId": bucket, "objectId": name, "eventType": "OBJECT_FINALIZE"}
        return requests.post(url, json={"message": {"attributes": attributes}}, timeout=120)

    with _running(front, "ingest", service, tmp_path) as url:
        good = json.dumps(GOOD).encode()
        for _ in range(2):
            answer = push(url, "files/incoming/a.json", good)
            assert (answer.status_code, answer.json()) == (200, {"registered": 1}), answer.text
        assert push(url, "files/incoming/b.json", b"{").status_code == 200
        assert push(url, "files/other/c.json", good).status_code == 500, (
            "its account reads what arrives alone"
        )
    table = f"`{PROJECT}.{outputs['lake'].value['catalog_id']}.acme_fn_curated.events`"
    query = f"SELECT event_id, kind, source FROM {table}"  # noqa: S608
    rows = gcp_lake.query(front, "ingest-code", query)
    assert rows == [["a-1", "order", f"gs://{bucket}/files/incoming/a.json"]], "once"
    reason_of = quote("files/quarantine/files/incoming/b.json.reason.txt", safe="")
    reason = requests.get(
        f"{front.url('cloud')}/storage.googleapis.com/storage/v1/b/{bucket}/o/{reason_of}",
        params={"alt": "media"},
        headers={"Authorization": f"Bearer {gcp_lake.token(front)}"},
        timeout=30,
    )
    assert reason.text.startswith("line 1: not JSON")
    stack.preview(expect_no_changes=True, refresh=True)
    stack.destroy()
    assert place.inventory() == before


def _score(model: str, traffic: dict[str, int]) -> None:
    from pulumi_gcp import projects, serviceaccount, storage

    from aiplatform.function import Function

    apis = [
        projects.Service(api, service=f"{api}.googleapis.com", disable_on_destroy=False)
        for api in ("iam", "storage")
    ]
    options = pulumi.ResourceOptions(depends_on=apis)
    accounts = [
        serviceaccount.Account(who, account_id=who, opts=options) for who in ("search-caller", "other-caller")
    ]
    releases = storage.Bucket(
        "releases",
        name=f"{PREFIX}-releases",
        location=REGION,
        force_destroy=True,
        uniform_bucket_level_access=True,
        opts=options,
    )
    args: Any = {
        **_common("score"),
        "http": {"callers": [member("search-caller")]},
        "reads": [{"bucket": releases.name, "prefix": "search/score/"}],
        "environment": {
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "MODEL": f"gs://{PREFIX}-releases/search/score/{model}/",
        },
        "traffic": traffic,
        "profile": "dev",
    }
    function = Function("score", args, pulumi.ResourceOptions(depends_on=accounts))
    pulumi.export("function", function.outputs)


def test_a_model_answers_and_only_its_callers_have_the_permission(front: Instance, tmp_path: Path) -> None:
    place = Place(tmp_path, instance=front)
    before = place.inventory()
    stack = place.stack(lambda: _score("3", {}))
    first = stack.up().outputs["function"].value
    path = f"v2/{first['target']}"
    service = _get(front, "run", path)
    assert service["ingress"] == "INGRESS_TRAFFIC_INTERNAL_ONLY"
    assert not service.get("invokerIamDisabled")
    wanted = {"permissions": ["run.routes.invoke"]}
    assert _get(front, "run", f"{path}:testIamPermissions", "POST", "search-caller", wanted) == wanted
    assert _get(front, "run", f"{path}:testIamPermissions", "POST", "other-caller", wanted) == {}
    policy = _get(front, "run", f"{path}:getIamPolicy")
    members = {name for binding in policy["bindings"] for name in binding["members"]}
    assert members == {member("search-caller")}, "and no user without authentication"

    python = commands(EXAMPLES / "score") / "python"
    assert python.exists()
    upload = f"{front.url('cloud')}/storage.googleapis.com/upload/storage/v1/b/{PREFIX}-releases/o"
    for name, content in _release().items():
        requests.post(
            upload,
            params={"uploadType": "media", "name": f"search/score/3/{name}"},
            headers={"Authorization": f"Bearer {gcp_lake.token(front)}"},
            data=content,
            timeout=30,
        ).raise_for_status()
    with _running(front, "score", service, tmp_path) as url:
        answer = requests.post(url, json={"rows": [{"amount": 10, "age": 1}]}, timeout=120)
        assert (answer.status_code, answer.json()) == (200, {"version": "3", "predictions": [6.0]}), (
            answer.text
        )

    traffic = {first["version"]: 90, "latest": 10}
    stack = place.stack(lambda: _score("4", traffic))
    second = stack.up().outputs["function"].value
    assert second["version"] != first["version"]
    targets = _get(front, "run", path)["traffic"]
    assert {target.get("revision", "latest"): target["percent"] for target in targets} == traffic
    stack.preview(expect_no_changes=True, refresh=True)
    stack.destroy()
    assert place.inventory() == before


def _release() -> dict[str, bytes]:
    """Return the files of a release of 0.5 * amount + age, as in the tests of the example. The model is
    written byte by byte: the platform's environment has no onnx."""
    import struct

    def field(number: int, content: bytes) -> bytes:
        return _varint(number << 3 | 2) + _varint(len(content)) + content

    def integer(number: int, value: int) -> bytes:
        return _varint(number << 3) + _varint(value)

    def shape(name: str, columns: int) -> bytes:
        dimensions = field(1, field(2, b"rows")) + field(1, integer(1, columns))
        tensor = integer(1, 1) + field(2, dimensions)
        return field(1, name.encode()) + field(2, field(1, tensor))

    weights = integer(1, 2) + integer(1, 1) + integer(2, 1) + field(8, b"weights")
    weights += field(9, struct.pack("<2f", 0.5, 1.0))
    node = field(1, b"rows") + field(1, b"weights") + field(2, b"score") + field(4, b"MatMul")
    graph = field(1, node) + field(2, b"score") + field(5, weights)
    graph += field(11, shape("rows", 2)) + field(12, shape("score", 1))
    model = integer(1, 9) + field(7, graph) + field(8, field(1, b"") + integer(2, 17))
    return {"model.onnx": model, "signature.json": json.dumps({"inputs": ["amount", "age"]}).encode()}


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
