"""Checkpoints and releases on Google Cloud, as the identities of Pods use them by google-cloud-storage: each
team has its own, and no release is replaced or deleted.

The tests of this module run in the order in which they are written.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pulumi_gcp as gcp
import pytest
from googleapiclient.errors import HttpError
from pulumi import automation

from tests.end_to_end import clients, gcp_lake, gke_cluster, model_stores
from tests.end_to_end.model_stores import RELEASE
from tests.end_to_end.plain import Plain
from twin.tests.gcp.services.container.scene import PROJECT, REGION

pytestmark = pytest.mark.end_to_end

NAME = "store-gcp"
DENIED = 403
EXISTS = 412
SECRETS = {"promoter": "mlflow-release", "importer": "hugging-face"}


def _program() -> None:
    cluster: Any = {
        "cloud": "gcp",
        "name": "demo",
        "project": PROJECT,
        "region": REGION,
        "node_service_account": f"gke-nodes@{PROJECT}.iam.gserviceaccount.com",
        "workload_pool": f"{PROJECT}.svc.id.goog",
    }
    api = gcp.projects.Service("secrets", service="secretmanager.googleapis.com", disable_on_destroy=False)
    secrets: dict[str, gcp.secretmanager.Secret] = {}
    for name in SECRETS.values():
        secrets[name] = gcp.secretmanager.Secret(
            name,
            secret_id=name,
            replication=gcp.secretmanager.SecretReplicationArgs(
                auto=gcp.secretmanager.SecretReplicationAutoArgs()
            ),
            opts=pulumi.ResourceOptions(depends_on=[api]),
        )
        gcp.secretmanager.SecretVersion(name, secret=secrets[name].id, secret_data=f"of {name}")
    model_stores.register(
        cluster,
        "group:owners@acme.example",
        registry_secret=secrets["mlflow-release"].secret_id,
        token_secret=secrets["hugging-face"].secret_id,
    )


class Store:
    """The names of the buckets, and requests of identities."""

    def __init__(self, twin: Plain, outputs: automation.OutputMap) -> None:
        self.twin = twin
        self.buckets: dict[str, str] = {
            purpose: outputs[purpose].value for purpose in ("checkpoints", "releases")
        }

    def ask(self, who: str, do: str, name: str, purpose: str = "releases", content: str = "1") -> Any:
        """Return the answer to an identity, or the code of the refusal. who: `promoter`, a team, or "" for
        the deployer."""
        account = f"acme-dev-wi-{who}" if who else ""
        ask = {
            "token": gcp_lake.token(self.twin.instance, account),
            "do": do,
            "bucket": self.buckets[purpose],
            "name": name,
            "content": content,
        }
        payload = {"google": self.twin.instance.url("cloud"), "asks": [ask]}
        return clients.run("google_storage", "objects", payload)["answers"][0]


@pytest.fixture(scope="module")
def twin(home: Path) -> Iterator[Plain]:
    plain = Plain(home, NAME, "--account", PROJECT, "--region", REGION, cloud="gcp")
    try:
        gke_cluster.create(plain)
        yield plain
    finally:
        plain.remove()


@pytest.fixture(scope="module")
def deployed(twin: Plain) -> automation.Stack:
    stack = twin.stack("model-store", _program)
    stack.set_config("kubernetes:kubeconfig", automation.ConfigValue(str(twin.instance.kubeconfig)))
    stack.set_config("gcp:project", automation.ConfigValue(PROJECT))
    stack.up()
    return stack


@pytest.fixture(scope="module")
def store(twin: Plain, deployed: automation.Stack) -> Store:
    return Store(twin, deployed.outputs())


def test_a_promotion_creates_a_release_and_replaces_none(store: Store) -> None:
    assert store.ask("promoter", "create", RELEASE) == "done"
    assert store.ask("promoter", "create", RELEASE, content="2") == EXISTS
    assert store.ask("promoter", "write", RELEASE, content="2") == DENIED, (
        "it cannot delete, hence not replace"
    )
    assert store.ask("promoter", "write in parts", RELEASE, content="2") == DENIED
    assert store.ask("promoter", "write in parts", "search/ranker/1/model/large") == "done"
    assert store.ask("promoter", "read", RELEASE) == "1"


@pytest.mark.parametrize("who", ["promoter", "importer", "search"])
def test_no_identity_deletes_a_release(store: Store, who: str) -> None:
    assert store.ask(who, "delete", RELEASE) == DENIED


def test_the_author_changes_no_release(store: Store) -> None:
    assert store.ask("search", "write", RELEASE, content="2") == DENIED
    assert store.ask("search", "create", "search/ranker/1/model/more") == DENIED, "nothing new either"
    assert store.ask("promoter", "read", RELEASE) == "1", "it is unchanged"


def test_a_team_that_serves_reads_its_releases_and_no_other_teams(store: Store) -> None:
    assert store.ask("search", "read", RELEASE) == "1"
    assert store.ask("search", "list", "search/") == ["search/ranker/1/model/large", RELEASE]
    assert store.ask("ads", "read", RELEASE) == DENIED
    for prefix in ("search/", "", "a"):
        assert store.ask("ads", "list", prefix) == DENIED, prefix


def test_imports_create_below_their_folder_alone(store: Store) -> None:
    imported = "imports/search/base/hf-1/model/weights"
    assert store.ask("importer", "create", imported) == "done"
    assert store.ask("importer", "write", imported, content="2") == DENIED
    assert store.ask("importer", "create", "search/base/1/model/weights") == DENIED
    assert store.ask("importer", "read", RELEASE) == DENIED
    assert store.ask("promoter", "read", imported) == "1", "a promotion copies it from there"


@pytest.mark.parametrize("who", SECRETS)
def test_each_of_the_two_reads_one_secret(store: Store, who: str) -> None:
    instance = store.twin.instance
    versions = (
        gcp_lake.client(instance, "secretmanager", "v1", f"acme-dev-wi-{who}").projects().secrets().versions()
    )
    for owner, name in SECRETS.items():
        request = versions.access(name=f"projects/{PROJECT}/secrets/{name}/versions/latest")
        if owner == who:
            assert request.execute()["payload"]["data"]
        else:
            with pytest.raises(HttpError, match=r"secretmanager\.versions\.access"):
                request.execute()


def test_a_team_uses_its_checkpoints_and_no_other_teams(store: Store) -> None:
    def ask(who: str, do: str, name: str = "search/run-1/step-100") -> Any:
        return store.ask(who, do, name, "checkpoints")

    assert [ask("search", "write"), ask("search", "write")] == ["done", "done"], "a saver replaces its files"
    assert ask("search", "list", "search/") == ["search/run-1/step-100"]
    for do in ("read", "write", "delete"):
        assert ask("ads", do) == DENIED, do
    for prefix in ("search/", "", "s"):
        assert ask("ads", "list", prefix) == DENIED, prefix
    assert ask("search", "delete") == "done"
    assert ask("search", "list", "search/") == []


def test_dev_is_destroyed_with_its_releases(store: Store, deployed: automation.Stack) -> None:
    deployed.destroy()
    names = {
        bucket["name"]
        for bucket in gcp_lake.client(store.twin.instance, "storage")
        .buckets()
        .list(project=PROJECT)
        .execute()
        .get("items", [])
    }
    assert not set(store.buckets.values()) & names
