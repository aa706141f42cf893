"""What the author of a promoted version changes of it: attempts by each route of a real server, with files in
S3.

Its accounts have one password, whose hash is not computed for each request. test_mlflow.py has the server as
the component deploys it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.end_to_end import clients
from tests.end_to_end.mlflow_server import PASSWORD, Server
from tests.end_to_end.postgres import free_port

pytestmark = pytest.mark.end_to_end

AUTHOR, PROMOTER = "training", "release"
BUCKET: Final = "acme-dev-models-111122223333"
CREDENTIALS: Final = {
    "AWS_ACCESS_KEY_ID": "AKIAGUARD",
    "AWS_SECRET_ACCESS_KEY": "guard",
    "AWS_DEFAULT_REGION": "us-west-2",
}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The endpoint of S3, with the registry's bucket."""
    server = ThreadedMotoServer("127.0.0.1", free_port(), verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client: Any = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, endpoint: str) -> Iterator[Server]:
    """A server with an account that trains and one that promotes."""
    accounts = ("admin", AUTHOR, PROMOTER)
    variables = {
        **CREDENTIALS,
        "MLFLOW_S3_ENDPOINT_URL": endpoint,
        "REGISTRY_ACCOUNTS": ",".join(accounts),
        "REGISTRY_PROMOTERS": f"admin,{PROMOTER}",
        "REGISTRY_GUARDED_ALIASES": "champion",
    }
    server = Server(tmp_path_factory.mktemp("mlflow"), accounts, variables, files=f"s3://{BUCKET}/runs")
    server.start()
    yield server
    server.stop()


def _run(server: Server, script: str, account: str, **more: Any) -> dict[str, Any]:
    account_of = {"uri": f"http://127.0.0.1:{server.port}", "account": account, "password": PASSWORD}
    return clients.run("mlflow", script, {**account_of, **more})


def _user(server: Server, account: str, do: str, **more: Any) -> dict[str, Any]:
    """Run an action of MLflow's client as an account."""
    return _run(server, "models", account, do=do, **more)


def _attempts(server: Server, model: str, version: str, prefix: str, *, unguarded: bool) -> dict[str, int]:
    """Let the author try every route that changes a version; return each attempt's status."""
    more = {"model": model, "version": version, "prefix": prefix, "unguarded": unguarded}
    return {name: status for name, (status, _) in _run(server, "attacker", AUTHOR, **more).items()}


# The guard checks the handler of a route, which has both spellings of its path.
@pytest.mark.parametrize(
    ("how", "prefix"),
    [
        ("logged", "api"),
        ("run", "ajax-api"),
        pytest.param("logged", "ajax-api", marks=pytest.mark.nightly),
        pytest.param("run", "api", marks=pytest.mark.nightly),
    ],
)
def test_the_creator_of_a_promoted_version_cannot_change_what_its_alias_serves(
    server: Server, how: str, prefix: str
) -> None:
    free, promoted = f"free-{how}-{prefix}", f"promoted-{how}-{prefix}"
    version = _user(server, AUTHOR, "make", model=free, how=how)["version"]
    answers = _attempts(server, free, version, prefix, unguarded=True)
    refused = {name for name, status in answers.items() if status == 403}
    assert refused == set(), "the attempts work on a version that is not promoted"
    for name in ("upload plain", "upload twice encoded", "tag mlflow.prompt.text", "stage", "delete file"):
        assert answers[f"{prefix} {name}"] == 200, answers
    for name in ("delete files that begin so", "delete run", "delete experiment", "rename", "delete model"):
        assert answers[f"{prefix} {name}"] == 200, answers

    version = _user(server, AUTHOR, "make", model=promoted, how=how)["version"]
    assert _user(server, PROMOTER, "promote", model=promoted, version=version) == {"promoted": "yes"}
    before = _user(server, AUTHOR, "read", model=promoted)
    assert any(name.endswith("MLmodel") for name in before["files"])
    answers = _attempts(server, promoted, version, prefix, unguarded=False)
    assert {name: status for name, status in answers.items() if status != 403} == {}
    assert _user(server, AUTHOR, "read", model=promoted) == before
