"""kill -9 of all processes of an `up` while it installs add-ons, queues and a team; the next one completes.

The kills follow one another on one twin, each at more progress than the one before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import kubernetes
import pytest
from ruamel.yaml import YAML

from tests.addon_options import only
from tests.end_to_end.harness import Twin
from tests.end_to_end.killing import kill_midway
from tests.end_to_end.plain import trust

OWNER: Final = "search-owners"
WITHOUT: Final = (
    "container_registry",
    "model_registry",
    "lakehouse",
    "feature_store",
    "gpu_pools",
    "cost",
)
ADDONS: Final = ("cert-manager", "external-secrets", "kueue")
"""Those that the queues and the team need."""


@pytest.fixture(scope="module")
def dev(home: Path) -> Iterator[Twin]:
    """The twin of aws-dev with a team, before its first `up`."""
    twin = Twin("aws-dev", home, without=WITHOUT)
    file = home / "files-aws-dev" / "Pulumi.aws-dev.yaml"
    document = YAML(typ="safe").load(file)
    account = document["config"]["ai-platform:environment"]["account_id"]
    owner = f"arn:aws:iam::{account}:role/{OWNER}"
    document["config"]["ai-platform:addons"] = {
        "charts": "upstream",
        "options": only(ADDONS),
    }
    document["config"]["ai-platform:teams"] = {"search": {"owners": [owner], "queue": "shared"}}
    document["config"]["ai-platform:guardrails"] = {"policies": {"accelerators": "deny"}}
    document["config"]["ai-platform:queues"] = {
        "queues": [{"name": "shared", "quotas": [{"pool": "general", "cpu": 8}]}]
    }
    with file.open("w") as stream:
        YAML().dump(document, stream)
    try:
        twin.cli("twin", "start", "--name", twin.environment)
        twin.aws("iam").create_role(RoleName=OWNER, AssumeRolePolicyDocument=trust("ec2.amazonaws.com"))
        yield twin
    finally:
        twin.remove()


def quietly(twin: Twin, reached: Callable[[Any], bool]) -> Callable[[], bool]:
    """Return a condition on the API server, which is false as long as there is none."""

    def condition() -> bool:
        try:
            return reached(kubernetes.config.new_client_from_config(str(twin.instance.kubeconfig)))
        except Exception:  # noqa: BLE001 - there is no API server yet, or not the kind
            return False

    return condition


def definitions(api: Any) -> set[str]:
    """Return the names of the custom resource definitions. One that was just created has no conditions, which
    the client's types require."""
    extensions: Any = kubernetes.client.ApiextensionsV1Api(api)
    answer = extensions.list_custom_resource_definition(_preload_content=False)
    return {item["metadata"]["name"] for item in json.loads(answer.data)["items"]}


def of_kueue(api: Any, kind: str) -> list[Any]:
    """Return the objects of a kind of Kueue that has no namespaces."""
    objects: Any = kubernetes.client.CustomObjectsApi(api)
    return objects.list_cluster_custom_object("kueue.x-k8s.io", "v1beta2", kind)["items"]


def everything(_: Any) -> bool:
    """Choose each process."""
    return True


def test_up_is_killed_while_definitions_are_created(dev: Twin) -> None:
    def reached(api: Any) -> bool:
        return len({name for name in definitions(api) if name.endswith("external-secrets.io")}) > 2

    kill_midway(dev, quietly(dev, reached), everything, 300)


def test_up_is_killed_while_custom_resources_of_a_controller_are_created(dev: Twin) -> None:
    kill_midway(dev, quietly(dev, lambda api: bool(of_kueue(api, "resourceflavors"))), everything, 300)


def test_up_is_killed_while_the_namespace_of_a_team_is_filled(dev: Twin) -> None:
    def reached(api: Any) -> bool:
        networking: Any = kubernetes.client.NetworkingV1Api(api)
        return bool(networking.list_namespaced_network_policy("search").items)

    kill_midway(dev, quietly(dev, reached), everything, 300)


def test_the_same_command_completes_and_nothing_is_left_to_change(dev: Twin) -> None:
    dev.cli("up", dev.environment)
    dev.cli("preview", dev.environment, "--refresh", "--expect-no-changes")
    state = json.loads(dev.pulumi("stack", "export", "--stack", dev.environment).stdout)["deployment"]
    urns = {resource["urn"] for resource in state["resources"]}
    # The engine keeps a pending create until a refresh on a terminal, even where a later `up` completed it.
    interrupted = {operation["resource"]["urn"] for operation in state.get("pending_operations") or ()}
    assert interrupted <= urns, "every resource whose creation was interrupted exists"
    api = dev.kubernetes()
    assert [queue["metadata"]["name"] for queue in of_kueue(api, "clusterqueues")] == ["shared"]
    objects: Any = kubernetes.client.CustomObjectsApi(api)
    stores = objects.list_namespaced_custom_object("external-secrets.io", "v1", "search", "secretstores")
    assert len(stores["items"]) == 1


def test_destroy_leaves_nothing(dev: Twin) -> None:
    dev.cli("destroy", dev.environment)
    dev.aws("iam").delete_role(RoleName=OWNER)
    assert dev.inventory() == {}
