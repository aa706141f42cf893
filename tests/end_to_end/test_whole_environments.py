"""All environments with all of their layers, and with functions and a workflow, whose images a file cannot
name before the environment exists.

They are deployed and previewed without changes, get the functions, and all but prod are destroyed. Every run
has aws-dev and gcp-prod as their files are (test_aws_dev.py, test_gcp_prod.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.harness import GUARDED, Twin
from tests.end_to_end.policy_report import assert_no_violation
from tests.stacks import test_functions, test_workflows
from twin.tests.waiting import eventually

pytestmark = [pytest.mark.end_to_end, pytest.mark.nightly]

ENVIRONMENTS = ["aws-staging", "gcp-staging", "aws-prod", "aws-dev", "gcp-dev", "gcp-prod"]


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def empty(home: Path, request: pytest.FixtureRequest) -> Iterator[Twin]:
    """The twin of an environment, before its first `up`."""
    twin = Twin(request.param, home, checkpoints=False)
    yield twin
    twin.remove()


@pytest.fixture(scope="module")
def deployed(empty: Twin) -> Twin:
    """The twin of an environment, deployed. The first `up` of aws-prod runs outside the network."""
    if empty.environment == "aws-prod":
        empty.cli("twin", "start", "--name", empty.environment)
        empty.changed("up", "--yes", "--skip-preview", change={"environment/bootstrap": True})
    empty.up(*GUARDED)
    return empty


def test_environment_has_no_violation_before_it_exists(empty: Twin, tmp_path: Path) -> None:
    assert_no_violation(empty, tmp_path)


def test_environment_is_deployed_and_has_no_drift(deployed: Twin) -> None:
    if deployed.instance.cloud == "aws":
        name = deployed.environment.replace("aws", "acme")
        cluster = deployed.aws("eks").describe_cluster(name=f"{name}-cluster")["cluster"]
        assert "0.0.0.0/0" not in cluster["resourcesVpcConfig"].get("publicAccessCidrs", []), (
            "not the whole internet"
        )
    nodes = deployed.core().list_node().items
    assert nodes, "the system's nodes"
    for node in nodes:
        ready = {condition.type: condition.status for condition in node.status.conditions}
        assert ready["Ready"] == "True", f"{node.metadata.name} is not Ready"
    if "staging" in deployed.environment:
        _scale(deployed, 3)
    deployed.cli("preview", deployed.environment, "--refresh", "--expect-no-changes")


def _scale(deployed: Twin, replicas: int) -> None:
    """Change the replicas, as the feature server's autoscaler does under load; this is not drift."""
    name, namespace = "feature-server", "feature-store"
    before = deployed.apps().read_namespaced_deployment(name, namespace).status
    assert before.ready_replicas == 2, "`up` ends when the minimum of its Pods is ready"
    deployed.apps().patch_namespaced_deployment_scale(name, namespace, {"spec": {"replicas": replicas}})
    eventually(
        f"{replicas} feature servers are ready",
        lambda: deployed.apps().read_namespaced_deployment(name, namespace).status.ready_replicas == replicas,
    )


def test_functions_and_a_workflow_of_them_are_added(deployed: Twin) -> None:
    change = test_functions.topic(deployed.environment)
    preview = deployed.changed("preview", *GUARDED, change=change)
    assert "to delete" not in preview.stdout, "they change nothing that runs"
    _add(deployed, change)
    _add(deployed, {**change, "workflows/scoring": _workflow(deployed)})
    prefix = f"acme-{deployed.environment.partition('-')[2]}"
    if deployed.instance.cloud == "aws":
        functions = deployed.aws("lambda").list_functions()["Functions"]
        names = [function["FunctionName"] for function in functions]
        machines = deployed.aws("stepfunctions").list_state_machines()["stateMachines"]
        assert [machine["name"] for machine in machines] == [f"{prefix}-scoring"]
    else:
        ids = [str(created) for kind in deployed.inventory().values() for created in kind]
        names = [created.rpartition("/")[2] for created in ids]
        assert f"{prefix}-scoring" in names
    assert {f"{prefix}-score", f"{prefix}-ingest"} <= set(names)


def _add(deployed: Twin, change: dict[str, Any]) -> None:
    deployed.changed("up", "--yes", "--skip-preview", *GUARDED, change=change)
    deployed.changed("preview", "--refresh", "--expect-no-changes", change=change)


def _workflow(deployed: Twin) -> dict[str, Any]:
    """Return the workflow that the tests share, of the two functions; on Google Cloud without its job, since
    the environment has no job of Cloud Run."""
    cloud, prefix = deployed.instance.cloud, f"acme-{deployed.environment.partition('-')[2]}"
    workflow: dict[str, Any] = test_workflows.topic(cloud)["workflows/scoring"]
    region, account = deployed.instance.region, deployed.instance.account
    called = {"validate": f"{prefix}-score", "publish": f"{prefix}-ingest"}
    if cloud == "aws":
        arn = f"arn:aws:lambda:{region}:{account}:function:"
        return {
            **workflow,
            "functions": {name: {"arn": f"{arn}{function}:live"} for name, function in called.items()},
        }
    services = deployed.google("run", "v2").projects().locations().services()
    functions: dict[str, Any] = {}
    for name, service in called.items():
        path = f"projects/{account}/locations/{region}/services/{service}"
        functions[name] = {"url": services.get(name=path).execute()["uri"], "service": path}
    steps = workflow["definition"]["main"]["steps"][0]["chain"]["try"]["steps"]
    steps[:] = [step for step in steps if "score" not in step]
    return {**workflow, "functions": functions, "jobs": {}}


def test_destroy_leaves_nothing(deployed: Twin) -> None:
    if "prod" in deployed.environment:
        pytest.skip("it is protected: test_aws_prod.py and test_gcp_prod.py retire it in steps")
    deployed.cli("destroy", deployed.environment)
    assert deployed.inventory() == {}, "resources outside the state count, too"
