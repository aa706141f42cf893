"""aws-dev from its first `up` to `destroy`, checked by boto3 and the Kubernetes client.

The tests of this module share one twin and run in the order in which they are written.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import botocore.exceptions
import kubernetes
import pytest

from aiplatform.addons.catalog import Addon, catalog, in_order, selected
from aiplatform.observability.args import OPENCOST
from aiplatform.training.args import RAY
from tests.end_to_end import clients, pods
from tests.end_to_end.harness import GUARDED, PRIVATE_KEY, ROOT, Twin, gpu_pod, phase, updated
from tests.end_to_end.images import push
from tests.end_to_end.policy_report import assert_no_violation, policy_report
from tests.end_to_end.webhook_ports import called_ports
from tests.policies.profile_differences import DEV, STAGING
from twin.tests.aws.services.athena.asking import Asking
from twin.tests.waiting import eventually

pytestmark = pytest.mark.end_to_end

CLUSTER = "acme-dev-cluster"
GPU = "nvidia.com/gpu"
SYSTEM = "kube-system"
"""Where the guardrails evaluate no Pods: elsewhere accelerators need a queue of a team."""


@pytest.fixture(scope="module")
def up(dev: Twin) -> Twin:
    """The twin of aws-dev, deployed."""
    before = _git_status()
    done = dev.up(*GUARDED)
    assert "No cloud account was touched" in done.stdout, "a reader must know at once that this cost nothing"
    assert _git_status() == before, "the git tree is unchanged: the twin works on copies"
    return dev


def _git_status() -> str:
    command = ["git", "status", "--porcelain", "--", "environments", "Pulumi.yaml", "stacks"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def _gpu_nodes(core: Any) -> list[Any]:
    return core.list_node(label_selector="ai-platform/pool=t4").items


def test_environment_has_no_violation_before_it_exists(dev: Twin, tmp_path: Path) -> None:
    assert_no_violation(dev, tmp_path)


def test_network_has_the_declared_range_zones_and_tags(up: Twin) -> None:
    ec2 = up.aws("ec2")
    [vpc] = ec2.describe_vpcs(Filters=[{"Name": "tag:environment", "Values": ["dev"]}])["Vpcs"]
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["Subnets"]
    gateways = ec2.describe_nat_gateways(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])[
        "NatGateways"
    ]
    assert vpc["CidrBlock"] == "10.16.0.0/16", "the file's range"
    assert len({subnet["AvailabilityZone"] for subnet in subnets}) == 2, "dev has two zones"
    assert len(subnets) == 6, "public, private and intra in each zone"
    assert len([gateway for gateway in gateways if gateway["State"] == "available"]) == 1, (
        "one NAT gateway in dev"
    )
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets), "no node gets a public address"
    for resource in [vpc, *subnets]:
        tags = {tag["Key"]: tag["Value"] for tag in resource["Tags"]}
        assert tags["owner"] == "ml-platform@acme.example", "every resource has its owner as a tag"
        assert tags["cost-center"] == "ml-platform", "every resource has its cost center as a tag"


def test_cluster_is_restricted_encrypted_and_logged(up: Twin) -> None:
    cluster = up.aws("eks").describe_cluster(name=CLUSTER)["cluster"]
    assert cluster["status"] == "ACTIVE"
    assert cluster["resourcesVpcConfig"]["endpointPrivateAccess"], "nodes reach the API inside the network"
    assert cluster["resourcesVpcConfig"]["publicAccessCidrs"] == ["192.52.193.0/24"], (
        "never the whole internet"
    )
    assert cluster["encryptionConfig"][0]["resources"] == ["secrets"], (
        "secrets are encrypted with a customer-managed key"
    )
    [logging] = [entry for entry in cluster["logging"]["clusterLogging"] if entry["enabled"]]
    assert len(logging["types"]) == 5, "all control-plane logs"
    key = up.aws("kms").get_key_rotation_status(KeyId=cluster["encryptionConfig"][0]["provider"]["keyArn"])
    assert key["KeyRotationEnabled"], "the key rotates"


def test_every_add_on_is_active_and_every_node_ready(up: Twin) -> None:
    eks = up.aws("eks")
    names = eks.list_addons(clusterName=CLUSTER)["addons"]
    states = {
        name: eks.describe_addon(clusterName=CLUSTER, addonName=name)["addon"]["status"] for name in names
    }
    assert len(states) == 7, "the component's seven add-ons"
    assert set(states.values()) == {"ACTIVE"}, states
    nodes = up.core().list_node().items
    system = [node for node in nodes if node.metadata.labels.get("ai-platform/pool") == "system"]
    assert len(system) == 2, "the system nodes of dev"
    for node in nodes:
        ready = {condition.type: condition.status for condition in node.status.conditions}
        assert ready["Ready"] == "True", f"{node.metadata.name} is not Ready"


def test_controllers_of_add_ons_run_and_have_the_webhook_ports_of_the_catalog(up: Twin) -> None:
    ports = called_ports(up.kubernetes())
    for addon in (installed := _installed()):
        runs = addon.images and not addon.on_gpu_nodes
        deployments = up.apps().list_namespaced_deployment(addon.namespace).items if runs else []
        for deployment in deployments:
            assert deployment.status.ready_replicas == 1, deployment.metadata.name
    assert {namespace: sorted(ports[namespace]) for namespace in ports} == {
        addon.namespace: list(addon.webhook_ports) for addon in installed if addon.webhook_ports
    }, "the firewall opens what the catalog states"


def test_add_ons_run_images_of_the_catalog_in_restricted_namespaces(up: Twin) -> None:
    core = up.core()
    for addon in _installed():
        # kube-system is the cluster's.
        if not addon.images or addon.namespace == "kube-system":
            continue
        labels = core.read_namespace(addon.namespace).metadata.labels
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted", addon.name
        pods = core.list_namespaced_pod(addon.namespace).items
        images = {container.image for pod in pods for container in pod.spec.containers}
        assert images, addon.name
        assert images <= {image.reference for image in addon.all_images()}, addon.name


def test_every_definition_of_the_catalog_is_served(up: Twin) -> None:
    api: Any = kubernetes.client.ApiextensionsV1Api(up.kubernetes())
    served = {item.metadata.name for item in api.list_custom_resource_definition().items}
    assert {name for addon in _installed() for name in addon.crds} <= served


def _installed() -> list[Addon]:
    """Return the add-ons of aws-dev: the default ones of an environment without a DNS zone, and those of
    components, without Ray and OpenCost."""
    components = ("Observability", "Training")
    of_components = [
        addon
        for addon in catalog().values()
        if addon.installed_by in components and addon.name not in (OPENCOST, RAY)
    ]
    return [*in_order(selected("aws", {}, has_zones=False)), *of_components]


def test_a_gpu_pod_scales_its_pool_up_from_zero_and_runs(up: Twin) -> None:
    core = up.core()
    assert not _gpu_nodes(core), "dev has no GPU node before a Pod requests one"
    core.create_namespaced_pod(SYSTEM, gpu_pod("training"))
    eventually("the GPU Pod runs", lambda: phase(core, "training", SYSTEM) == "Running", 60)
    [node] = _gpu_nodes(core)
    assert node.status.allocatable[GPU] == "1", "the device plugin registered the GPU with the kubelet"
    assert node.metadata.labels["ai-platform/capacity"] == "spot", "spot is the first capacity in the file"
    assert node.spec.provider_id.startswith("aws:///us-west-2"), "a node is an instance"
    instance = node.spec.provider_id.rsplit("/", 1)[1]
    [machine] = up.aws("ec2").describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"]
    assert machine["InstanceType"] == "g4dn.xlarge", "the catalog maps one T4 to this machine"


def test_without_the_autoscaler_or_the_plugin_a_gpu_pod_stays_pending(up: Twin) -> None:
    core, apps = up.core(), up.apps()
    plugin = "nvidia-device-plugin"
    daemons = apps.list_namespaced_daemon_set("kube-system").items
    assert plugin in {daemon.metadata.name for daemon in daemons}, (
        "AL2023's NVIDIA image contains no device plugin"
    )
    apps.delete_namespaced_daemon_set(plugin, "kube-system")
    eventually("the node loses its GPU", lambda: _gpu_nodes(core)[0].status.allocatable.get(GPU, "0") == "0")
    core.delete_namespaced_pod("training", SYSTEM, grace_period_seconds=0)
    apps.delete_namespaced_deployment("cluster-autoscaler", "kube-system")
    eventually(
        "the autoscaler is gone",
        lambda: not core.list_namespaced_pod("kube-system", label_selector=_AUTOSCALER).items,
    )
    core.create_namespaced_pod(SYSTEM, gpu_pod("waiting"))
    with pytest.raises(AssertionError, match="not within"):
        eventually("a GPU Pod without a plugin runs", lambda: phase(core, "waiting", SYSTEM) == "Running", 6)
    assert len(_gpu_nodes(core)) <= 1, "a managed node group never scales up by itself"


_AUTOSCALER = "app.kubernetes.io/name=cluster-autoscaler"


def test_a_principal_without_an_access_entry_is_refused(up: Twin) -> None:
    configuration = kubernetes.client.Configuration.get_default_copy()
    known = up.kubernetes().configuration
    configuration.host, configuration.ssl_ca_cert = known.host, known.ssl_ca_cert
    configuration.api_key = {"authorization": "Bearer k8s-aws-v1.aHR0cHM6Ly9zdHMuZXhhbXBsZS8"}
    stranger = kubernetes.client.CoreV1Api(kubernetes.client.ApiClient(configuration))
    with pytest.raises(kubernetes.client.ApiException) as refused:
        stranger.list_node()
    assert refused.value.status == 401, "the token authenticates no principal"


def test_pods_write_and_query_the_lakehouse_with_the_grants_of_the_file(up: Twin) -> None:
    lake = up.outputs()["data"]["lakehouse"]
    database = next(zone["database"] for zone in lake["zones"] if zone["name"] == "curated")
    trip = {
        "trip_id": "7",
        "driver_id": "1",
        "picked_up_at": "2026-11-01 09:00:00Z",
        "fare": "12.50",
        "rider_email": "rider@x.example",
    }
    append = {
        "identity": pods.session(up, CLUSTER, "pipelines", "pipelines"),
        "do": "append_as_writer",
        "table": f"{database}.trips",
    }
    response = clients.run(
        "pyiceberg", "lake", {"lake": lake, "rows": [trip], "asks": [append]}, pods.place(up)
    )
    assert response["answers"] == [{"rows": 1}], "pipelines are in `writers`: no further policy is needed"
    analysts = pods.session(up, CLUSTER, "analytics", "notebooks")
    ask = Asking(pods.client(up, analysts, "athena"), lake["workgroups"]["analysts"], database)
    header, row = ask.done("SELECT * FROM trips").rows
    assert dict(zip(header, row, strict=True)) == {
        "trip_id": "7",
        "driver_id": "1",
        "picked_up_at": "2026-11-01 09:00:00.000 UTC",
        "fare": "12.50",
    }, "all but what is pii"
    assert "Column 'rider_email' cannot be resolved" in ask.refused("SELECT rider_email FROM trips")


def test_pipelines_push_images_and_read_their_registry_password_with_the_grants_of_the_file(up: Twin) -> None:
    pipelines = pods.session(up, CLUSTER, "pipelines", "pipelines")
    analysts = pods.session(up, CLUSTER, "analytics", "notebooks")
    digest = push(pods.client(up, pipelines, "ecr"), "acme-dev/training", "1f0c83d")
    assert digest.startswith("sha256:"), "a training run names its image by digest"
    with pytest.raises(botocore.exceptions.ClientError, match="not authorized to perform: ecr:"):
        push(pods.client(up, analysts, "ecr"), "acme-dev/training", "other")
    accounts = {
        entry["account"]: entry["secret"] for entry in up.outputs()["models"]["model_registry"]["secrets"]
    }
    for account in ("pipelines", "release"):
        # As the registry's setup Job does.
        up.aws("secretsmanager").put_secret_value(SecretId=accounts[account], SecretString=f"of {account}")
    secrets = pods.client(up, pipelines, "secretsmanager")
    assert secrets.get_secret_value(SecretId=accounts["pipelines"])["SecretString"] == "of pipelines"
    for who, account in ((pipelines, "release"), (analysts, "pipelines")):
        with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
            pods.client(up, who, "secretsmanager").get_secret_value(SecretId=accounts[account])


def test_drift_alone_is_repaired_after_a_stop(up: Twin) -> None:
    group = f"/aws/eks/{CLUSTER}/cluster"
    up.aws("logs").put_retention_policy(logGroupName=group, retentionInDays=1)
    before = up.inventory()
    up.cli("twin", "stop", "--name", up.environment)
    up.cli("twin", "start", "--name", up.environment)
    after = up.inventory()
    for kind in ("ec2/instances", "ec2/volumes"):
        # The autoscaler removes the empty GPU node of an earlier test at any time.
        assert set(after[kind]) <= set(before[kind]), "no id is new"
        before[kind] = after[kind]
    assert after == before, "every id is unchanged"
    # test_gcp_dev.py has a preview before.
    repaired = up.up("--refresh", "--json").stdout
    changes = {
        step["urn"].rsplit("::", 1)[1]: step["op"]
        for step in updated(repaired)
        if step["op"] not in ("same", "refresh")
    }
    assert changes == {
        "cluster-logs": "update",
        "cluster-autoscaler-deployment": "create",
        "device-plugins-nvidia": "create",
    }, "the three changes, and nothing else: a stop changes nothing, nor does what Pods and pipelines wrote"
    [changes] = up.aws("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert changes["retentionInDays"] == 7, "the file's retention is restored"
    core = up.core()
    eventually("the pending Pod runs", lambda: phase(core, "waiting", SYSTEM) == "Running", 60)
    core.delete_namespaced_pod("waiting", SYSTEM, grace_period_seconds=0)


def test_dev_violates_the_policies_of_prod(up: Twin, tmp_path: Path) -> None:
    report = policy_report(up, tmp_path, profile="prod")
    assert report.code == 1, "a mandatory violation fails CI"
    assert "in profile prod (the pack's configuration)" in report.text
    assert report.violated == DEV | STAGING
    assert report.summary.endswith("update refused"), (
        "all values of an existing environment are known: no policy is deferred to `up`"
    )


def test_control_plane_stays_within_its_memory_limit(up: Twin) -> None:
    status = json.loads(up.cli("twin", "status", "--name", up.environment, "--json").stdout)
    control_plane = [
        process for process in status["processes"] if process["name"] not in ("cloud", "controller")
    ]
    total = sum(process["memory_bytes"] for process in control_plane) / 2**30
    # Measured after a first `up`: 1.37 GiB.
    assert total < 1.7, f"the control plane uses {total:.2f} GiB, a good part for definitions of add-ons"


def test_state_and_outputs_have_no_secret(up: Twin) -> None:
    state = up.pulumi("stack", "export", "--stack", up.environment).stdout
    credentials = json.loads((up.instance.folder / "credentials.json").read_text())
    for value in credentials.values():
        assert value not in state, "the deployer's credentials are not in the state"
    for marker in ("k8s-aws-v1.", "client-key-data"):
        assert marker not in state, f"{marker} must not be in a state file"
    assert not PRIVATE_KEY.search(state), "no key in a state file"


def test_destroy_leaves_nothing_but_the_log_group_that_eks_writes_to_late(up: Twin) -> None:
    up.cli("twin", "fault", "late-logs", "--name", up.environment)
    done = up.cli("destroy", up.environment)
    group = f"/aws/eks/{CLUSTER}/cluster"
    left = [resource_id for ids in up.inventory().values() for resource_id in ids]
    assert left == [group], done.stderr[-2000:]
    up.cli("twin", "fault", "clear", "--name", up.environment)
    refused = up.cli("preview", up.environment, check=False)
    assert refused.returncode, "an update would fail midway: a new cluster of this name needs the group"
    output = " ".join((refused.stdout + refused.stderr).split())
    assert f"aws logs delete-log-group --log-group-name {group} --region us-west-2" in output, output[-2000:]
    up.aws("logs").delete_log_group(logGroupName=group)
    assert up.inventory() == {}, "moto's resources count, too"
    with pytest.raises(botocore.exceptions.ClientError, match="ResourceNotFoundException"):
        up.aws("eks").describe_cluster(name=CLUSTER)
