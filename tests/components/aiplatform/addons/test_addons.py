"""The component Addons: what it installs, what it refuses, and what others wait for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError
from aiplatform.addons import Addons
from aiplatform.addons.catalog import catalog
from aiplatform.addons.value_keys import keys, problems
from aiplatform.addons.values import VALUES
from aiplatform.addons.values.setup import Setup
from tests.components.aiplatform.addons import chart_facts
from tests.components.aiplatform.pools import CLUSTER, GOOGLE_CLUSTER
from tests.components.aiplatform.schema import undocumented
from tests.components.recording import Recording, record, value
from tools import chart_value_keys

CHART = "kubernetes:helm.sh/v4:Chart"
MANIFEST = "kubernetes:yaml/v2:ConfigGroup"
ASSOCIATION = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
NAMESPACE = "kubernetes:core/v1:Namespace"
QUOTA = "kubernetes:core/v1:ResourceQuota"


EKS: Any = {**CLUSTER, "vpc_id": "vpc-1"}


def addons(cluster: Any = EKS, **arguments: Any) -> Recording:
    return record(lambda: Addons("addons", {"prefix": "acme-dev", "cluster": cluster, **arguments}))  # pyright: ignore[reportArgumentType]


def refused(**arguments: Any) -> list[str]:
    with pytest.raises(ArgumentError) as error:
        addons(**arguments)
    return [str(problem) for problem in error.value.problems]


def installed(recording: Recording) -> set[str]:
    resources = [*recording.all(CHART), *recording.all(MANIFEST)]
    return {resource.name.removeprefix("addons-") for resource in resources}


@pytest.mark.parametrize(("cloud", "cluster"), [("aws", EKS), ("gcp", GOOGLE_CLUSTER)])
def test_by_default_all_that_the_cloud_needs_is_installed(cloud: str, cluster: Any) -> None:
    entries = {name: addon for name, addon in catalog().items() if not addon.installed_by}
    expected = {name for name, addon in entries.items() if cloud in addon.clouds}
    by_request = {name for name in expected if not catalog()[name].is_default(cloud)}
    assert installed(addons(cluster)) == expected - {"external-dns"} - by_request
    everything = addons(cluster, dns_zones=["Z1"], options={name: {"enabled": True} for name in by_request})
    assert installed(everything) == expected


def test_what_another_component_installs_is_refused_in_options() -> None:
    (problem,) = refused(options={"kube-prometheus-stack": {"enabled": True}})
    assert problem == (
        "AddonsArgs.options.kube-prometheus-stack: the component Observability installs it; expected it left "
        "out"
    )


def test_karpenter_brings_its_kinds_in_a_chart_that_updates_them() -> None:
    recording = addons(options={"karpenter": {"enabled": True}})
    controller, kinds = (recording.one(CHART, f"addons-{name}") for name in ("karpenter", "karpenter-crd"))
    assert controller.inputs["skipCrds"] is True, "two charts would own the same definitions"
    assert "skipCrds" not in kinds.inputs
    assert controller.inputs["namespace"] == "kube-system"
    queue = recording.one("aws:sqs/queue:Queue")
    assert controller.inputs["values"]["settings"]["interruptionQueue"] == queue.inputs["name"]


def test_karpenter_without_its_kinds_is_refused() -> None:
    (problem,) = refused(options={"karpenter": {"enabled": True}, "karpenter-crd": {"enabled": False}})
    assert problem.startswith(
        "AddonsArgs.options.karpenter-crd.enabled: got false, and karpenter requires it"
    )


def test_an_addon_that_is_disabled_is_not_installed_and_has_no_namespace() -> None:
    recording = addons(options={"lws": {"enabled": False}})
    assert "lws" not in installed(recording)
    assert "lws-system" not in {
        namespace.inputs["metadata"]["name"] for namespace in recording.all(NAMESPACE)
    }


def test_a_chart_comes_from_its_publisher_with_the_version_of_the_catalog() -> None:
    recording = addons()
    kueue, secrets = (recording.one(CHART, f"addons-{name}") for name in ("kueue", "external-secrets"))
    assert (kueue.inputs["chart"], kueue.inputs["version"]) == (
        catalog()["kueue"].chart,
        catalog()["kueue"].version,
    )
    assert secrets.inputs["repositoryOpts"] == {"repo": "https://charts.external-secrets.io"}


def test_a_chart_waits_for_its_namespace_and_the_quota_of_critical_pods() -> None:
    recording = addons()
    kueue = recording.one(CHART, "addons-kueue")
    assert recording.depends(kueue, recording.one(NAMESPACE, "addons-kueue-system-namespace"))
    assert recording.depends(kueue, recording.one(QUOTA, "addons-kueue-system-critical-pods")), (
        "GKE refuses Pods of the priority until the quota exists"
    )


def test_a_namespace_allows_only_the_connections_of_controllers() -> None:
    policies = addons().all("kubernetes:networking.k8s.io/v1:NetworkPolicy")
    kueue = next(one.inputs for one in policies if one.inputs["metadata"]["namespace"] == "kueue-system")
    spec = kueue["spec"]
    assert spec["podSelector"] == {}
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    [webhooks] = spec["ingress"]
    assert [port["port"] for port in webhooks["ports"]] == [8082, 9443]
    assert "from" not in webhooks, "no selector matches the control plane"
    assert [[port["port"] for port in rule["ports"]] for rule in spec["egress"]] == [[53, 53], [443], [80]]


def test_addons_reach_the_metadata_server_of_gke_with_and_without_dataplane_v2() -> None:
    policies = addons(cluster=GOOGLE_CLUSTER).all("kubernetes:networking.k8s.io/v1:NetworkPolicy")
    assert policies
    for policy in policies:
        reached = {
            peer["ipBlock"]["cidr"]: {port["port"] for port in rule["ports"]}
            for rule in policy.inputs["spec"]["egress"]
            for peer in rule.get("to", ())
            if "ipBlock" in peer
        }
        assert reached["169.254.169.254/32"] >= {80}, "with Dataplane V2"
        assert reached["169.254.169.252/32"] >= {988}, "without"


def test_a_namespace_is_created_once_and_never_one_that_every_cluster_has() -> None:
    names = [namespace.inputs["metadata"]["name"] for namespace in addons().all(NAMESPACE)]
    assert len(names) == len(set(names))
    assert "kube-system" not in names


def test_values_are_merged_over_those_of_the_platform() -> None:
    options = {"kueue": {"values": {"controllerManager": {"manager": {"resources": {"limits": None}}}}}}
    manager = (
        addons(replicas=2, options=options).one(CHART, "addons-kueue").inputs["values"]["controllerManager"]
    )
    assert manager["replicas"] == 2, "the platform's values stay"
    assert manager["manager"]["resources"]["requests"], "objects are merged"


def test_a_chart_waits_for_the_permissions_of_its_controller() -> None:
    recording = addons()
    association = recording.one(
        "aws:eks/podIdentityAssociation:PodIdentityAssociation", "addons-external-secrets-identity"
    )
    assert recording.depends(recording.one(CHART, "addons-external-secrets"), association), (
        "a Pod that starts before it has no credentials"
    )


def test_a_chart_waits_for_the_addons_that_it_requires() -> None:
    recording = addons()
    controller = recording.one(CHART, "addons-aws-load-balancer-controller")
    assert recording.depends(controller, recording.one(CHART, "addons-cert-manager"))
    assert recording.depends(controller, recording.one(MANIFEST, "addons-gateway-api"))
    assert not recording.depends(controller, recording.one(CHART, "addons-kueue")), "others start meanwhile"


def test_kserve_brings_its_kinds_and_looks_for_those_of_keda_when_they_are_there() -> None:
    enabled = {"enabled": True}
    kserve = addons(options={"kserve": enabled})
    controller = kserve.one(CHART, "addons-kserve")
    assert kserve.depends(controller, kserve.named("addons-kserve-crd-installed"))
    assert kserve.depends(controller, kserve.named("addons-cert-manager-installed"))
    assert "keda" not in installed(kserve), "services that do not scale need none"
    both = addons(options={"kserve": enabled, "keda": enabled})
    assert both.depends(both.one(CHART, "addons-kserve"), both.named("addons-keda-installed"))


def test_internal_names_have_an_authority_once_cert_manager_is_ready() -> None:
    recording = addons()
    issuer = recording.one("kubernetes:cert-manager.io/v1:ClusterIssuer", "addons-internal")
    assert issuer.inputs["metadata"]["name"] == recording.result.outputs["internal_issuer"]
    assert recording.depends(issuer, recording.one("kubernetes:cert-manager.io/v1:Certificate"))
    assert recording.depends(issuer, recording.one(CHART, "addons-cert-manager"))


def test_without_cert_manager_there_is_no_authority() -> None:
    names = ("cert-manager", "aws-load-balancer-controller")
    recording = addons(options={name: {"enabled": False} for name in names})
    assert recording.all("kubernetes:cert-manager.io/v1:ClusterIssuer") == []
    assert recording.result.outputs["internal_issuer"] is None


def test_mirrors_replace_the_registries_of_images_and_keep_tag_and_digest() -> None:
    mirror = "111122223333.dkr.ecr.us-west-2.amazonaws.com/k8s"
    image = addons(mirrors={"registry.k8s.io": mirror}).one(CHART, "addons-jobset").inputs["values"]["image"]
    assert image["repository"] == f"{mirror}/jobset/jobset"
    assert "@sha256:" in image["tag"]


def test_two_replicas_of_every_controller_are_not_evicted_at_once() -> None:
    budget = "kubernetes:policy/v1:PodDisruptionBudget"
    assert addons().all(budget) == [], "of a single Pod it would block every drain"
    spec = addons(replicas=2).one(budget, "addons-lws-disruption-budget").inputs["spec"]
    assert spec["selector"]["matchLabels"] == {"app.kubernetes.io/name": "lws"}


def test_outputs_state_versions_and_namespaces() -> None:
    component = addons().result
    assert component.outputs["versions"]["kueue"] == catalog()["kueue"].version
    assert component.outputs["namespaces"]["kueue"] == "kueue-system"
    assert "gateway-api" not in component.outputs["namespaces"], "all of its objects are of the cluster"
    assert value(component.ready)["kueue"] == catalog()["kueue"].version


def test_what_custom_resources_depend_on_is_known_by_addon() -> None:
    component = addons().result
    assert set(component.installed) == set(component.outputs["versions"])
    assert component.installed["kueue"].resources == [component.installed["kueue"].marker]


def test_a_custom_resource_has_one_dependency_for_all_objects_of_an_add_on() -> None:
    """Each of some hundred objects would be in the state of each custom resource, and the engine saves the
    whole state after each step."""
    recording = addons()
    issuer = recording.one("kubernetes:cert-manager.io/v1:ClusterIssuer", "addons-self-signed")
    marker = recording.one("pulumi:index:Stash", "addons-cert-manager-installed")
    assert marker.urn in issuer.depends_on
    assert recording.one(CHART, "addons-cert-manager").urn not in issuer.depends_on
    assert marker.inputs == {"input": catalog()["cert-manager"].version}, "nothing that changes by itself"


def test_it_is_documented() -> None:
    assert undocumented(Addons) == []


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"options": {"kuee": {}}}, "options.kuee: unknown add-on; did you mean 'kueue'?"),
        ({"options": {"istio": {}}}, "options.istio: unknown add-on; expected one of "),
        (
            {"options": {"kueue": {"version": "0.18.0"}}},
            "options.kueue.version: got '0.18.0'; expected 0.19.2, with which the values are tested, or "
            "`allow_untested: true`",
        ),
        ({"options": {"kueue": {"version": "newest"}}}, "expected a version such as 0.19.2"),
        ({"options": {"kueue": {"value": {}}}}, "options.kueue.value: unknown key; did you mean 'values'?"),
        (
            {"options": {"kueue": {"values": {"controllerManger": {}}}}},
            "options.kueue.values.controllerManger: unknown value of the chart; did you mean "
            "'controllerManager'?",
        ),
        (
            {"options": {"kueue": {"values": {"controllerManager": {"replica": 1}}}}},
            "options.kueue.values.controllerManager.replica: unknown value of the chart",
        ),
        ({"options": {"gateway-api": {"values": {"a": 1}}}}, "options.gateway-api.values.a: unknown value"),
        (
            {"options": {"cert-manager": {"enabled": False}}},
            "options.cert-manager.enabled: got false, and aws-load-balancer-controller requires it",
        ),
        ({"options": {"external-dns": {"enabled": True}}}, "dns_zones: empty; expected the zones"),
        ({"cluster": CLUSTER}, "cluster.vpc_id: missing"),
        ({"prefix": "Acme"}, "prefix: got 'Acme'"),
        ({"replicas": 0}, "replicas: got 0; expected 1 to 3 replicas"),
        ({"charts": "https://charts.example"}, "charts: got 'https://charts.example'; expected 'upstream'"),
        ({"charts": "oci://registry.example/charts"}, "gateway-api is a manifest"),
        ({"mirrors": {"https://quay.io": "x.example"}}, "'https://quay.io' is no registry"),
    ],
)
def test_a_wrong_argument_is_refused(arguments: dict[str, Any], problem: str) -> None:
    [reported] = refused(**arguments)
    assert problem in reported


def test_an_untested_version_is_installed_where_it_is_allowed() -> None:
    options = {"kueue": {"version": "0.20.0", "allow_untested": True}}
    assert addons(options=options).one(CHART, "addons-kueue").inputs["version"] == "0.20.0"


def test_a_value_of_an_untested_version_is_not_checked() -> None:
    options = {"kueue": {"values": {"newInNextVersion": True}, "allow_untested": True}}
    assert addons(options=options).one(CHART, "addons-kueue").inputs["values"]["newInNextVersion"] is True


@pytest.mark.parametrize("name", sorted(VALUES))
def test_the_chart_has_every_value_of_the_platform(name: str) -> None:
    assert list(problems(name, VALUES[name](Setup(replicas=2)), "values")) == []


def test_the_known_values_are_those_of_the_charts() -> None:
    for name in sorted(VALUES):
        chart = chart_facts.folder(name, catalog()[name].file_name)
        assert chart_value_keys.keys(chart) == keys(name), "run `python -m tools.chart_value_keys`"


def test_an_addon_that_another_cloud_needs_is_refused() -> None:
    [problem] = refused(cluster=GOOGLE_CLUSTER, options={"gpu-operator": {}})
    assert "options.gpu-operator: Google Cloud does not need this add-on" in problem


def test_a_mirror_that_lacks_charts_is_refused_with_all_their_names(tmp_path: Path) -> None:
    (tmp_path / "kueue-0.19.2").mkdir()
    reported = refused(charts=str(tmp_path))
    assert any("lacks the chart of jobset; expected jobset-0.12.0" in problem for problem in reported)
    assert not any("kueue" in problem.partition("which lacks")[2] for problem in reported)


DRIVER = "dra-driver-nvidia-gpu"
OPERATOR = "gpu-operator"
CLASS = "kubernetes:resource.k8s.io/v1:DeviceClass"


def test_claims_need_the_driver_and_its_class_of_gpus() -> None:
    recording = addons(options={DRIVER: {"enabled": True}})
    (device_class,) = recording.all(CLASS)
    assert device_class.inputs["metadata"]["name"] == "ai-platform-gpu"
    (selector,) = device_class.inputs["spec"]["selectors"]
    assert "device.driver == 'gpu.nvidia.com'" in selector["cel"]["expression"]
    assert "extendedResourceName" not in device_class.inputs["spec"], (
        "Kueue would count requests of this resource as claims"
    )
    chart = recording.one(CHART, f"addons-{DRIVER}")
    assert chart.inputs["skipCrds"] is True, "the GPU operator brings the same definitions"
    assert addons().all(CLASS) == []


def test_pods_of_nodes_may_have_their_priority_in_the_namespaces_that_need_it() -> None:
    recording = addons(options={OPERATOR: {"enabled": True}})
    classes: dict[str, Any] = {}
    for quota in recording.all(QUOTA):
        (expression,) = quota.inputs["spec"]["scopeSelector"]["matchExpressions"]
        classes[quota.inputs["metadata"]["namespace"]] = expression["values"]
    assert classes.pop(OPERATOR) == ["system-cluster-critical", "system-node-critical"]
    assert {*map(tuple, classes.values())} == {("system-cluster-critical",)}
    levels = {
        namespace.inputs["metadata"]["name"]: namespace.inputs["metadata"]["labels"][
            "pod-security.kubernetes.io/enforce"
        ]
        for namespace in recording.all(NAMESPACE)
    }
    assert levels.pop(OPERATOR) == "privileged", "its Pods prepare devices for containers"
    assert {*levels.values()} == {"restricted"}


@pytest.mark.parametrize("name", ["dra-driver-nvidia-gpu", "gpu-operator"])
def test_device_software_of_eks_is_refused_on_gke(name: str) -> None:
    (problem,) = refused(cluster=GOOGLE_CLUSTER, options={name: {"enabled": True}})
    assert problem.startswith(f"AddonsArgs.options.{name}: Google Cloud does not need this add-on")
