"""Quotas of a project of Google Cloud."""

from __future__ import annotations

from typing import Any

import pytest

from cli.clients.gcp import ApiError
from cli.estimate.resources import Resource
from cli.preflight.gcp import machines, quotas
from cli.preflight.results import Result
from tests.cli.estimate.samples import resource
from tests.cli.preflight import fakes
from tests.cli.preflight.fakes import PROJECT, Google, named

REGION = f"compute projects/{PROJECT}/regions/us-central1"
ZONES = ("us-central1-a", "us-central1-b")
CPUS = {"e2-standard-4": 4, "n1-standard-4": 4, "a3-highgpu-8g": 208, "n2-standard-8": 8, "c4-standard-8": 8}
INFO = f"cloudquotas projects/{PROJECT}/locations/global/services/compute.googleapis.com/quotaInfos"


def project(everywhere: dict[str, float] | None = None, **region: float | tuple[float, float]) -> Google:
    """Return a project with these limits, or pairs of limit and use, of the region and of all regions."""

    def entries(values: Any) -> dict[str, Any]:
        pairs = {name: value if isinstance(value, tuple) else (value, 0) for name, value in values.items()}
        return {
            "quotas": [
                {"metric": name, "limit": limit, "usage": used} for name, (limit, used) in pairs.items()
            ]
        }

    types = {
        f"compute projects/{PROJECT}/zones/{zone}/machineTypes/{name}": {"guestCpus": count}
        for zone in ZONES
        for name, count in CPUS.items()
    }
    return Google(
        {REGION: entries(region), f"compute projects/{PROJECT}": entries(everywhere or {}), **types}
    )


def pool(name: str, machine: str, most: int = 4, least: int = 0, **node: Any) -> Resource:
    inputs: dict[str, Any] = {
        "autoscaling": {"totalMinNodeCount": least, "totalMaxNodeCount": most},
        "initialNodeCount": least,
        "nodeLocations": list(ZONES),
        "nodeConfig": {
            "machineType": machine,
            "diskType": "pd-balanced",
            "diskSizeGb": 50,
            "labels": {
                "ai-platform/pool": name,
                "ai-platform/capacity": "spot" if node.get("spot") else "on_demand",
            },
            **node,
        },
    }
    return resource("gcp:container/nodePool:NodePool", name, **inputs)


def checked(client: Google, *resources: Resource) -> dict[str, Result]:
    """Return quota -> result."""
    of = fakes.scope(client, *resources, cloud="gcp")
    return {result.subject.rpartition("(")[2].rstrip(")"): result for result in quotas.check(of)}


def test_nodes_count_by_family_with_disks_and_instances() -> None:
    client = project({"CPUS_ALL_REGIONS": 12}, CPUS=24, SSD_TOTAL_GB=150, INSTANCES=100, N2_CPUS=8)
    results = checked(client, pool("general", "e2-standard-4", 4), pool("large", "n2-standard-8", 1))
    assert results["CPUS"].reason == "limit 24, 0 in use, 0 needed at minimum, 16 at maximum"
    assert results["N2_CPUS"].state == "ok"
    assert results["INSTANCES"].reason.endswith("5 at maximum")
    assert results["CPUS_ALL_REGIONS"].reason.endswith("24 needed at maximum: general 16, large 8")
    ssd = results["SSD_TOTAL_GB"]
    assert (ssd.state, ssd.blocks) == ("problem", False)
    assert ssd.repair == (
        "gcloud quotas preferences create --service=compute.googleapis.com --project=acme-ml-dev "
        "--quota-id=SSD-TOTAL-GB-per-project-region --dimensions=region=us-central1 --preferred-value=250; "
        "or https://console.cloud.google.com/iam-admin/quotas?project=acme-ml-dev"
    )
    everywhere = results["CPUS_ALL_REGIONS"].repair
    assert "--quota-id=CPUS-ALL-REGIONS-per-project --preferred-value=24" in everywhere


def test_first_nodes_of_each_zone_have_to_fit() -> None:
    results = checked(project(CPUS=(10, 4)), pool("system", "e2-standard-4", 4, 1))
    assert results["CPUS"].blocks
    assert results["CPUS"].reason == "limit 10, 4 in use, 12 needed at minimum: system 8"


def test_spot_counts_against_the_standard_quota_where_there_is_no_other() -> None:
    card = [{"type": "nvidia-tesla-t4", "count": 1}]
    t4 = pool("t4-spot", "n1-standard-4", 4, spot=True, guestAccelerators=card)
    results = checked(project({"GPUS_ALL_REGIONS": 0}, CPUS=16, NVIDIA_T4_GPUS=2, PREEMPTIBLE_CPUS=0), t4)
    assert results["CPUS"].state == "ok"
    assert results["NVIDIA_T4_GPUS"].is_problem
    assert "GPUS_ALL_REGIONS" not in results, "it counts GPUs on demand"
    separate = project(CPUS=0, PREEMPTIBLE_CPUS=16, PREEMPTIBLE_NVIDIA_T4_GPUS=4, NVIDIA_T4_GPUS=0)
    results = checked(separate, t4)
    assert {results[name].state for name in ("PREEMPTIBLE_CPUS", "PREEMPTIBLE_NVIDIA_T4_GPUS")} == {"ok"}


def h100(**more: Any) -> Resource:
    card = [{"type": "nvidia-h100-80gb", "count": 8}]
    return pool("h100", "a3-highgpu-8g", 2, guestAccelerators=card, diskType="hyperdisk-balanced", **more)


def test_new_gpus_are_counted_by_family_in_the_cloud_quotas_api() -> None:
    client = project({"GPUS_ALL_REGIONS": 16})
    entries: list[Any] = [
        {"dimensions": {"region": "us-central1", "gpu_family": "NVIDIA_H100"}, "details": {"value": "8"}},
        {"dimensions": {"gpu_family": "NVIDIA_H100"}, "details": {"value": "64"}},
        {"dimensions": {"region": "us-east1", "gpu_family": "NVIDIA_H100"}, "details": {"value": "99"}},
        {"details": {"value": "0"}, "applicableLocations": ["us-central1"]},
    ]
    quota = "GPUS-PER-GPU-FAMILY-per-project-region"
    client.answers[f"{INFO}/{quota}"] = {"dimensionsInfos": entries}
    results = checked(client, h100())
    (result,) = [result for name, result in results.items() if name.startswith(quota)]
    assert result.reason == "limit 8, an unknown number in use, 16 needed at maximum: h100 16"
    assert "--dimensions=region=us-central1,gpu_family=NVIDIA_H100" in result.repair
    assert results["GPUS_ALL_REGIONS"].state == "ok"


def test_cloud_quotas_that_are_switched_off_are_not_checked() -> None:
    client = project()
    quota = "CPUS-PER-VM-FAMILY-per-project-region"
    client.answers[f"{INFO}/{quota}"] = ApiError(403, "off", is_off=True)
    result = checked(client, pool("c4", "c4-standard-8"))[
        "CPUS-PER-VM-FAMILY-per-project-region[vm_family=C4]"
    ]
    assert result.state == "not checked"
    assert "gcloud services enable cloudquotas.googleapis.com --project acme-ml-dev" in result.reason


def test_compute_that_is_switched_off_is_not_checked() -> None:
    client = Google({REGION: ApiError(403, "off", is_off=True)})
    (result,) = checked(client, pool("general", "e2-standard-4")).values()
    assert (result.state, result.repair) == (
        "not checked",
        "gcloud services enable compute.googleapis.com --project acme-ml-dev",
    )


def test_reserved_nodes_are_left_out_and_networks_are_counted() -> None:
    reserved = h100(labels={"ai-platform/capacity": "reserved", "ai-platform/pool": "h100"})
    address = named("gcp:compute/address:Address", "nat")
    internal = named("gcp:compute/address:Address", "inner", addressType="INTERNAL")
    client = project({"NETWORKS": 0}, STATIC_ADDRESSES=1, IN_USE_ADDRESSES=8)
    network = named("gcp:compute/network:Network", "acme")
    results = checked(client, reserved, address, internal, network)
    assert {name: result.state for name, result in results.items()} == {
        "NETWORKS": "problem",
        "STATIC_ADDRESSES": "ok",
        "IN_USE_ADDRESSES": "ok",
    }


def test_metrics_are_those_of_the_discovery_document() -> None:
    from twin.gcp.api_server import discovery

    document = discovery.document("compute", "v1")
    assert document is not None
    known = set(document.schemas["Quota"]["properties"]["metric"]["enum"])
    separate = {f"{family.upper()}_CPUS" for family in ("a2", "c2", "c3", "n2", "t2d")}
    assert {*machines.CARDS.values(), machines.ALL_GPUS, machines.ALL_CPUS, *separate} <= known
    assert {f"PREEMPTIBLE_{metric}" for metric in machines.CARDS.values()} <= known


@pytest.mark.parametrize(
    ("family", "metric"), [("g2", None), ("a3", None), ("e2", "CPUS"), ("c3", "C3_CPUS")]
)
def test_vcpus_of_families_with_gpus_have_no_quota(family: str, metric: str | None) -> None:
    limits = {"INSTANCES": 10.0} | ({metric: 100.0} if metric else {})
    client = project(None, **limits)
    machine = f"{family}-standard-8"
    for zone in ZONES:
        client.answers[f"compute projects/{PROJECT}/zones/{zone}/machineTypes/{machine}"] = {"guestCpus": 8}
    results = checked(client, pool("a", machine))
    assert [name for name in results if name.endswith("CPUS")] == ([metric] if metric else [])
