"""Kueue's objects: properties of every plan, and what single arguments become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aiplatform._shared.args import read
from aiplatform.queues import amounts, plan
from aiplatform.queues.args import QueuesSettings
from aiplatform.queues.plan import Object
from tests.components.aiplatform.queues import example

MOST_POOLS = 3


def of_kind(settings: QueuesSettings, kind: str) -> dict[str, Object]:
    return {item.name: item for item in plan.objects(settings) if item.kind == kind}


def spec(settings: QueuesSettings, kind: str, name: str) -> Mapping[str, Any]:
    return of_kind(settings, kind)[name].spec


def flavors(owner: Object) -> dict[str, dict[str, Mapping[str, str]]]:
    """Flavor -> resource -> its quota, of a ClusterQueue or a Cohort."""
    return {
        flavor["name"]: {entry["name"]: entry for entry in flavor["resources"]}
        for group in owner.spec.get("resourceGroups", [])
        for flavor in group["flavors"]
    }


def amount(text: str) -> int:
    """The amount that `written` wrote, in thousandths or MiB."""
    for suffix, factor in (("Mi", 1), ("Gi", 2**10), ("Ti", 2**20), ("Pi", 2**30)):
        if text.endswith(suffix):
            return int(text.removesuffix(suffix)) * factor
    for suffix, factor in (("m", 1), ("k", 1_000_000), ("M", 1_000_000_000)):
        if text.endswith(suffix):
            return int(text.removesuffix(suffix)) * factor
    return int(text) * 1000


@st.composite
def environments(draw: st.DrawFn) -> QueuesSettings:
    """Pools, a tree of cohorts, and queues whose quotas add up to at most the pools."""
    gpu = [
        example.gpu_pool(
            name=f"gpu-{index}",
            resources_per_node=draw(st.sampled_from([1, 3, 8, 28])),
            max_nodes=draw(st.integers(1, 9)),
            min_nodes=0,
            vcpus_per_node=draw(st.integers(4, 200)),
            memory_gib_per_node=draw(st.sampled_from([15.0, 16.0, 93.75, 2048.0])),
        )
        for index in range(draw(st.integers(1, MOST_POOLS)))
    ]
    cohorts: list[dict[str, Any]] = []
    for index in range(draw(st.integers(0, 3))):
        parent = draw(st.sampled_from([None, *(cohort["name"] for cohort in cohorts)]))
        cohorts.append({"name": f"cohort-{index}", "parent": parent})
    left = {pool["name"]: pool["max_nodes"] * pool["resources_per_node"] for pool in gpu}
    queues: list[dict[str, Any]] = []
    for index in range(draw(st.integers(1, 4))):
        cohort = draw(st.sampled_from([None, *(cohort["name"] for cohort in cohorts)]))
        quotas: list[dict[str, Any]] = []
        for name in draw(st.lists(st.sampled_from(sorted(left)), min_size=1, unique=True)):
            accelerators = draw(st.integers(0, left[name]))
            left[name] -= accelerators
            quotas.append({"pool": name, "accelerators": accelerators})
            if cohort is not None and draw(st.booleans()):
                quotas[-1]["borrow"] = draw(st.integers(0, 50))
            if cohort is not None and draw(st.booleans()):
                quotas[-1]["lend"] = draw(st.integers(0, accelerators))
        if draw(st.booleans()):
            quotas.append({"pool": "general", "cpu": draw(st.integers(0, 10))})
        queues.append({"name": f"queue-{index}", "cohort": cohort, "quotas": quotas})
    arguments = {
        "node_pools": [example.cpu_pool()],
        "gpu_pools": gpu,
        "cohorts": draw(st.permutations(cohorts)),
        "queues": queues,
    }
    return read(QueuesSettings, arguments, "QueuesArgs")


def owners(settings: QueuesSettings) -> Sequence[Object]:
    return [item for item in plan.objects(settings) if item.kind in ("ClusterQueue", "Cohort")]


@given(environments())
def test_quotas_never_exceed_what_the_pools_can_have(settings: QueuesSettings) -> None:
    total: dict[tuple[str, str], int] = {}
    for owner in owners(settings):
        for flavor, resources in flavors(owner).items():
            for resource, quota in resources.items():
                key = (flavor, resource)
                total[key] = total.get(key, 0) + amount(quota["nominalQuota"])
    for pool in settings.pools:
        nodes = int(pool.max_nodes)  # type: ignore[call-overload]
        for resource, per_node in amounts.per_node(pool).items():
            one = 1 if resource in ("cpu", "memory") else 1000
            assert total.get((pool.name, resource), 0) <= per_node * one * nodes, (
                "a workload is admitted that no node has room for"
            )


@given(environments())
def test_every_pool_has_exactly_one_flavor_and_every_flavor_a_pool(settings: QueuesSettings) -> None:
    names = [item.name for item in plan.objects(settings) if item.kind == "ResourceFlavor"]
    assert sorted(names) == sorted(pool.name for pool in settings.pools)
    selectors = [
        tuple(sorted(item.spec["nodeLabels"].items()))
        for item in of_kind(settings, "ResourceFlavor").values()
    ]
    assert len(set(selectors)) == len(selectors), "a node belongs to one flavor"


@given(environments())
def test_a_flavor_has_the_covered_resources_in_their_order(settings: QueuesSettings) -> None:
    for owner in owners(settings):
        for group in owner.spec.get("resourceGroups", []):
            for flavor in group["flavors"]:
                names = [resource["name"] for resource in flavor["resources"]]
                assert names == group["coveredResources"], "Kueue refuses any other"


@given(environments())
def test_no_queue_lends_more_than_its_quota_and_limits_need_a_cohort(settings: QueuesSettings) -> None:
    for owner in owners(settings):
        for resources in flavors(owner).values():
            for quota in resources.values():
                if "lendingLimit" in quota:
                    assert amount(quota["lendingLimit"]) <= amount(quota["nominalQuota"])
                if "cohortName" not in owner.spec and "parentName" not in owner.spec:
                    assert not quota.keys() & {"borrowingLimit", "lendingLimit"}, "Kueue refuses them"


@given(environments())
def test_what_an_object_needs_comes_before_it(settings: QueuesSettings) -> None:
    before: set[str] = set()
    for item in plan.objects(settings):
        assert set(item.needs) <= before
        assert item.key not in before, "logical names are distinct"
        before.add(item.key)


def test_a_flavor_selects_the_nodes_of_its_pool_and_tolerates_their_taints() -> None:
    flavor = spec(example.settings(), "ResourceFlavor", "training")
    assert flavor == {
        "nodeLabels": {"ai-platform/pool": "training"},
        "tolerations": [
            {"key": "nvidia.com/gpu", "operator": "Equal", "value": "true", "effect": "NoSchedule"}
        ],
    }


def test_a_taint_without_a_value_becomes_a_toleration_without_one() -> None:
    taints = [{"key": "example.com/batch", "effect": "NoSchedule"}]
    flavor = spec(example.settings(gpu_pools=[example.gpu_pool(taints=taints)]), "ResourceFlavor", "training")
    expected = {"key": "example.com/batch", "operator": "Equal", "effect": "NoSchedule"}
    assert flavor["tolerations"] == [expected], "with an empty one Kueue could never delete the flavor"


def test_cpu_pools_come_first_whatever_the_order_of_the_quotas() -> None:
    queue = of_kind(example.settings(), "ClusterQueue")["vision"]
    assert list(flavors(queue)) == ["general", "training"], (
        "else work without accelerators occupies nodes that have some"
    )
    assert flavors(queue)["general"]["nvidia.com/gpu"] == {"name": "nvidia.com/gpu", "nominalQuota": "0"}


def test_a_queue_admits_only_its_namespaces_and_only_managed_ones() -> None:
    queues = of_kind(
        example.settings(
            queues=[
                example.queue(
                    "all",
                    {"pool": "training", "accelerators": 8},
                    namespaces=["serving"],
                    local_queues=[{"namespace": "vision"}, {"namespace": "vision", "name": "large"}],
                ),
                example.queue("any", {"pool": "training", "accelerators": 8}),
            ]
        ),
        "ClusterQueue",
    )
    managed = {"kueue.x-k8s.io/managed-namespace": "true"}
    names = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["serving", "vision"]}
    assert queues["all"].spec["namespaceSelector"] == {"matchLabels": managed, "matchExpressions": [names]}
    assert queues["any"].spec["namespaceSelector"] == {"matchLabels": managed}


def test_the_default_local_queue_is_the_one_of_workloads_without_a_label() -> None:
    local = of_kind(example.settings(), "LocalQueue")["default"]
    assert local.namespace in ("vision", "language")
    assert local.spec in ({"clusterQueue": "vision"}, {"clusterQueue": "language"})


def test_borrowing_and_lending_limits_cover_cpu_and_memory_too() -> None:
    quota = {"pool": "training", "accelerators": 16, "borrow": 8, "lend": 0}
    queues = [example.queue("vision", quota, cohort="research")]
    resources = flavors(of_kind(example.settings(queues=queues), "ClusterQueue")["vision"])["training"]
    assert resources["nvidia.com/gpu"]["borrowingLimit"] == "8"
    assert {entry["lendingLimit"] for entry in resources.values()} == {"0"}
    assert amount(resources["cpu"]["borrowingLimit"]) * 2 == amount(resources["cpu"]["nominalQuota"])


def test_a_topology_ends_with_the_host_and_is_shared_by_its_pools() -> None:
    settings = example.settings(
        gpu_pools=[example.gpu_pool(), example.gpu_pool(name="more")],
        topologies={"training": "network", "more": "network"},
    )
    (topology,) = of_kind(settings, "Topology").values()
    levels = [level["nodeLabel"] for level in topology.spec["levels"]]
    assert levels == [*example.EKS_LEVELS, "kubernetes.io/hostname"]
    assert "topology.k8s.aws/network-node-layer-4" not in levels, "nodes without the label would be hidden"
    for pool in ("training", "more"):
        assert spec(settings, "ResourceFlavor", pool)["topologyName"] == topology.name


def test_a_topology_of_hosts_has_one_level() -> None:
    pool = example.cpu_pool(min_nodes=10)
    settings = example.settings(node_pools=[pool], topologies={"general": "host"})
    levels = spec(settings, "Topology", "ai-platform-host")["levels"]
    assert levels == [{"nodeLabel": "kubernetes.io/hostname"}]


def test_queued_capacity_is_requested_before_a_workload_is_admitted() -> None:
    settings = example.settings(
        gpu_pools=[example.queued_pool(), example.gpu_pool()],
        queues=[
            example.queue(
                "vision",
                {"pool": "queued", "accelerators": 8},
                {"pool": "training", "accelerators": 8},
            )
        ],
    )
    assert spec(settings, "ProvisioningRequestConfig", "queued-provisioning") == {
        "provisioningClassName": "queued-provisioning.gke.io",
        "managedResources": ["nvidia.com/gpu"],
    }
    assert spec(settings, "AdmissionCheck", "queued-provisioning")["controllerName"] == (
        "kueue.x-k8s.io/provisioning-request"
    )
    strategy = spec(settings, "ClusterQueue", "vision")["admissionChecksStrategy"]
    assert strategy == {"admissionChecks": [{"name": "queued-provisioning", "onFlavors": ["queued"]}]}, (
        "a workload on other pools does not wait for nodes"
    )
    taints = {entry["key"] for entry in spec(settings, "ResourceFlavor", "queued")["tolerations"]}
    assert taints == {"nvidia.com/gpu", "cloud.google.com/gke-queued"}


def test_queued_tpus_are_requested_by_their_topology() -> None:
    slice_ = example.queued_pool(
        resource="google.com/tpu",
        node_selector={"ai-platform/pool": "queued", "cloud.google.com/gke-tpu-topology": "4x4"},
    )
    settings = example.settings(gpu_pools=[slice_], queues=[])
    config = spec(settings, "ProvisioningRequestConfig", "queued-provisioning")
    assert config["parameters"] == {"tpu-topology": "4x4"}
    assert config["managedResources"] == ["google.com/tpu"]


def test_a_queue_without_a_stop_policy_states_none() -> None:
    quota = {"pool": "training", "accelerators": 8}
    stopped = example.queue("stopped", quota, stop_policy="Hold")
    queues = example.settings(queues=[example.queue("vision", quota), stopped])
    assert spec(queues, "ClusterQueue", "stopped")["stopPolicy"] == "Hold"
    # So that an update does not conflict with a drain that owns the field meanwhile.
    assert "stopPolicy" not in spec(queues, "ClusterQueue", "vision")


def test_serving_comes_before_all_training_by_default() -> None:
    values = {
        name: item.body["value"]
        for name, item in of_kind(example.settings(), "WorkloadPriorityClass").items()
    }
    assert values["serving"] > max(value for name, value in values.items() if name != "serving")
    assert values["best-effort"] < 0, "below work without a class"


def test_fair_sharing_has_weights_and_without_it_none() -> None:
    quota = {"pool": "training", "accelerators": 8}
    queues = [example.queue("vision", quota, cohort="research", weight=2.5)]
    shared = example.settings(queues=queues)
    assert spec(shared, "ClusterQueue", "vision")["fairSharing"] == {"weight": "2500m"}
    assert spec(shared, "Cohort", "research")["fairSharing"] == {"weight": "1"}
    plain = example.settings(fair_sharing=False)
    assert "fairSharing" not in spec(plain, "ClusterQueue", "vision")


def test_a_parent_is_created_before_its_children() -> None:
    cohorts = [{"name": "a", "parent": "b"}, {"name": "b", "parent": "c"}, {"name": "c"}]
    names = list(of_kind(example.settings(cohorts=cohorts, queues=[]), "Cohort"))
    assert names == ["c", "b", "a"]
