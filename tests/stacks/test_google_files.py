"""Bad input in an environment file of Google Cloud: line, key, problem, and what is expected."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from stacks.loading import SettingsError, load_file
from tests.stacks.files import complete

Change = dict[str, Any]


def changed(folder: Path, change: Change, stack: str = "gcp-dev") -> Path:
    """An environment's file with these keys (`network/cidr`) changed, and without the topic `cost`, which
    needs what many changes remove."""
    file = f"Pulumi.{stack}.yaml"
    document = json.loads(_as_json(stack))
    for dotted, value in change.items():
        topic, *path = dotted.split("/")
        *above, last = [f"ai-platform:{topic}", *path]
        node = document["config"]
        for part in above:
            node = node.setdefault(part, {})
        node[last] = value
    # JSON is YAML too, with each key on its line; and this is done a hundred times.
    (folder / file).write_text(json.dumps(document, indent=1))
    return folder / file


@cache
def _as_json(stack: str) -> str:
    document = complete(stack)
    del document["config"]["ai-platform:cost"]
    return json.dumps(document)


def problems(folder: Path, change: Change, stack: str = "gcp-dev") -> list[str]:
    """Return its problems."""
    with pytest.raises(SettingsError) as refused:
        load_file(changed(folder, change, stack))
    assert f"Pulumi.{stack}.yaml" in str(refused.value), "the reader needs the file"
    return list(refused.value.problems)


def gpu(**pool: Any) -> Change:
    """A further GPU pool, `p`."""
    return {"gpu_pools/p": {"max": 1, "capacity": ["spot"], **pool}}


def capacity(*entries: Any, accelerator: str = "h100", count: int = 8, **pool: Any) -> Change:
    """A further GPU pool with this capacity."""
    return gpu(accelerator=accelerator, count=count, capacity=list(entries), **pool)


CASES: dict[str, tuple[Change, str, str]] = {
    "misspelt flex-start": (
        capacity("flex-start"),
        "gpu_pools.p.capacity[0]",
        "did you mean 'flex_start'?",
    ),
    "flex-start with a reservation": (
        capacity({"type": "flex_start", "reservation_id": "res"}),
        "gpu_pools.p.capacity[0].reservation_id",
        "flex_start nodes never run in a reservation",
    ),
    "spot with a reservation": (
        capacity({"type": "spot", "reservation_id": "res"}),
        "gpu_pools.p.capacity[0].reservation_id",
        "spot nodes never run in a reservation",
    ),
    "a type that is not sold on demand": (
        capacity("on_demand", count=1),
        "gpu_pools.p.capacity[0].type",
        "sells a3-highgpu-1g only as spot, flex_start, queued",
    ),
    "nodes of a queue that should always be there": (
        capacity("flex_start", min=1),
        "gpu_pools.p.min",
        "expected 0",
    ),
    "a time limit that is too long": (
        capacity({"type": "flex_start", "max_run_hours": 500}),
        "gpu_pools.p.capacity[0].max_run_hours",
        "expected 1 to 168 hours",
    ),
    "a reservation somewhere": (
        capacity({"type": "reserved", "reservation_id": "res"}),
        "gpu_pools.p.capacity[0].zone",
        "expected the zone of the reservation",
    ),
    "a capacity block": (
        capacity(
            {"type": "reserved", "reservation_id": "res", "zone": "us-central1-a", "capacity_block": True}
        ),
        "gpu_pools.p.capacity[0].capacity_block",
        "use reservation_id with its name",
    ),
    "an accelerator of AWS": (
        gpu(accelerator="a10g", count=1),
        "gpu_pools.p.accelerator",
        "Google Cloud does not have; expected one of t4, l4,",
    ),
    "a misspelt accelerator": (
        gpu(accelerator="h10", count=8),
        "gpu_pools.p.accelerator",
        "h100, h100-mega, h200, b200, tpu-v5e, tpu-v6e; did you mean 'h100'",
    ),
    "a count that the catalog does not have": (
        gpu(accelerator="l4", count=3),
        "gpu_pools.p.count",
        "1, 2, 4 or 8",
    ),
    "a topology that does not fit": (
        gpu(accelerator="tpu-v6e", count=4, topology="3x3"),
        "gpu_pools.p.topology",
        "2x2, 2x4, 4x4",
    ),
    "a topology that is none": (
        gpu(accelerator="tpu-v6e", count=4, topology="4X4"),
        "gpu_pools.p.topology",
        "2x2, 2x4, 4x4",
    ),
    "a topology of GPUs": (gpu(accelerator="l4", count=1, topology="2x2"), "gpu_pools.p.topology", "no TPU"),
    "a MIG size that the card lacks": (
        gpu(accelerator="a100", count=1, sharing={"strategy": "mig", "profile": "1g.10gb"}),
        "gpu_pools.p.sharing.profile",
        "1g.5gb, 2g.10gb",
    ),
    "MIG of a card without": (
        gpu(accelerator="t4", count=1, sharing={"strategy": "mig", "profile": "1g.5gb"}),
        "gpu_pools.p.sharing.strategy",
        "t4 has no MIG",
    ),
    "more containers a card than GKE allows": (
        gpu(accelerator="l4", count=1, sharing={"strategy": "time_slicing", "replicas": 64}),
        "gpu_pools.p.sharing.replicas",
        "at most 48",
    ),
    "an accelerator attached to a family that has its own": (
        capacity({"type": "spot", "instance_types": ["g2-standard-4"]}, accelerator="t4", count=1),
        "gpu_pools.p.capacity[0].instance_types[0]",
        "has L4 cards built in, and to which no t4 can be attached",
    ),
    "several machine types in a GPU pool": (
        capacity(
            {"type": "spot", "instance_types": ["g2-standard-4", "g2-standard-8"]}, accelerator="l4", count=1
        ),
        "gpu_pools.p.capacity[0].instance_types",
        "a node pool has one machine type",
    ),
    "compact placement over zones": (
        gpu(accelerator="l4", count=1, placement_group=True, zones=["us-central1-a", "us-central1-b"]),
        "gpu_pools.p.zones",
        "expected one zone: compact placement does not span zones",
    ),
    "GPUDirect in the network's own range": (
        gpu(accelerator="h100", count=8, gpudirect_cidr="10.16.0.0/16"),
        "gpu_pools.p.gpudirect_cidr",
        "overlaps the range of the cluster's network",
    ),
    "GPUDirect in the range of another pool": (
        {
            **gpu(accelerator="h200", count=8, gpudirect_cidr="192.168.64.0/19"),
            "gpu_pools/h100": {"accelerator": "h100", "count": 8, "max": 1, "capacity": ["spot"]},
        },
        "gpu_pools.h100.gpudirect_cidr",
        "overlaps 192.168.64.0/19 of gpu_pools.p; expected a range that no other pool of the cluster uses, "
        "such as 192.168.0.0/20",
    ),
    "EFA": (gpu(accelerator="h100", count=8, efa=True), "gpu_pools.p.efa", "use gpudirect"),
    "an image": ({"gpu_pools/t4/image": "bottlerocket"}, "gpu_pools.t4.image", "Container-Optimized OS"),
    "a zone that the network has not": (
        {"gpu_pools/t4/zones": ["us-central1-z"]},
        "gpu_pools.t4.zones[0]",
        "expected a zone of the network: us-central1-a, us-central1-b",
    ),
    "a zone of another region": (
        {"gpu_pools/t4/zones": ["europe-west4-a"]},
        "gpu_pools.t4.zones[0]",
        "expected a zone of us-central1",
    ),
    "a name that is too long": (
        {"gpu_pools": {"p" * 50: {"accelerator": "l4", "count": 1, "max": 1}}},
        f"gpu_pools.{'p' * 50}",
        "expected 1 to 20 lower-case letters",
    ),
    "a label of Google's": (
        {"gpu_pools/t4/labels": {"cloud.google.com/gke-spot": "true"}},
        "gpu_pools.t4.labels.cloud.google.com/gke-spot",
        "is reserved for GKE",
    ),
    "too many pods for the range": (
        {"network/pods": 20_000},
        "network.pods",
        "a range of /15 would be enough",
    ),
    "too many nodes for the range of pods": (
        {"network/gcp/nodes": 4000},
        "network.gcp.nodes",
        "/12 would be enough",
    ),
    "pools that outgrow the range of pods": (
        {"gpu_pools/t4/max": 400},
        "network.cidr",
        "too small for the 408 nodes that system nodes and pools may grow to together",
    ),
    "a range that is too small": ({"network/cidr": "10.16.0.0/24"}, "network.cidr", "to /20 (smallest)"),
    "a range of Cloud SQL's": ({"network/cidr": "172.17.0.0/16"}, "network.cidr", "outside 172.17.0.0/16"),
    "one zone": ({"network/zone_count": 1}, "network.zone_count", "2 to 3 zones"),
    "zone ids of AWS": (
        {"network/zone_ids": ["usw2-az1", "us-central1-a"]},
        "network.zone_ids[0]",
        "such as us-central1-a",
    ),
    "a NAT for each zone": ({"network/nat": "per_zone"}, "network.nat", "expected 'single' or 'none'"),
    "interface endpoints": (
        {"network/aws/endpoints": ["sts"]},
        "network.aws.endpoints",
        "Private Google Access",
    ),
    "labels with upper case": (
        {"environment/tags": {"Team": "ml"}},
        "environment.tags",
        "did you mean 'team'?",
    ),
    "an owner with @": (
        {"environment/owner": "ml@acme.example"},
        "environment.owner",
        "got 'ml@acme.example'; expected a value of at most 63 lower-case letters, digits, _ and -, as "
        "labels have; did you mean 'ml-acme-example'?",
    ),
    "a project that is none": ({"environment/project_id": "Acme_ML"}, "environment.project_id", "6 to 30"),
    "a project's number": ({"environment/project_id": 123456789012}, "environment.project_id", "in quotes"),
    "an account": (
        {"environment/account_id": "111122223333"},
        "environment.account_id",
        "expected project_id on Google Cloud",
    ),
    "a region of AWS": ({"environment/region": "us-west-2"}, "environment.region", "such as europe-west4"),
    "a zone for a region": ({"environment/region": "us-central1-a"}, "environment.region", "such as europe"),
    "a cloud that is none": ({"environment/cloud": "google"}, "environment.cloud", "'aws' or 'gcp'"),
    "the API open to the internet": (
        {"cluster/api_access": {"mode": "cidrs", "cidrs": ["0.0.0.0/0"]}},
        "cluster.api_access.cidrs",
        "your offices, VPN or CI",
    ),
    "add-ons": (
        {"cluster/eks/addons": {"coredns": {"version": "v1.11.4-eksbuild.2"}}},
        "cluster.eks.addons",
        "GKE installs DNS",
    ),
    "an autoscaler": (
        {"cluster_autoscaler": {"replicas": 1, "scale_down_after_minutes": 5}},
        "cluster_autoscaler",
        "GKE scales node pools itself",
    ),
    "support": ({"cluster/eks/support": "extended"}, "cluster.eks.support", "`gke.release_channel` decides"),
    "a range of Services": (
        {"cluster/eks/service_cidr": "172.20.0.0/16"},
        "cluster.eks.service_cidr",
        "planned by",
    ),
    "a channel that does not offer the version": (
        {"cluster/version": "1.36", "cluster/gke/release_channel": "stable"},
        "cluster.version",
        "the stable channel offers",
    ),
    "a version out of support": (
        {"cluster/version": "1.29"},
        "cluster.version",
        "the regular channel offers",
    ),
    "a patch": ({"cluster/version": "1.35.2-gke.100"}, "cluster.version", "expected a minor version"),
    "a short maintenance window": (
        {"cluster/gke/maintenance_window": {"start": "03:00", "hours": 4, "days": ["SA"]}},
        "cluster.gke.maintenance_window",
        "got 4 hours a week; expected 12 at least",
    ),
    "an exclusion that is too long": (
        {
            "cluster/gke/maintenance_exclusions": [
                {"name": "x", "start": "2026-12-01T00:00:00Z", "end": "2027-04-01T00:00:00Z"}
            ]
        },
        "cluster.gke.maintenance_exclusions[0].end",
        "121 days after start; expected at most 90",
    ),
    "system nodes of two types": (
        {"cluster/system_nodes": {"instance_types": ["e2-standard-4", "n2-standard-4"]}},
        "cluster.system_nodes.instance_types",
        "expected one",
    ),
    "a machine type of AWS": (
        {"node_pools/general/instance_types": ["m7i.large"]},
        "node_pools.general.instance_types[0]",
        "such as n2-standard-8",
    ),
    "a GPU machine for a CPU pool": (
        {"node_pools/general/instance_types": ["g2-standard-4"]},
        "node_pools.general.instance_types[0]",
        "has L4 cards",
    ),
    "min above max": ({"node_pools/general/min": 9}, "node_pools.general.min", "at most max"),
    "an administrator by an arn": (
        {"cluster/admins": ["arn:aws:iam::111122223333:role/x"]},
        "cluster.admins[0]",
        "user:, serviceAccount: or group:",
    ),
    "a runner": (
        {"runner": {"deployer_role_arn": "arn:aws:iam::111122223333:role/x"}},
        "runner.deployer_role_arn",
        "not supported on Google Cloud",
    ),
    "a runner that is switched on": (
        {"runner": {"enabled": True}},
        "runner.enabled",
        "cluster.api_access.mode: dns",
    ),
    "a mirror that is no registry": (
        {"images": {"mirrors": {"quay.io": "https://europe-docker.pkg.dev/acme/quay"}}},
        "images.mirrors",
        "without scheme and tag",
    ),
    "no way to a registry": (
        {
            "network/nat": "none",
            "images": {
                "mirrors": {
                    "ghcr.io": "us-central1-docker.pkg.dev/acme/ghcr",
                    "registry.k8s.io": "us-central1-docker.pkg.dev/acme/k8s",
                }
            },
            "observability": None,
        },
        "images.mirrors",
        "as nat is 'none'; expected a remote repository of Artifact Registry, such as "
        "{quay.io: us-central1-docker.pkg.dev/acme-ml-dev/acme-dev-quay}",
    ),
}
"""The change, the key that is reported, a part of the reason."""


@pytest.mark.parametrize("case", CASES)
def test_mistake_is_one_problem_with_its_line_its_key_and_what_would_be_right(
    tmp_path: Path, case: str
) -> None:
    change, key, right = CASES[case]
    (problem,) = problems(tmp_path, change)
    assert re.search(r"Pulumi\.gcp-dev\.yaml:\d+: ", problem), "the reader's editor wants the line"
    assert f": {key}: " in problem, "the reader needs the key"
    assert right in problem, "the reader needs to know what would be right"


def test_names_that_are_too_long_together_are_one_problem(tmp_path: Path) -> None:
    change = {"environment/org": "acme-corporation", "environment/name": "development-west"}
    (problem,) = problems(tmp_path, change)
    assert "a service account's id, which may have 30" in problem, "the tightest limit of all names"


def test_options_of_google_cloud_are_refused_in_a_file_of_aws(tmp_path: Path) -> None:
    change: Change = {
        "network/gcp/nodes": 3,
        "network/gcp/pods_per_node": 64,
        "network/gcp/google_apis": "private",
        "cluster/gke/release_channel": "regular",
        "cluster/gke/control_plane": "zonal",
        "cluster/gke/maintenance_window": {"start": "03:00"},
        "cluster/gke/gateway_api": True,
        "gpu_pools/t4/topology": "2x2",
        "gpu_pools/t4/gpudirect": True,
    }
    reported = problems(tmp_path, change, "aws-dev")
    assert len(reported) == len(change)
    for key in change:
        [problem] = [problem for problem in reported if f": {key.replace('/', '.')}: got" in problem]
        assert "which AWS does not support: " in problem, "and the reason, and what to do instead"


def test_runner_that_is_switched_off_is_accepted(tmp_path: Path) -> None:
    assert not load_file(changed(tmp_path, {"runner": {"enabled": False}})).has_runner


def test_invalid_tag_is_reported_of_the_environment_only(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, {"environment/owner": "a,b"}, "aws-dev")
    assert "environment.owner: got 'a,b'; expected a value" in problem
