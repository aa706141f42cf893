"""examples/recommender on a twin of aws-dev, from `deploy.py` to recommendations over HTTP.

What the program writes is deployed by `aiplatform up` and applied by kubectl, and each service runs as the
process of its image, with the identity of its function or ServiceAccount, on the twin's S3, Iceberg tables,
Athena and DynamoDB.

What is not real: there are no containers, no Kueue (nothing suspends the Jobs), no Envoy and no KServe: the
test is the gateway, and a Deployment with the platform's server is the predictor. The Job of the training is
created by the test from what Trainer gets, since TrainJobs need its controller. MLflow's server is real, and
its database is a file. External Secrets does not run: the test writes the Secret of the team's account.
tests/controllers/test_model_lifecycle.py has these controllers, with another model.

The tests run in the order in which they are written, and each needs those before it.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from tests.end_to_end.mlflow_server import PASSWORD, Server
from tests.end_to_end.recommender_gateway import SERVED_BY, TOKEN, certificate, gateway
from tests.end_to_end.recommender_twin import (
    BROKEN,
    CLICKS,
    DAYS,
    DIGITS,
    FUNCTION,
    NAMES,
    TEAM,
    Shop,
    simulated,
)
from tests.end_to_end.team_pod import registry_reached
from twin.kubernetes.processes import addresses
from twin.tests.waiting import eventually

# The packages of seven programs are installed the first time.
pytestmark = [pytest.mark.end_to_end, pytest.mark.nightly, pytest.mark.timeout(2400)]
MODEL: Final = "recommender"
EXPERIMENT: Final = f"{TEAM}.{MODEL}"
PREDICTOR: Final = f"{SERVED_BY}-predictor"
SHOWN: Final = timedelta(hours=30)
"""How long ago the shop showed what it asked for now: within the window that `quality` measures."""


@dataclass
class State:
    """What the tests know of the tests before. clicks: of the shop. run: of MLflow. answers: of `serving`, by
    user."""

    shop: Shop
    registry: Server
    folder: Path
    clicks: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    snapshot: str = ""
    run: str = ""
    answers: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])


@pytest.fixture(scope="module")
def state(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    """The deployed environment, and the server of its model registry."""
    shop = Shop(home, tmp_path_factory.mktemp("repository"))
    folder = tmp_path_factory.mktemp("registry")
    # The names by which Pods reach it, as the platform states them to its server.
    hosts = "mlflow.model-registry.svc.cluster.local,127.0.0.1:*"
    variables = {
        "MLFLOW_SERVER_ALLOWED_HOSTS": hosts,
        "REGISTRY_ACCOUNTS": TEAM,
        "REGISTRY_PROMOTERS": "admin",
        "REGISTRY_GUARDED_ALIASES": "champion",
        "REGISTRY_READS": "{}",
    }
    registry = Server(folder, [TEAM], variables)
    try:
        shop.create()
        registry.start()
        with registry_reached(shop, "model-registry", registry.port):
            yield State(shop, registry, folder)
    finally:
        registry.stop()
        shop.remove()


def test_up_of_the_block_creates_what_the_team_has(state: State) -> None:
    shop = state.shop
    core = shop.core()
    assert core.read_namespace(TEAM).metadata.labels["ai-platform/team"] == TEAM
    data = core.read_namespaced_config_map("platform", TEAM).data
    assert data["PLATFORM_TEAM"] == TEAM
    function = shop.aws("lambda").get_function(FunctionName=FUNCTION)["Configuration"]
    assert (function["PackageType"], function["Role"]) == ("Image", NAMES.role)
    tables = {
        table["Name"] for table in shop.aws("glue").get_tables(DatabaseName="acme_dev_curated")["TableList"]
    }
    assert {"clicks", "impressions", "recommender_examples", "recommender_monitor"} <= tables


def test_an_owner_of_the_cluster_applies_what_the_program_wrote(state: State) -> None:
    shop = state.shop
    ca = certificate(state.folder)
    shop.kubectl("create", "configmap", "gateway-ca", f"--from-file={ca}")
    secret = {"MLFLOW_TRACKING_USERNAME": TEAM, "MLFLOW_TRACKING_PASSWORD": PASSWORD}
    shop.core().create_namespaced_secret(TEAM, {"metadata": {"name": "mlflow"}, "stringData": secret})
    printed = shop.kubectl("apply", "-f", str(shop.objects))
    assert printed.count(" created") == len(shop.manifests()), printed
    # The tests decide when they run.
    suspended = json.dumps({"spec": {"suspend": True}})
    for name, space in (("features", TEAM), ("quality", TEAM), ("feature-materializer", "feature-store")):
        shop.kubectl("patch", "cronjob", name, "-p", suspended, namespace=space)


def test_files_of_the_shop_become_rows_by_the_function(state: State, tmp_path: Path) -> None:
    shop, files = state.shop, simulated(tmp_path / "clicks")
    assert len(files) == DAYS
    for key, lines in files.items():
        state.clicks += [json.loads(line) for line in lines[:-BROKEN]]
        shop.deliver(key, lines)
    count = "SELECT count(*) FROM clicks"
    eventually("the clicks are rows", lambda: shop.rows(count) == [[str(CLICKS)]], 420)
    [source] = shop.rows("SELECT min(source) FROM clicks")[0]
    assert source == f"{shop.bucket}/files/incoming/clicks/day-000.jsonl"
    objects = shop.aws("s3").list_objects_v2(Bucket=shop.bucket, Prefix="files/quarantine/")
    keys = {entry["Key"] for entry in objects["Contents"]}
    assert keys == {f"files/quarantine/{key}{end}" for key in files for end in ("", ".reason.txt")}
    events = shop.aws("logs").filter_log_events(logGroupName=f"/aws/lambda/{FUNCTION}")["events"]
    assert any("in quarantine" in event["message"] for event in events), "its role writes its log"


def test_a_file_that_arrives_again_adds_nothing(state: State) -> None:
    key = "files/incoming/clicks/day-000.jsonl"
    detail = {"bucket": {"name": state.shop.bucket}, "object": {"key": key}}
    answer = state.shop.aws("lambda").invoke(
        FunctionName=FUNCTION, Qualifier="live", Payload=json.dumps({"detail": detail})
    )
    assert "FunctionError" not in answer
    result = json.loads(answer["Payload"].read())
    assert (result["rows"], result["known"], result["refused"]) == (0, CLICKS // DAYS, BROKEN)


def test_features_of_the_schedule_are_in_the_tables_and_in_the_online_store(state: State) -> None:
    shop = state.shop
    applied, updated, examples = shop.scheduled("features")
    assert applied == {"view": "user_activity"}
    assert updated["rows"] > 0
    assert examples["rows"] > 0
    assert shop.rows("SELECT count(*) FROM recommender_examples") == [[str(examples["rows"])]]
    state.snapshot = examples["snapshot"]
    shop.scheduled("feature-materializer", "feature-store")
    [table] = [name for name in shop.aws("dynamodb").list_tables()["TableNames"] if "user_activity" in name]
    pages = shop.aws("dynamodb").get_paginator("scan").paginate(TableName=table, Select="COUNT")
    assert sum(page["Count"] for page in pages) == len({click["user_id"] for click in state.clicks}), (
        "the newest row of each user"
    )


def test_a_model_is_trained_on_the_snapshot_and_logged_as_the_team(state: State) -> None:
    shop = state.shop
    models = json.loads(
        shop.core().read_namespaced_config_map("continuous-training", TEAM).data["models.json"]
    )
    stated = models[MODEL]["training"]
    values = {"TABLE": "acme_dev_curated.recommender_examples", "SNAPSHOT": state.snapshot}
    values |= {"RUN_NAME": "first", "MODEL": MODEL}
    arguments = list(stated["args"])
    for name, value in values.items():
        arguments = [word.replace(f"${{{name}}}", value) for word in arguments]
    [pod] = [
        item["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        for item in shop.manifests()
        if item["metadata"]["name"] == "quality"
    ]
    [container] = pod["containers"]
    sources = [{"configMapRef": {"name": "platform"}}, {"secretRef": {"name": "mlflow"}}]
    container = {**container, "name": "node", "image": stated["image"], "args": arguments, "envFrom": sources}
    body = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "train", "labels": {"kueue.x-k8s.io/queue-name": "default"}},
        "spec": {"backoffLimit": 0, "template": {"spec": {**pod, "containers": [container]}}},
    }
    _create(shop, "train", body)
    shop.ended("train")
    query = {"experiment_name": EXPERIMENT}
    known = state.registry.ask(TEAM, "GET", "/api/2.0/mlflow/experiments/get-by-name", query=query).json()
    ids = [known["experiment"]["experiment_id"]]
    runs = state.registry.ask(TEAM, "POST", "/api/2.0/mlflow/runs/search", {"experiment_ids": ids}).json()
    [run] = runs["runs"]
    parameters = {entry["key"]: entry["value"] for entry in run["data"]["params"]}
    assert parameters["snapshot"] == state.snapshot
    assert {entry["key"] for entry in run["data"]["metrics"]} >= {"recall_at_10", "popularity_recall_at_10"}
    state.run = run["info"]["run_id"]


def _create(shop: Shop, name: str, body: dict[str, Any]) -> None:
    """Create an object of the team by kubectl."""
    file = shop.home / f"{name}.json"
    file.write_text(json.dumps(body))
    shop.kubectl("apply", "-f", str(file))


def _predictor(run: str, image: str, nodes: dict[str, str]) -> dict[str, Any]:
    """Return the Deployment of the predictor: the model of a run, and the platform's server."""
    labels = {"app.kubernetes.io/name": PREDICTOR}
    mount = {"name": "model", "mountPath": "/mnt/models"}
    restricted = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    code = "import mlflow, sys; mlflow.artifacts.download_artifacts(sys.argv[1], dst_path=sys.argv[2])"
    resources = {"requests": {"cpu": "250m", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}
    common = {"securityContext": restricted, "volumeMounts": [mount], "resources": resources}
    load = {
        **common,
        "name": "storage-initializer",
        "image": f"{NAMES.registry}/training@sha256:{DIGITS['training'] * 64}",
        "command": ["python", "-c", code, f"runs:/{run}/model", "/mnt/models"],
        "envFrom": [{"configMapRef": {"name": "platform"}}, {"secretRef": {"name": "mlflow"}}],
    }
    words = ["--framework=sklearn", f"--model_name={MODEL}", "--model_dir=/mnt/models"]
    serve = {
        **common,
        "name": "kserve-container",
        "image": image,
        "args": words,
        "readinessProbe": {"httpGet": {"path": "/v2/health/ready", "port": 8080}},
    }
    spec = {
        "serviceAccountName": "serving",
        "nodeSelector": nodes,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "initContainers": [load],
        "containers": [serve],
        "volumes": [{"name": "model", "emptyDir": {}}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": PREDICTOR, "labels": {"kueue.x-k8s.io/queue-name": "default"}},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def _url(pod: Any, port: int) -> str:
    """Return where a Pod listens on this machine."""
    return f"http://{addresses.loopback(pod.status.pod_ip)}:{port}"


def _ask(url: str, token: str | None = TOKEN) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(url, headers={"Authorization": token} if token else {})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_both_pods_of_the_deployment_answer_with_the_best_items(state: State) -> None:
    shop = state.shop
    shop.running("feature-server", "feature-store", 1)
    image = f"{NAMES.registry}/model-server@sha256:{'2' * 64}"
    _create(shop, "predictor", _predictor(state.run, image, {"ai-platform/pool": "general"}))
    [predictor] = shop.running(PREDICTOR, TEAM, 1)
    replicas = shop.running("recommendations", TEAM, 2)
    begin = datetime.now(UTC) - SHOWN
    users = sorted({click["user_id"] for click in state.clicks if _time(click) > begin})[:40]
    with gateway(shop, state.folder, _url(predictor, 8080)):
        eventually(
            "the route answers", lambda: _ask(f"{_url(replicas[0], 8080)}/recommendations/new")[0] == 200
        )
        for number, user in enumerate(users):
            status, answer = _ask(f"{_url(replicas[number % 2], 8080)}/recommendations/{user}?k=5")
            assert status == 200, answer
            state.answers[user] = answer
        refused, _ = _ask(f"{_url(replicas[0], 8080)}/recommendations/{users[0]}", None)
    assert refused == 502, "the gateway requires the token of the user"
    clicked = {user: {c["item_id"] for c in state.clicks if c["user_id"] == user} for user in users}
    for user, answer in state.answers.items():
        assert answer["served_by"] == SERVED_BY
        assert answer["features"]["clicks"] > 0, "of the online store"
        scores = [item["score"] for item in answer["items"]]
        assert len(scores) == 5
        assert scores == sorted(scores, reverse=True)
        recent = {int(text[1:]) for text in answer["features"]["recent_items"].split()}
        assert recent <= clicked[user]
        assert not recent & {item["item_id"] for item in answer["items"]}, "what the user knows is left out"
    different = {tuple(item["item_id"] for item in answer["items"]) for answer in state.answers.values()}
    assert len(different) > len(users) // 2, "not the same for all"


def _time(click: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(click["happened_at"])


def test_quality_of_what_was_shown_is_measured_by_the_schedule(state: State) -> None:
    shop, moment = state.shop, datetime.now(UTC) - SHOWN
    lines = [
        {
            "request_id": answer["request_id"],
            "user_id": user,
            "version": SERVED_BY,
            "items": [item["item_id"] for item in answer["items"]],
            "happened_at": moment.isoformat(),
        }
        for user, answer in state.answers.items()
    ]
    shop.deliver("impressions/shown.jsonl", [json.dumps(line) for line in lines])
    count = "SELECT count(*) FROM impressions"
    eventually("the impressions are rows", lambda: shop.rows(count) == [[str(len(lines))]], 240)
    [result] = shop.scheduled("quality")
    [version] = result["versions"]
    assert version["version"] == SERVED_BY
    assert 0 < version["impressions"] <= len(lines)
    assert result["low"] == [], "too few impressions to evaluate it"
