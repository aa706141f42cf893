"""What the component registers."""

from __future__ import annotations

from typing import Any

import pytest

from aiplatform.gateway import Gateway
from tests.components.aiplatform.gateway.example import TOKENS, arguments
from tests.components.aiplatform.schema import undocumented
from tests.components.recording import Recording, record

CHART = "kubernetes:helm.sh/v4:Chart"
SERVICE = "kubernetes:core/v1:Service"
GATEWAY = "kubernetes:gateway.networking.k8s.io/v1:Gateway"
ENVOY = "kubernetes:gateway.envoyproxy.io/v1alpha1"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
ADMISSION = "kubernetes:admissionregistration.k8s.io/v1"
CERTIFICATE = "kubernetes:cert-manager.io/v1:Certificate"
AWS = "service.beta.kubernetes.io/aws-load-balancer"


def gateway(cloud: str = "aws", **more: Any) -> Recording:
    args: Any = arguments(cloud, **more)
    return record(lambda: Gateway("gateway", args))


def gke(**more: Any) -> Recording:
    return gateway("gcp", gateway_class="gke", authentication=None, **more)


def test_it_is_documented() -> None:
    assert undocumented(Gateway) == []


def test_the_logical_names_are_a_contract() -> None:
    assert [name for name in gateway().names() if "helm" not in name] == [
        "aiplatform:index:Gateway gateway",
        f"{ADMISSION}:ValidatingAdmissionPolicy gateway-policies-policy",
        f"{ADMISSION}:ValidatingAdmissionPolicy gateway-routes-policy",
        f"{ADMISSION}:ValidatingAdmissionPolicyBinding gateway-policies-binding",
        f"{ADMISSION}:ValidatingAdmissionPolicyBinding gateway-routes-binding",
        f"{CERTIFICATE} gateway-authority",
        f"{CERTIFICATE} gateway-certificate",
        f"{CERTIFICATE} gateway-controller-certificate",
        f"{CERTIFICATE} gateway-envoy-certificate",
        "kubernetes:cert-manager.io/v1:Issuer gateway-issuer",
        "kubernetes:cert-manager.io/v1:Issuer gateway-self-signed",
        "kubernetes:core/v1:Namespace gateway-envoy-gateway-system-namespace",
        "kubernetes:core/v1:Namespace gateway-namespace",
        "kubernetes:core/v1:ResourceQuota gateway-envoy-gateway-system-critical-pods",
        f"{SERVICE} gateway-load-balancer",
        f"{ENVOY}:BackendTrafficPolicy gateway-backend-traffic",
        f"{ENVOY}:ClientTrafficPolicy gateway-client-traffic",
        f"{ENVOY}:EnvoyProxy gateway-envoy",
        f"{ENVOY}:SecurityPolicy gateway-security",
        f"{GATEWAY} gateway-gateway",
        "kubernetes:gateway.networking.k8s.io/v1:GatewayClass gateway-class",
        "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute gateway-classifier-route",
        f"{POLICY} gateway-default-deny",
        f"{POLICY} gateway-envoy-gateway-system-network-policy",
        f"{POLICY} gateway-envoy-gateway-traffic",
        f"{POLICY} gateway-envoy-traffic",
        "pulumi:index:Stash gateway-envoy-gateway-crds-installed",
        "pulumi:index:Stash gateway-envoy-gateway-installed",
    ]


def test_a_gateway_is_internal_unless_stated() -> None:
    def annotations(cloud: str, **more: Any) -> dict[str, str]:
        return gateway(cloud, **more).one(SERVICE).inputs["metadata"]["annotations"]

    public: dict[str, Any] = {"public": True, "issuer": "letsencrypt"}
    assert annotations("aws")[f"{AWS}-scheme"] == "internal"
    assert annotations("aws", **public)[f"{AWS}-scheme"] == "internet-facing"
    internal = "networking.gke.io/load-balancer-type"
    assert annotations("gcp")[internal] == "Internal"
    assert internal not in annotations("gcp", **public)


def test_the_load_balancer_of_aws_is_the_controllers_and_keeps_long_streams() -> None:
    service = gateway(idle_seconds=900, source_ranges=["10.0.0.0/8"]).one(SERVICE).inputs
    spec, annotations = service["spec"], service["metadata"]["annotations"]
    assert spec["loadBalancerClass"] == "service.k8s.aws/nlb"
    assert spec["loadBalancerSourceRanges"] == ["10.0.0.0/8"]
    assert annotations[f"{AWS}-nlb-target-type"] == "ip"
    assert annotations[f"{AWS}-listener-attributes.TCP-443"] == "tcp.idle_timeout.seconds=900"
    [port] = spec["ports"]
    assert (port["port"], port["targetPort"]) == (443, 10443)


def test_the_load_balancer_ends_before_what_deletes_it_in_the_cloud() -> None:
    recording = gateway()
    service = recording.one(SERVICE)
    assert recording.depends(service, recording.one("pulumi:index:Stash", "gateway-envoy-gateway-installed"))
    assert recording.depends(service, recording.one(GATEWAY))
    assert "pulumi.com/skipAwait" not in service.inputs["metadata"]["annotations"]
    proxy = recording.one(f"{ENVOY}:EnvoyProxy").inputs["spec"]["provider"]["kubernetes"]
    assert proxy["envoyService"] == {"type": "ClusterIP"}, (
        "Envoy Gateway creates none without a wait for its end"
    )


def test_no_request_comes_before_the_policies() -> None:
    recording = gateway()
    for kind in ("SecurityPolicy", "ClientTrafficPolicy", "BackendTrafficPolicy", "EnvoyProxy"):
        assert recording.depends(recording.one(GATEWAY), recording.one(f"{ENVOY}:{kind}")), kind
    assert not gateway(authentication=None).all(f"{ENVOY}:SecurityPolicy")


def test_the_controller_starts_after_its_kinds_and_certificates() -> None:
    recording = gateway()
    chart = recording.one(CHART, "gateway-envoy-gateway")
    assert recording.depends(
        chart, recording.one("pulumi:index:Stash", "gateway-envoy-gateway-crds-installed")
    )
    for part in ("controller", "envoy"):
        assert recording.depends(chart, recording.one(CERTIFICATE, f"gateway-{part}-certificate"))
    controller = recording.one(CERTIFICATE, "gateway-controller-certificate").inputs["spec"]
    assert "envoy-gateway.envoy-gateway-system.svc.cluster.local" in controller["dnsNames"]
    assert controller["issuerRef"]["kind"] == "Issuer", "of the namespace: other clients have none of it"


def test_the_certificate_has_all_hosts_and_the_issuer_of_the_arguments() -> None:
    spec = (
        gateway(hosts=["a.example", "*.b.example"], issuer="company")
        .one(CERTIFICATE, "gateway-certificate")
        .inputs["spec"]
    )
    assert spec["dnsNames"] == ["a.example", "*.b.example"]
    assert spec["issuerRef"]["name"] == "company"


def test_envoy_reaches_pods_of_teams_and_no_others() -> None:
    policy = gateway().one(POLICY, "gateway-envoy-traffic").inputs["spec"]
    [ingress] = policy["ingress"]
    assert ingress == {"ports": [{"port": 10443, "protocol": "TCP"}]}
    to = [peer for rule in policy["egress"] for peer in rule["to"]]
    assert [sorted(peer) for peer in to] == [["podSelector"], ["namespaceSelector"]]
    assert to[1]["namespaceSelector"]["matchExpressions"][0]["key"] == "ai-platform/team"


def test_gkes_load_balancers_reach_pods_of_teams_whose_namespaces_deny_others() -> None:
    policy = gke().one(POLICY, "gateway-search-load-balancers").inputs
    assert policy["metadata"]["namespace"] == "find"
    [rule] = policy["spec"]["ingress"]
    assert {peer["ipBlock"]["cidr"] for peer in rule["from"]} == {
        "10.0.176.0/23",
        "35.191.0.0/16",
        "130.211.0.0/22",
    }, "the proxies, and their health checks"
    assert "gateway-search-load-balancers" not in {entry.name for entry in gateway("gcp").all(POLICY)}


def test_a_service_of_two_routes_has_one_policy_of_each_kind_on_gke() -> None:
    routes = {name: {"team": "vision", "backends": [{"service": "blue"}]} for name in ("one", "two")}
    recording = gke(routes=routes)
    for kind in ("GCPBackendPolicy", "HealthCheckPolicy"):
        [policy] = recording.all(f"kubernetes:networking.gke.io/v1:{kind}")
        assert policy.inputs["spec"]["targetRef"]["name"] == "blue", "GKE uses the older of two"


def test_a_route_is_in_the_namespace_of_its_team() -> None:
    kind = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
    route = {"team": "search", "backends": [{"service": "a"}]}
    resource = gateway(routes={"chat": route}).one(kind)
    assert resource.inputs["metadata"]["namespace"] == "find"
    assert resource.inputs["metadata"]["name"] == "chat"


def test_gkes_gateway_has_nothing_of_envoy() -> None:
    recording = gke()
    assert recording.all(CHART) == []
    assert recording.all(SERVICE) == []
    assert not [name for name in recording.names() if "envoy" in name.casefold()]
    assert recording.one(GATEWAY).inputs["spec"]["gatewayClassName"] == "gke-l7-rilb"
    kinds = {name.split()[0].rpartition(":")[2] for name in recording.names()}
    assert {"GCPBackendPolicy", "HealthCheckPolicy", "HTTPRoute"} <= kinds
    assert recording.result.outputs["pods_namespace"] is None


def test_the_outputs_are_what_routes_refer_to() -> None:
    outputs = gateway().result.outputs
    assert (outputs["namespace"], outputs["name"]) == ("gateway", "ai-platform")
    assert outputs["pods_namespace"] == "envoy-gateway-system"
    assert outputs["versions"] == {"envoy-gateway-crds": "v1.9.0", "envoy-gateway": "v1.9.0"}


@pytest.mark.parametrize("mirrors", [{}, {"docker.io": "mirror.example/hub"}])
def test_images_are_at_their_mirror(mirrors: dict[str, str]) -> None:
    recording = gateway(mirrors=mirrors)
    proxy = recording.one(f"{ENVOY}:EnvoyProxy").inputs["spec"]["provider"]["kubernetes"]
    registry = mirrors.get("docker.io", "docker.io")
    image = proxy["envoyDeployment"]["container"]["image"]
    assert image.startswith(f"{registry}/envoyproxy/envoy:distroless-v1.39.0@sha256:")
    values = recording.one(CHART, "gateway-envoy-gateway").inputs["values"]
    assert values["deployment"]["envoyGateway"]["image"]["repository"] == f"{registry}/envoyproxy/gateway"


def test_keys_of_the_issuer_are_read_by_https_or_are_those_of_the_arguments() -> None:
    def provider(**tokens: Any) -> dict[str, Any]:
        policy = gateway(authentication={**TOKENS, **tokens}).one(f"{ENVOY}:SecurityPolicy")
        return policy.inputs["spec"]["jwt"]["providers"][0]

    assert provider()["remoteJWKS"] == {"uri": "https://login.acme.example/keys"}
    assert provider()["audiences"] == ["models"]


def test_prometheus_and_no_other_namespace_reads_metrics_of_the_add_on() -> None:
    policy = gateway().one(POLICY, "gateway-envoy-gateway-system-network-policy")
    rules = [rule for rule in policy.inputs["spec"]["ingress"] if "from" in rule]
    assert [[port["port"] for port in rule["ports"]] for rule in rules] == [[19001]]
    [[peer]] = [rule["from"] for rule in rules]
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "monitoring"}
