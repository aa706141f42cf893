"""The first layer of every environment: its resources, and its outputs for the layers above."""

from __future__ import annotations

import json
import re
from typing import Any

import pulumi
import pulumi_kubernetes
import pytest

from aiplatform.gpu_pool import GpuPool
from aiplatform.node_pool import NodePool
from stacks import arguments, providers
from stacks.foundation import Foundation
from tests.components.recording import Recording, record
from tests.stacks.environments import STACKS, built

every_environment = pytest.mark.parametrize("stack", STACKS)
on_aws = pytest.mark.parametrize("stack", [stack for stack in STACKS if stack.startswith("aws-")])
on_google = pytest.mark.parametrize("stack", [stack for stack in STACKS if stack.startswith("gcp-")])
both_prods = pytest.mark.parametrize("prod", ["aws-prod", "gcp-prod"])
# Resources that people address by name, and resources whose name has the environment's prefix.
NAMED = (
    "aws:eks/cluster:Cluster",
    "aws:cloudwatch/logGroup:LogGroup",
    "aws:kms/alias:Alias",
    "aws:iam/role:Role",
    "aws:ec2/launchTemplate:LaunchTemplate",
    "aws:ec2/securityGroup:SecurityGroup",
)
STATEFUL = {"cluster-cluster", "cluster-key", "cluster-volumes-key"}
# Resources of the layers above that have data, or that are needed to read it.
HOLDS_DATA = (
    "aws:s3/bucket:Bucket",
    "aws:glue/catalogDatabase:CatalogDatabase",
    "aws:glue/catalogTable:CatalogTable",
    "aws:kms/key:Key",
    "aws:dynamodb/table:Table",
    "aws:rds/instance:Instance",
    "aws:ecr/repository:Repository",
    "gcp:storage/bucket:Bucket",
    "gcp:sql/databaseInstance:DatabaseInstance",
    "gcp:firestore/database:Database",
    "gcp:biglake/icebergTable:IcebergTable",
)
ABOVE = ("lakehouse-", "feature-store-", "model-registry-", "model-store-", "container-registry-")
PASSING = {"feature-store-database", "lakehouse-billing-cost-by-model", "lakehouse-billing-cost-by-team"}
"""What holds a query's tables for a day, and views."""
CLUSTER = {"aws": "aws:eks/cluster:Cluster", "gcp": "gcp:container/cluster:Cluster"}


def protected(recording: Recording) -> set[str]:
    return {resource.name for resource in recording.resources if resource.protect}


def above(recording: Recording) -> set[str]:
    """Return the resources of the layers above that have data."""
    return {
        resource.name
        for kind in HOLDS_DATA
        for resource in recording.all(kind)
        if resource.name.startswith(ABOVE)
    } - PASSING


def deletion_protection(recording: Recording) -> Any:
    [cluster] = [resource for kind in CLUSTER.values() for resource in recording.all(kind)]
    return cluster.inputs.get("deletionProtection")


@every_environment
def test_the_layers_outputs_survive_a_round_trip_through_json(stack: str) -> None:
    exported = built(stack).exported
    read = Foundation.read(json.dumps(exported))
    assert read == Foundation(**exported), "another stack reads this layer by a StackReference"
    assert set(read.node_pools) == set(built(stack).settings.node_pools)
    assert set(read.gpu_pools) == set(built(stack).settings.gpu_pools)


@every_environment
def test_pools_can_be_built_from_outputs_that_were_read_as_json(stack: str) -> None:
    settings = built(stack).settings
    below = Foundation.read(json.dumps(built(stack).exported))
    network: Any = below.network
    cluster: Any = below.cluster

    def another_stack() -> None:
        inside = pulumi_kubernetes.Provider("cluster-kubernetes", kubeconfig=cluster["kubeconfig"])
        options = pulumi.ResourceOptions(providers=[providers.of(settings), inside])
        for name, pool in settings.node_pools.items():
            NodePool(name, arguments.node_pool(settings, name, pool, cluster, network), options)
        for name, pool in settings.gpu_pools.items():
            GpuPool(name, arguments.gpu_pool(settings, name, pool, cluster, network), options)

    there, here = record(another_stack), built(stack).recording
    assert set(there.names()) <= set(here.names()), "the same nodes, whichever stack creates them"
    pools = "gcp:container/nodePool:NodePool"
    for pool in there.all(pools):
        assert pool.inputs["nodeLocations"] == here.one(pools, pool.name).inputs["nodeLocations"]
    kind = "aws:eks/nodeGroup:NodeGroup"
    for group in there.all(kind):
        assert group.inputs["subnetIds"] == here.one(kind, group.name).inputs["subnetIds"]


@every_environment
def test_physical_names_have_the_prefix_of_the_environment(stack: str) -> None:
    prefix = built(stack).settings.environment.prefix
    cloud, _, environment = stack.partition("-")
    assert prefix == f"acme-{environment}"
    assert built(stack).recording.one(CLUSTER[cloud]).inputs["name"] == f"{prefix}-cluster"
    for kind in NAMED:
        for resource in built(stack).recording.all(kind):
            name = resource.inputs.get("name") or resource.inputs.get("namePrefix")
            assert re.match(rf"(alias/|/aws/[a-z/]+/|/ai-platform/)?{prefix}[-/]", str(name)), (
                f"{resource.name} is called {name}"
            )


@every_environment
def test_physical_names_of_a_kind_are_unique(stack: str) -> None:
    for kind in NAMED:
        names = [resource.inputs.get("name") for resource in built(stack).recording.all(kind)]
        there = [name for name in names if name]
        assert len(there) == len(set(there)), kind


@every_environment
def test_every_resource_and_every_call_has_an_explicit_provider(stack: str) -> None:
    recording = built(stack).recording
    cloud = stack.partition("-")[0]
    here, inside = recording.named(cloud).urn, recording.named("cluster-kubernetes").urn
    for resource in recording.resources:
        # Providers, and what the engine itself records.
        if resource.custom and not resource.type.startswith("pulumi:"):
            wanted = here if resource.type.startswith(f"{cloud}:") else inside
            assert resource.provider.startswith(f"{wanted}::"), f"{resource.name}: default providers are off"
    for call in recording.calls:
        assert call.provider.startswith(f"{here}::"), (
            f"{call.token} would use the account of the current credentials"
        )


@on_google
def test_the_provider_has_its_project_and_default_labels(stack: str) -> None:
    environment = built(stack).settings.environment
    inputs = built(stack).recording.named("gcp").inputs
    assert inputs["project"] == inputs["billingProject"] == environment.project_id
    assert environment.region in str(inputs["region"])
    labels = inputs["defaultLabels"]
    labels = json.loads(labels) if isinstance(labels, str) else labels
    assert labels == {
        "owner": environment.owner,
        "cost-center": environment.cost_center,
        "environment": environment.name,
        "managed-by": "ai-platform",
    }


@on_aws
def test_the_provider_has_its_account_and_default_tags(stack: str) -> None:
    environment = built(stack).settings.environment
    inputs = built(stack).recording.named("aws").inputs
    assert str(environment.account_id) in str(inputs["allowedAccountIds"]), (
        "credentials of another account are refused"
    )
    assert environment.region in str(inputs["region"])
    tags = inputs["defaultTags"]
    tags = (json.loads(tags) if isinstance(tags, str) else tags)["tags"]
    assert tags == {
        "owner": environment.owner,
        "cost-center": environment.cost_center,
        "environment": environment.name,
        "managed-by": "ai-platform",
    }


@on_aws
def test_instances_and_volumes_of_nodes_have_the_tags_for_costs(stack: str) -> None:
    tags = built(stack).settings.environment.all_tags
    templates = built(stack).recording.all("aws:ec2/launchTemplate:LaunchTemplate")
    assert templates
    for template in templates:
        for launched in template.inputs["tagSpecifications"]:
            assert tags.items() <= launched["tags"].items(), (
                f"{template.name}: Auto Scaling does not apply the provider's default tags"
            )


@on_aws
def test_persistent_volumes_have_the_tags_for_costs(stack: str) -> None:
    driver = built(stack).recording.one("aws:eks/addon:Addon", "cluster-aws-ebs-csi-driver")
    tags = json.loads(driver.inputs["configurationValues"])["controller"]["extraVolumeTags"]
    assert tags == built(stack).settings.environment.all_tags


@every_environment
def test_every_component_registers_its_outputs(stack: str) -> None:
    silent = [
        resource.name
        for resource in built(stack).recording.resources
        if resource.type.startswith("aiplatform:") and not resource.outputs
    ]
    assert not silent


@every_environment
def test_only_prod_is_protected(stack: str) -> None:
    recording = built(stack).recording
    prod = stack.endswith("-prod")
    names = protected(recording)
    # On AWS the logs of the control plane have the key of its secrets.
    stateful = STATEFUL | ({"cluster-logs-key"} if stack.startswith("gcp") else set())
    assert {name for name in names if not name.startswith(ABOVE)} == (stateful if prod else set())
    assert bool(names) is prod
    assert above(recording) <= names or not prod, "and the resources with data of the layers above"
    assert bool(deletion_protection(recording)) is prod


@both_prods
@pytest.mark.parametrize("teardown", [True, "with_data"])
def test_teardown_removes_every_protection_and_changes_nothing_else(teardown: bool | str, prod: str) -> None:
    retired = built(prod, teardown)
    assert not protected(retired.recording)
    assert deletion_protection(retired.recording) is False, "without the key it would remain on"
    assert retired.recording.names() == built(prod).recording.names()
    assert retired.exported == built(prod).exported


@pytest.mark.parametrize(
    ("stack", "teardown", "expected"),
    [
        ("aws-prod", False, True),
        ("aws-prod", True, True),
        ("aws-prod", "with_data", False),
        ("aws-dev", False, False),
    ],
)
def test_prods_logs_and_keys_are_retained_unless_its_data_is_deleted(
    stack: str, teardown: bool | str, expected: bool
) -> None:
    recording = built(stack, teardown).recording
    retained = {resource.name for resource in recording.resources if resource.retain_on_delete}
    data = {"network-flow-logs", "network-key", "cluster-logs", "cluster-key", "cluster-volumes-key"}
    data |= {"runner-logs", "runner-key", "observability-container-logs", "observability-container-logs-key"}
    here = {name for name in retained if not name.startswith(ABOVE)}
    assert here == (data if expected else set()), "a year of audit logs cannot be read without its key"
    # Images can be built again.
    data_above = {name for name in above(recording) if not name.startswith("container-registry-")}
    assert data_above <= retained if expected else not retained, (
        "and data of the layers above is retained with its keys"
    )


@every_environment
def test_no_output_has_a_secret(stack: str) -> None:
    assert not built(stack).secret, "no value comes from a secret"
    outputs = json.dumps(built(stack).exported)
    words = r'client-key-data|client-certificate-data|"token|password|secret_?(access_?)?key"|PRIVATE KEY'
    assert not re.search(words, outputs.replace("\\", ""), re.IGNORECASE)
    user = json.loads(built(stack).exported["cluster"]["kubeconfig"])["users"][0]["user"]
    assert set(user) == {"exec"}, "credentials come from a command and are not in the kubeconfig"
