"""Errors that only Google Cloud can report, reported by the twin in Google's words, through the real engine.

One update has all invalid resources and continues after each error: each error names the resource and the
invalid property, and none of the resources is created.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pulumi_gcp as gcp
import pytest
from pulumi import ResourceOptions, automation

from tests.end_to_end.harness import Twin
from tests.end_to_end.plain import Program
from twin import environment

pytestmark = pytest.mark.end_to_end

PROJECT, REGION, ZONE = "acme-plain", "us-central1", "us-central1-a"
APIS = ("iam", "cloudresourcemanager", "compute", "container", "cloudkms")


class Plain(Twin):
    """A twin on Google Cloud for programs that tests define."""

    def __init__(self, home: Path) -> None:
        super().__init__("plain-gcp", home, checkpoints=False)
        place = ("--cloud", "gcp", "--region", REGION, "--account", PROJECT)
        self.cli("twin", "start", "--name", self.environment, *place)

    def stack(self, name: str, program: Program) -> automation.Stack:
        """Return a stack of this twin with this program."""
        folder = self.home / f"google-{name}"
        folder.mkdir(exist_ok=True)
        return automation.create_or_select_stack(
            name,
            "plain",
            program,
            opts=automation.LocalWorkspaceOptions(
                work_dir=str(folder),
                env_vars=environment.environment(self.instance) | self.engine_variables,
                pulumi_command=automation.PulumiCommand(
                    root=str(self.instance.folder), skip_version_check=True
                ),
            ),
        )


@dataclass(frozen=True)
class Base:
    """Valid resources that exist."""

    network: str
    subnet: str
    key: str
    """A KMS key that no principal may use."""
    account: str
    cluster: str
    """A zonal cluster, with deletion protection, the provider's default."""


def _base() -> None:
    on = [
        gcp.projects.Service(api, service=f"{api}.googleapis.com", disable_on_destroy=False) for api in APIS
    ]
    ready = ResourceOptions(depends_on=on)
    network = gcp.compute.Network("base", name="base", auto_create_subnetworks=False, opts=ready)
    ranges = {"pods": "10.1.0.0/20", "services": "10.2.0.0/24", "tiny": "10.3.0.0/24"}
    subnet = gcp.compute.Subnetwork(
        "base",
        name="base",
        region=REGION,
        network=network.id,
        ip_cidr_range="10.0.0.0/24",
        secondary_ip_ranges=[{"range_name": name, "ip_cidr_range": cidr} for name, cidr in ranges.items()],
    )
    ring = gcp.kms.KeyRing("base", location=REGION, opts=ready)
    key = gcp.kms.CryptoKey("base", key_ring=ring.id)
    account = gcp.serviceaccount.Account("nodes", account_id="base-nodes", opts=ready)
    cluster = gcp.container.Cluster(
        "base",
        name="base",
        location=ZONE,
        network=network.id,
        subnetwork=subnet.id,
        initial_node_count=1,
        ip_allocation_policy={
            "cluster_secondary_range_name": "pods",
            "services_secondary_range_name": "services",
        },
        node_config={"service_account": account.email},
    )
    for name, value in {
        "network": network.id,
        "subnet": subnet.id,
        "key": key.id,
        "account": account.email,
        "cluster": cluster.name,
    }.items():
        pulumi.export(name, value)


def pool(label: str, base: Base, node: dict[str, Any] | None = None, **arguments: Any) -> None:
    """Declare a node pool that is valid but for one argument."""
    config = {"service_account": base.account, "machine_type": "e2-standard-4", **(node or {})}
    good: dict[str, Any] = {"cluster": base.cluster, "location": ZONE, "initial_node_count": 0}
    gcp.container.NodePool(label, **{**good, "node_config": config, **arguments})


def cluster(label: str, base: Base, **arguments: Any) -> None:
    """Declare a cluster that is valid but for one argument."""
    good: dict[str, Any] = {
        "location": ZONE,
        "network": base.network,
        "subnetwork": base.subnet,
        "initial_node_count": 1,
        "ip_allocation_policy": {"cluster_secondary_range_name": "tiny"},
    }
    gcp.container.Cluster(label, **{**good, **arguments})


def card(kind: str, **more: Any) -> dict[str, Any]:
    """Return a node's accelerator."""
    return {"guest_accelerators": [{"type": kind, "count": 1, **more}]}


Case = tuple[Callable[[str, Base], Any], str, str]
PREVIEWED: dict[str, Case] = {
    "an-account-id-over-30": (
        lambda name, _: gcp.serviceaccount.Account(name, account_id="a" * 31),
        "accountId",
        "30",
    ),
    "a-label-with-upper-case": (
        lambda name, _: gcp.compute.Address(name, region=REGION, labels={"Team": "ml"}),
        "labels",
        "Team",
    ),
    "a-network-name-with-upper-case": (
        lambda name, _: gcp.compute.Network(name, name="Base", auto_create_subnetworks=False),
        "name",
        "Base",
    ),
}
"""Errors of the provider before anything is created: the program, the property, a word of the reason."""

CASES: dict[str, Case] = {
    "a-pool-name-over-40": (lambda name, base: pool(name, base, name="p" * 41), "name", "40"),
    "no-such-machine": (
        lambda name, base: pool(name, base, {"machine_type": "e2-standard-5"}),
        "nodeConfig.machineType",
        "e2-standard-5",
    ),
    "no-such-card": (
        lambda name, base: pool(name, base, {"machine_type": "n1-standard-4", **card("nvidia-tesla-t5")}),
        "nodeConfig.guestAccelerators",
        "nvidia-tesla-t5",
    ),
    "a-card-and-built-in-ones": (
        lambda name, base: pool(name, base, {"machine_type": "g2-standard-4", **card("nvidia-tesla-t4")}),
        "nodeConfig.guestAccelerators",
        "nvidia-tesla-t4",
    ),
    "a-partition-that-the-card-lacks": (
        lambda name, base: pool(
            name,
            base,
            {"machine_type": "a2-highgpu-1g", **card("nvidia-tesla-a100", gpu_partition_size="1g.10gb")},
        ),
        "nodeConfig.guestAccelerators",
        "1g.10gb",
    ),
    "flex-start-and-spot": (
        lambda name, base: pool(
            name, base, {"machine_type": "a3-highgpu-1g", "flex_start": True, "spot": True}
        ),
        "nodeConfig",
        "flex-start cannot be used with Spot",
    ),
    "no-such-account": (
        lambda name, base: pool(name, base, {"service_account": f"absent@{PROJECT}.iam.gserviceaccount.com"}),
        "nodeConfig.serviceAccount",
        f"absent@{PROJECT}",
    ),
    "a-key-without-a-grant": (
        lambda name, base: pool(name, base, {"boot_disk_kms_key": base.key}),
        "nodeConfig.bootDiskKmsKey",
        "cloudkms.cryptoKeyVersions.useToEncrypt",
    ),
    "a-pool-name-that-is-taken": (
        lambda name, base: pool(name, base, name="default-pool"),
        "name",
        "lready exists",
    ),
    "a-range-of-pods-too-small": (
        lambda name, base: pool(name, base, initial_node_count=3, network_config={"pod_range": "tiny"}),
        "networkConfig.podRange",
        "tiny",
    ),
    "a-range-that-is-missing": (
        lambda name, base: cluster(
            name, base, ip_allocation_policy={"cluster_secondary_range_name": "nowhere"}
        ),
        "ipAllocationPolicy.clusterSecondaryRangeName",
        "nowhere",
    ),
    "a-control-plane-in-the-subnet": (
        lambda name, base: cluster(
            name,
            base,
            private_cluster_config={"enable_private_nodes": True, "master_ipv4_cidr_block": "10.0.0.0/28"},
        ),
        "privateClusterConfig.masterIpv4CidrBlock",
        "10.0.0.0/28",
    ),
    "a-cluster-name-that-is-taken": (
        lambda name, base: cluster(name, base, name="base"),
        "name",
        "lready exists",
    ),
    "a-version-that-is-gone": (
        lambda name, base: cluster(name, base, min_master_version="1.20"),
        "minMasterVersion",
        "1.20",
    ),
    "a-subnet-in-a-secondary-range": (
        lambda name, base: gcp.compute.Subnetwork(
            name, region=REGION, network=base.network, ip_cidr_range="10.1.0.0/24"
        ),
        "ipCidrRange",
        "10.1.0.0/24",
    ),
    "no-such-network": (
        lambda name, _: gcp.compute.Subnetwork(
            name,
            region=REGION,
            network=f"projects/{PROJECT}/global/networks/none",
            ip_cidr_range="10.9.0.0/24",
        ),
        "",
        "'resource.network': 'projects/acme-plain/global/networks/none'",
    ),
    "no-such-region": (
        lambda name, base: gcp.compute.Subnetwork(
            name, region="us-central9", network=base.network, ip_cidr_range="10.9.0.0/24"
        ),
        "",
        "'region': 'us-central9'",
    ),
    "a-role-that-is-none": (
        lambda name, base: gcp.projects.IAMMember(
            name, project=PROJECT, role="roles/compute.nothing", member=f"serviceAccount:{base.account}"
        ),
        "",
        "Role roles/compute.nothing",
    ),
    "an-api-that-is-off": (
        lambda name, _: gcp.binaryauthorization.Policy(
            name,
            default_admission_rule={
                "evaluation_mode": "ALWAYS_ALLOW",
                "enforcement_mode": "ENFORCED_BLOCK_AND_AUDIT_LOG",
            },
        ),
        "",
        "Binary Authorization API has not been used in project",
    ),
    "no-such-project": (
        lambda name, _: gcp.compute.Network(name, project="acme-other", auto_create_subnetworks=False),
        "",
        "acme-other",
    ),
}
"""Errors that depend on the cloud's state; the property is "" where Google names none."""


@dataclass(frozen=True)
class Refused:
    """The diagnostics of the update, and what the cloud had before and after it."""

    diagnostics: str
    before: dict[str, Any]
    after: dict[str, Any]


@pytest.fixture(scope="module")
def instance(home: Path) -> Iterator[Plain]:
    """A twin with the base."""
    plain = Plain(home)
    plain.stack("base", _base).up()
    yield plain
    plain.remove()


@pytest.fixture(scope="module")
def base(instance: Plain) -> Base:
    """The base of that twin."""
    outputs = instance.stack("base", lambda: None).outputs()
    return Base(**{name: output.value for name, output in outputs.items()})


@pytest.fixture(scope="module")
def refused(instance: Plain, base: Base) -> Refused:
    """An update in which every resource is invalid."""

    def program() -> None:
        for name, (make, _, _) in CASES.items():
            make(name, base)

    before = instance.inventory()
    with pytest.raises(automation.CommandError) as error:
        instance.stack("refusals", program).up(continue_on_error=True)
    return Refused(str(error.value).partition("Diagnostics:")[2], before, instance.inventory())


@pytest.mark.parametrize("case", PREVIEWED)
def test_invalid_argument_fails_the_preview(instance: Plain, base: Base, case: str) -> None:
    make, path, word = PREVIEWED[case]
    with pytest.raises(automation.CommandError) as error:
        instance.stack("refusals", lambda: make(case, base)).preview()
    diagnostics = str(error.value).partition("Diagnostics:")[2]
    assert f"({case})" in diagnostics, "the resource"
    assert path in diagnostics, "the property"
    assert word in diagnostics, "what it got, or what would be right"


@pytest.mark.parametrize("case", CASES)
def test_invalid_request_is_refused_by_google(refused: Refused, case: str) -> None:
    _, path, word = CASES[case]
    [diagnostic] = [
        part for part in refused.diagnostics.split("\n  gcp:")[1:] if f"({case})" in part.partition("\n")[0]
    ]
    assert path in diagnostic, "the property"
    assert word in diagnostic, "what it got, or what would be right"


def test_refused_resources_are_not_created(refused: Refused) -> None:
    assert refused.after == refused.before


def test_a_protected_cluster_is_not_destroyed(instance: Plain, base: Base) -> None:
    with pytest.raises(automation.CommandError, match=r"deletion_?[pP]rotection"):
        instance.stack("base", _base).destroy()
    assert f"/clusters/{base.cluster}" in str(instance.inventory())
