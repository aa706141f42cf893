"""The values of the charts against the charts' own values and schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

import jsonschema
import pytest

from aiplatform._shared.cloud_support import Cloud
from aiplatform._shared.images import mirrored
from aiplatform.addons.catalog import catalog
from aiplatform.addons.pods_ready import PodsReady
from aiplatform.addons.values import VALUES, envoy_gateway, kueue
from aiplatform.addons.values.setup import Setup
from aiplatform.cluster.aws.addons import SYSTEM_TAINT as EKS_TAINT
from aiplatform.cluster.gcp.nodes import SYSTEM_TAINT as GKE_TAINT
from tests.components.aiplatform.addons import chart_facts

SETUPS = [
    Setup(cluster="acme-dev", region="eu-central-1", vpc_id="vpc-1", dns_zones=["Z1", "Z2"]),
    Setup(
        replicas=2,
        mirrors={"quay.io": "mirror.example/quay"},
        cloud="gcp",
        cluster="acme-prod",
        project="acme-ml-prod",
        dns_zones=["acme-zone"],
    ),
]
CASES = [(name, setup) for name in sorted(VALUES) for setup in SETUPS]
IDS = [f"{name}-{setup.replicas}" for name, setup in CASES]
ON_NODES = {"dcgm-exporter", "dra-driver-nvidia-gpu", "gpu-operator"}
"""Add-ons with Pods on nodes with GPUs, whatever their taints."""
LIMITED = {"kserve": {"cpu": "1"}}
"""Add-on -> limits in place of lower ones of its chart, which Helm would keep."""
FREE = {"resources", "podSecurityContext", "securityContext"}
"""Objects whose keys are the user's: charts list none or some of them."""
PASSED_ON = {"envoy-gateway": "config.envoyGateway."}
"""Add-on -> the first part of values that its chart passes on to the program as they are."""


def unknown(values: Mapping[str, Any], defaults: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of values that a chart does not have."""
    for key, value in values.items():
        here = f"{path}.{key}" if path else key
        if not isinstance(defaults, Mapping) or key not in defaults:
            yield here
        elif isinstance(value, Mapping) and key not in FREE and defaults[key]:
            yield from unknown(cast("Mapping[str, Any]", value), defaults[key], here)


def merged(defaults: Any, values: Any) -> Any:
    """Return a chart's values with ours over them, as Helm merges them."""
    if not isinstance(values, Mapping) or not isinstance(defaults, Mapping):
        return values
    return {**defaults, **{key: merged(defaults.get(key), value) for key, value in values.items()}}


def test_every_chart_that_runs_something_has_values() -> None:
    running = {
        name for name, addon in catalog().items() if addon.images and addon.installed_by != "Observability"
    }
    assert set(VALUES) == running


@pytest.mark.parametrize(("name", "setup"), CASES, ids=IDS)
def test_the_chart_has_every_value(name: str, setup: Setup) -> None:
    path = chart_facts.folder(name, catalog()[name].file_name)
    defaults, schema = chart_facts.default_values(path), chart_facts.schema(path)
    values = VALUES[name](setup)
    left = [
        key
        for key in unknown(values, defaults)
        if not _in_schema(key, schema) and not chart_facts.is_commented_out(path, key)
        if not key.startswith(PASSED_ON.get(name, " "))
    ]
    assert left == [], "Helm ignores a value that the chart does not have"


@pytest.mark.parametrize(("name", "setup"), CASES, ids=IDS)
def test_the_values_fit_the_schema_of_the_chart(name: str, setup: Setup) -> None:
    path = chart_facts.folder(name, catalog()[name].file_name)
    schema = chart_facts.schema(path)
    if schema is None:
        pytest.skip("the chart has no schema")
    jsonschema.validate(merged(chart_facts.default_values(path), VALUES[name](setup)), schema)


@pytest.mark.parametrize(("name", "setup"), CASES, ids=IDS)
def test_every_image_is_at_its_mirror_and_has_a_digest_where_one_is_known(name: str, setup: Setup) -> None:
    text = json.dumps(VALUES[name](setup))
    for image in catalog()[name].all_images():
        repository = mirrored(image.repository, setup.mirrors)
        # Some charts take the first or the last part of it as another value.
        parts = (repository.rpartition("/"), repository.partition("/"))
        assert repository in text or any(
            f'"{first}"' in text and f'"{last}"' in text for first, _, last in parts
        )
        assert image.version.removeprefix(":") in text


@pytest.mark.parametrize(("name", "setup"), CASES, ids=IDS)
def test_every_controller_may_run_on_system_nodes_and_states_what_it_needs(name: str, setup: Setup) -> None:
    values = VALUES[name](setup)
    parts = [part for part in _objects(values) if "tolerations" in part]
    assert parts, "without the toleration its Pods stay pending"
    for part in parts:
        if part["tolerations"] == [{"operator": "Exists"}]:
            assert name in ON_NODES, "a controller that tolerates every taint may run on any node"
        else:
            assert {toleration["key"] for toleration in part["tolerations"]} == {EKS_TAINT, GKE_TAINT}
    for resources in (part["resources"] for part in _objects(values) if "resources" in part):
        if "limits" in resources:
            limits = {**resources["limits"]}
            assert limits.pop("memory") == resources["requests"]["memory"]
            assert limits == LIMITED.get(name, {}) or limits == {}


@pytest.mark.parametrize("name", sorted(VALUES))
def test_a_single_pod_has_no_disruption_budget(name: str) -> None:
    for replicas, expected in ((1, {False}), (2, {True})):
        budgets = [
            part["podDisruptionBudget"]
            for part in _objects(VALUES[name](Setup(replicas=replicas)))
            if "podDisruptionBudget" in part
        ]
        # The load balancer controller's chart has no key for it: it looks at the number of Pods itself.
        enabled = {budget.get("enabled", replicas > 1) for budget in budgets}
        assert enabled <= expected, "a drain of its node would never end"


def test_kueue_selects_namespaces_by_label() -> None:
    text = kueue.values(Setup())["managerConfig"]["controllerManagerConfigYaml"]
    selector = json.loads(text)["managedJobsNamespaceSelector"]
    assert selector == {"matchLabels": {"kueue.x-k8s.io/managed-namespace": "true"}}, (
        "by exclusion a Kueue that does not run stops every Deployment of every other namespace"
    )


def _kueue(setup: Setup | None = None) -> dict[str, Any]:
    return json.loads(kueue.values(setup or Setup())["managerConfig"]["controllerManagerConfigYaml"])


def test_kueue_manages_every_kind_that_the_platform_runs() -> None:
    frameworks = set(_kueue()["integrations"]["frameworks"])
    assert {
        "batch/job",
        "jobset.x-k8s.io/jobset",
        "trainer.kubeflow.org/trainjob",
        "leaderworkerset.x-k8s.io/leaderworkerset",
        "deployment",
        "statefulset",
        "pod",
    } <= frameworks
    assert _kueue()["manageJobsWithoutQueueName"] is True, "work without a label would run past the quota"


def test_kueue_knows_kinds_of_ray_only_where_its_operator_is_installed() -> None:
    known = [name for name in _kueue()["integrations"]["frameworks"] if name.startswith("ray.io/")]
    assert known == [], "it would look for definitions that the cluster does not have"
    text = kueue.values(Setup(ray=True))["managerConfig"]["controllerManagerConfigYaml"]
    assert set(kueue.RAY) <= set(json.loads(text)["integrations"]["frameworks"])


def test_kueue_shares_fairly_in_an_order_that_it_accepts() -> None:
    strategies = _kueue()["fairSharing"]["preemptionStrategies"]
    assert strategies == ["LessThanOrEqualToFinalShare", "LessThanInitialShare"]


@pytest.mark.parametrize(
    ("pods_ready", "recovery", "limit"),
    [
        (PodsReady(), "30m", None),
        (PodsReady(timeout_minutes=60, recovery_minutes=15, attempts=10), "15m", 10),
        (PodsReady(recovery_minutes=0), "0s", None),
    ],
)
def test_kueue_gives_workloads_the_stated_time_to_start(
    pods_ready: PodsReady, recovery: str, limit: int | None
) -> None:
    wait = _kueue(Setup(pods_ready=pods_ready))["waitForPodsReady"]
    assert wait["timeout"] == f"{pods_ready.timeout_minutes}m"
    assert wait["recoveryTimeout"] == recovery, "0s switches it off; absent it would be the timeout"
    assert wait["requeuingStrategy"].get("backoffLimitCount") == limit
    assert wait["blockAdmission"] is False, "one large job on new nodes would stop all queues"


def test_resources_that_belong_to_accelerators_need_no_quota() -> None:
    prefixes = _kueue()["resources"]["excludeResourcePrefixes"]
    for resource in (
        "vpc.amazonaws.com/efa",
        "networking.gke.io.networks/rdma-0",
        "networking.gke.io.networks/rdma-0.IP",
        "hugepages-2Mi",
        "ephemeral-storage",
    ):
        assert resource.startswith(tuple(prefixes)), resource
    for resource in (
        "nvidia.com/gpu",
        "aws.amazon.com/neuron",
        "aws.amazon.com/neuroncore",
        "google.com/tpu",
    ):
        assert not resource.startswith(tuple(prefixes)), "it would be used past the quota"


def test_external_dns_manages_the_listed_zones_alone() -> None:
    for setup, provider, more in zip(
        SETUPS, ("aws", "google"), ({}, {"google-project": "acme-ml-prod"}), strict=True
    ):
        values = VALUES["external-dns"](setup)
        assert values["provider"] == {"name": provider}
        assert values["extraArgs"] == {
            "zone-id-filter": list(setup.dns_zones),
            "service-type-filter": ["LoadBalancer"],
            **more,
        }, "no headless Service of a team names its Pods in the zones"
        assert values["txtOwnerId"] == setup.cluster, (
            "it distinguishes the records of clusters that share a zone"
        )


@pytest.mark.parametrize(("cloud", "may"), [("aws", False), ("gcp", True)])
def test_external_secrets_requests_tokens_of_service_accounts_where_stores_name_one(
    cloud: Cloud, may: bool
) -> None:
    assert VALUES["external-secrets"](Setup(cloud=cloud))["rbac"]["serviceAccountTokenCreate"] is may


def test_annotations_alone_make_no_service_a_load_balancer() -> None:
    gates = VALUES["aws-load-balancer-controller"](SETUPS[0])["controllerConfig"]["featureGates"]
    assert gates == {"ServiceTypeLoadBalancerOnly": True}, "quotas count Services of this type only"


def test_karpenter_replaces_nodes_with_failed_accelerators() -> None:
    settings = VALUES["karpenter"](SETUPS[0])["settings"]
    assert settings["featureGates"] == {"nodeRepair": True}, "node groups do it, too"


def test_karpenter_knows_its_region_without_the_metadata_service() -> None:
    assert VALUES["karpenter"](SETUPS[0])["controller"]["env"] == [
        {"name": "AWS_REGION", "value": "eu-central-1"}
    ], "a Pod that started before its association would wait for the service, and fail without a reason"


def test_the_load_balancer_controller_has_the_same_certificate_at_every_preview() -> None:
    values = VALUES["aws-load-balancer-controller"](SETUPS[0])
    assert values["enableCertManager"], "the chart would generate another one at each rendering"
    assert "cert-manager" in catalog()["aws-load-balancer-controller"].requires


def test_no_service_depends_on_the_load_balancer_controllers_webhook() -> None:
    assert VALUES["aws-load-balancer-controller"](SETUPS[0])["enableServiceMutatorWebhook"] is False


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield cast("Mapping[str, Any]", value)
        for part in cast("Mapping[str, Any]", value).values():
            yield from _objects(part)


def _in_schema(path: str, root: Any) -> bool:
    """Return whether a schema has a value that values.yaml only mentions in a comment."""
    node = _resolved(root, root)
    for key in path.split("."):
        properties = node.get("properties") or {}
        if key not in properties:
            return False
        node = _resolved(properties[key], root)
    return True


def _resolved(node: Any, root: Any) -> Mapping[str, Any]:
    while node and "$ref" in node:
        node = root["$defs"][node["$ref"].removeprefix("#/$defs/")]
    return node or {}


def test_envoy_gateway_has_no_webhook_whose_certificate_a_hook_would_write() -> None:
    values = VALUES["envoy-gateway"](Setup())
    assert values["topologyInjector"] == {"enabled": False}
    kubernetes = values["config"]["envoyGateway"]["provider"]["kubernetes"]
    assert kubernetes["proxyTopologyInjector"] == {"disabled": True}, (
        "the chart's own setting is at the top of the configuration, where the controller does not read it"
    )


def test_the_kinds_of_envoy_gateway_are_those_of_one_chart_and_those_of_routes_of_another() -> None:
    addon = catalog()["envoy-gateway-crds"]
    path = chart_facts.folder(addon.name, addon.file_name)
    assert list(unknown(envoy_gateway.DEFINITIONS, chart_facts.default_values(path))) == []
    assert VALUES["envoy-gateway"](Setup())["crds"] == {"enabled": False}
    kinds = envoy_gateway.DEFINITIONS["crds"]
    assert kinds == {"gatewayAPI": {"enabled": False}, "envoyGateway": {"enabled": True}}
