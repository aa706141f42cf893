"""What an account of MLflow reads and changes of another one's: attempts by requests to a real server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from aiplatform.model_registry.container_files import registry_routes
from tests.end_to_end import clients
from tests.end_to_end.mlflow_attempts import (
    ACCOUNTS,
    AJAX,
    API,
    API3,
    FILES,
    HUSH,
    NOW,
    OTHER,
    OWNER,
    PROMOTER,
    READER,
    REFUSED,
    Things,
    detours,
    reads,
    version_of,
    writes,
)
from tests.end_to_end.mlflow_server import Answer, Server

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with two teams, an account that reads one of them, and one that promotes."""
    variables = {
        "REGISTRY_ACCOUNTS": ",".join(ACCOUNTS),
        "REGISTRY_PROMOTERS": f"admin,{PROMOTER}",
        "REGISTRY_GUARDED_ALIASES": "champion",
        "REGISTRY_READS": json.dumps({READER: [OWNER]}),
    }
    server = Server(tmp_path_factory.mktemp("mlflow"), ACCOUNTS, variables)
    server.start()
    yield server
    server.stop()


def create(server: Server, account: str, word: str) -> Things:
    """Create one of each as an account."""

    def post(path: str, body: Any, method: str = "POST") -> Any:
        return server.ask(account, method, path, body).json()

    experiment = post(f"{API}/experiments/create", {"name": f"{account}.{word}"})["experiment_id"]
    tags = [{"key": "note", "value": word}]
    run = post(f"{API}/runs/create", {"experiment_id": experiment, "run_name": word, "tags": tags})
    info = run["run"]["info"]
    metric = {"run_id": info["run_id"], "key": word, "value": 0.5, "timestamp": NOW}
    post(f"{API}/runs/log-metric", metric)
    file = f"{experiment}/{info['run_id']}/artifacts/model/{word}.txt"
    assert server.ask(account, "PUT", f"{FILES}/{file}", word.encode()).status == 200
    model = f"{account}.{word}"
    post(f"{API}/registered-models/create", {"name": model, "description": word})
    version = {"name": model, "source": f"{info['artifact_uri']}/model", "run_id": info["run_id"]}
    post(f"{API}/model-versions/create", version)
    logged = post(f"{API}/logged-models", {"experiment_id": experiment, "name": word, "model_type": word})
    trace = {
        "trace_id": f"tr-{experiment}-{word}",
        "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}},
        "request_time": "2026-11-29T10:00:00Z",
        "state": "OK",
        "request_preview": word,
    }
    post(f"{API3}/traces", {"trace": {"trace_info": trace}})
    prompt = f"{account}.{word}-prompt"
    is_prompt = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
    post(f"{API}/registered-models/create", {"name": prompt, "tags": is_prompt})
    text = [*is_prompt, {"key": "mlflow.prompt.text", "value": word}]
    post(f"{API}/model-versions/create", {"name": prompt, "source": "prompt-template", "tags": text})
    identifier = logged["model"]["info"]["model_id"]
    return Things(experiment, info["run_id"], model, identifier, trace["trace_id"], prompt)


@pytest.fixture(scope="module")
def things(server: Server) -> Things:
    """What the owner created."""
    return create(server, OWNER, HUSH)


@pytest.fixture(scope="module")
def attacker(server: Server) -> Things:
    """What the other account created."""
    return create(server, OTHER, "own")


def leaks(answer: Answer) -> bool:
    """Return whether an answer contains what the owner created, other than a name that the request stated."""
    return answer.status not in REFUSED and HUSH.encode() in answer.body


def test_another_account_reads_nothing(server: Server, things: Things, attacker: Things) -> None:
    answers = {name: server.ask(OTHER, *attempt) for name, attempt in reads(things).items()}
    assert {name: answer for name, answer in answers.items() if leaks(answer)} == {}
    assert not [name for name, answer in answers.items() if answer.status >= 500]


@pytest.mark.parametrize("account", [OWNER, READER, PROMOTER, "admin"])
def test_the_owner_and_those_that_the_file_names_read_everything(
    server: Server, things: Things, attacker: Things, account: str
) -> None:
    answers = {name: server.ask(account, *attempt) for name, attempt in reads(things).items()}
    unread = {name: answer for name, answer in answers.items() if not leaks(answer) and name not in URIS}
    assert unread == {}, "the attempts of the other account prove nothing otherwise"
    assert {name: answers[name].status for name in URIS} == dict.fromkeys(URIS, 200)


URIS: Final = ("files of a version",)
"""Answers that contain an address alone."""


def test_the_reader_of_one_account_reads_no_other(server: Server, attacker: Things) -> None:
    answer = server.ask(READER, "GET", f"{API}/runs/get", None, {"run_id": attacker.run})
    assert answer.status == 403
    experiments = server.ask(READER, "POST", f"{API}/experiments/search", {"max_results": 100})
    assert attacker.experiment not in [
        entry["experiment_id"] for entry in experiments.json().get("experiments", [])
    ]


@pytest.mark.parametrize("account", [OTHER, READER, PROMOTER])
def test_no_other_account_changes_anything(server: Server, things: Things, account: str) -> None:
    answers = {name: server.ask(account, *attempt).status for name, attempt in writes(things).items()}
    assert answers == dict.fromkeys(answers, 403)


def test_the_owner_changes_what_it_created(server: Server) -> None:
    scratch = create(server, OWNER, "scratch")
    answers = {name: server.ask(OWNER, *attempt) for name, attempt in writes(scratch).items()}
    assert {name: answer for name, answer in answers.items() if answer.status != 200} == {}


def test_ways_around_mlflows_rights_are_refused(server: Server, things: Things, attacker: Things) -> None:
    answers = {name: server.ask(OTHER, *attempt) for name, attempt in detours(things, attacker).items()}
    assert {name: answer for name, answer in answers.items() if answer.status != 403} == {}
    before = server.ask(OWNER, *reads(things)["trace"]).json()["trace"]["trace_info"]
    located = before["trace_location"]["mlflow_experiment"]["experiment_id"]
    assert located == things.experiment, "the trace was not moved"


def test_an_owner_gives_no_rights_to_others(server: Server, things: Things) -> None:
    grant = {"username": OTHER, "resource_type": "experiment", "resource_id": things.experiment}
    answer = server.ask(OWNER, "POST", f"{API3}/users/permissions/grant", {**grant, "permission": "READ"})
    assert answer.status == 403, "what another team reads is stated in the file"


def test_files_of_a_trace_are_of_its_experiment(server: Server, things: Things, attacker: Things) -> None:
    tag = {"key": "mlflow.artifactLocation", "value": f"mlflow-artifacts:/{things.place}/model"}
    server.ask(OTHER, "PATCH", f"{API3}/traces/{attacker.trace}/tags", tag)
    query = {"request_id": attacker.trace, "path": f"{HUSH}.txt"}
    answer = server.ask(OTHER, "GET", f"{AJAX}/get-trace-artifact", None, query)
    assert (answer.status, b"its files are at" in answer.body) == (403, True), answer


def test_a_version_may_have_its_own_files_and_those_of_other_buckets(
    server: Server, attacker: Things
) -> None:
    for source in (
        f"mlflow-artifacts:/{attacker.place}/model",
        f"models:/{attacker.model}/1",
        "s3://elsewhere/model",
    ):
        assert server.ask(OTHER, *version_of(attacker, source)).status == 200, source


def test_head_is_no_way_around(server: Server, things: Things) -> None:
    for path in (f"{API}/runs/get?run_id={things.run}", f"{FILES}/{things.place}/model/{HUSH}.txt"):
        assert server.ask(OTHER, "HEAD", path).status == 403, path
    assert server.ask(OTHER, "HEAD", "/").status == 200, "the user interface"


def test_every_route_whose_rights_mlflow_does_not_evaluate_is_reviewed(tmp_path: Path) -> None:
    without = set(clients.run("mlflow", "routes", {"folder": str(tmp_path)})["unevaluated"])
    reviewed = registry_routes.ADMIN_READS | registry_routes.OPEN | registry_routes.FILTERED
    assert without - reviewed - registry_routes.ADMIN == set(), "does it answer anything of an account?"
    assert reviewed - without == set(), "a reviewed route that no longer exists, or has rights"


def test_no_route_of_this_mlflow_answers_with_anything_of_another_account(
    server: Server, things: Things, attacker: Things, tmp_path: Path
) -> None:
    """All routes of MLflow's services and its server, with the owner's ids in path, query or body."""
    ids: dict[str, Any] = {
        "run_id": things.run,
        "run_uuid": things.run,
        "run_ids": [things.run],
        "experiment_id": things.experiment,
        "experiment_ids": [things.experiment],
        "experiment_name": things.model,
        "name": things.model,
        "version": "1",
        "alias": "candidate",
        "model_id": things.logged,
        "trace_id": things.trace,
        "trace_ids": [things.trace],
        "request_id": things.trace,
        "request_ids": [things.trace],
        "metric_key": HUSH,
        "path": f"model/{HUSH}.txt",
        "artifact_file_path": f"{HUSH}.txt",
        "artifact_path": f"{things.place}/model/{HUSH}.txt",
        "locations": [{"mlflow_experiment": {"experiment_id": things.experiment}}],
        "max_results": 100,
        "username": OWNER,
    }
    routes: list[str] = clients.run("mlflow", "routes", {"folder": str(tmp_path)})["all"]
    assert len(routes) > 300, "what MLflow 3.15 has"
    leaking: dict[str, Answer] = {}
    for route in routes:
        method, _, rule = route.partition(" ")
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(ids.get(match[1], "1")), rule)
        body, query = (None, ids) if method == "GET" else (ids, None)
        answer = server.ask(OTHER, method, path, body, query)
        if leaks(answer):
            leaking[route] = answer
    assert leaking == {}
    for name, attempt in reads(things).items():
        assert server.ask(OWNER, *attempt).status == 200, f"{name}: nothing was changed or deleted"
