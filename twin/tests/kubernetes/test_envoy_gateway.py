"""The controller of gateways: what it asks, the files of Envoy, the status, and the objects of an Envoy. The
real command and a real Envoy are in tests/controllers/test_envoy.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from twin.kubernetes.envoy_gateway.__main__ import includes
from twin.kubernetes.envoy_gateway.configuration import Place, files
from twin.kubernetes.envoy_gateway.proxy import Proxy, shifted
from twin.kubernetes.envoy_gateway.services import Services
from twin.kubernetes.envoy_gateway.status import merged
from twin.kubernetes.envoy_gateway.translation import CONTROLLER, KINDS, Translation, request

GATEWAY: dict[str, Any] = {
    "metadata": {"name": "front", "namespace": "gateway"},
    "spec": {
        "gatewayClassName": "envoy",
        "infrastructure": {"parametersRef": {"kind": "EnvoyProxy", "name": "settings"}},
        "listeners": [{"name": "https", "port": 443, "protocol": "HTTPS"}],
    },
}


def item(name: str, namespace: str = "gateway", **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, **more}


def service(name: str = "blue", ip: str = "10.0.0.7") -> dict[str, Any]:
    ports = [{"name": "http", "port": 80, "targetPort": 8080}, {"name": "other", "port": 81}]
    return item(name, "vision", spec={"clusterIP": ip, "ports": ports})


def piece(*addresses: str, ready: bool = True) -> dict[str, Any]:
    body = item(
        "blue-1",
        "vision",
        ports=[{"name": "http", "port": 8080}],
        endpoints=[{"addresses": [address], "conditions": {"ready": ready}} for address in addresses],
    )
    body["metadata"]["labels"] = {"kubernetes.io/service-name": "blue"}
    return body


def test_a_service_is_its_ready_pods_on_this_machine() -> None:
    services = Services([service()], [piece("100.96.1.2", "100.64.0.1"), piece("100.96.1.3", ready=False)])
    expected = [("127.96.1.2", 8080)]
    assert services.endpoints("10.0.0.7", 80) == expected, "a simulated Pod has no process"
    assert services.endpoints("blue.vision.svc.cluster.local", 80) == expected
    assert services.endpoints("10.0.0.7", 81) == []
    assert services.endpoints("10.0.0.8", 80) is None
    assert services.endpoints("login.acme.example", 443) is None


def dump(kind: str, key: str, *entries: dict[str, Any]) -> dict[str, Any]:
    return {kind: {key: list(entries)}}


def address(host: str, port: int) -> dict[str, Any]:
    return {"address": {"socketAddress": {"address": host, "portValue": port}}}


def assignment(name: str, host: str, port: int) -> dict[str, Any]:
    return {
        "clusterName": name,
        "endpoints": [{"lbEndpoints": [{"endpoint": address(host, port), "loadBalancingWeight": 1}]}],
    }


TRANSLATION = Translation(
    {
        "Bootstrap": {
            "bootstrap": {
                "admin": address("127.0.0.1", 19000),
                "clusterManager": {"localClusterName": "local_cluster"},
                "dynamicResources": {"adsConfig": {}},
                "staticResources": {
                    "listeners": [{"name": "stats", **address("0.0.0.0", 19001)}],  # noqa: S104
                    "clusters": [
                        {
                            "name": "prometheus_stats",
                            "loadAssignment": assignment("prometheus_stats", "127.0.0.1", 19000),
                        },
                        {"name": "xds_cluster"},
                        {"name": "local_cluster"},
                    ],
                },
            }
        },
        **dump("Endpoints", "dynamicEndpointConfigs", {"endpointConfig": assignment("a", "10.0.0.7", 80)}),
        **dump(
            "Clusters",
            "dynamicActiveClusters",
            {
                "cluster": {
                    "name": "a",
                    "type": "EDS",
                    "edsClusterConfig": {"edsConfig": {"ads": {}}, "serviceName": "a"},
                }
            },
            {
                "cluster": {
                    "name": "login",
                    "clusterType": {"name": "envoy.cluster.dns"},
                    "loadAssignment": assignment("login", "login.acme.example", 443),
                }
            },
        ),
        **dump("Routes", "dynamicRouteConfigs", {"routeConfig": {"name": "r"}}),
        **dump(
            "Listeners",
            "dynamicListeners",
            {
                "activeState": {
                    "listener": {
                        "name": "l",
                        **address("0.0.0.0", 10443),  # noqa: S104
                        "filterChains": [
                            {
                                "filters": [{"rds": {"routeConfigName": "r", "configSource": {"ads": {}}}}],
                                "transportSocket": {
                                    "tlsCertificateSdsSecretConfigs": [{"name": "gateway/certificate"}]
                                },
                            }
                        ],
                    }
                }
            },
        ),
    },
    {},
)
PLACE = Place(Path("/twin/envoys/front"), "127.96.9.9")


@pytest.fixture
def written() -> dict[str, Any]:
    secret = item("certificate", data={"tls.crt": "Y3J0", "tls.key": "a2V5"})
    services = Services([service()], [piece("100.96.1.2")])
    texts = files(TRANSLATION, PLACE, services.endpoints, [secret], "front")
    return {path.name: json.loads(text) for path, text in texts.items()}


def test_what_others_refer_to_is_written_first(written: dict[str, Any]) -> None:
    kinds = [name.partition("-")[0].partition(".")[0] for name in written]
    assert kinds == ["eds", "cds", "rds", "lds", "bootstrap"]


def test_requests_go_to_pods_and_never_outside(written: dict[str, Any]) -> None:
    [of_service] = written[PLACE.file("eds", "a").name]["resources"]
    [locality] = of_service["endpoints"]
    assert [entry["endpoint"] for entry in locality["lbEndpoints"]] == [address("127.96.1.2", 8080)]
    clusters = {cluster["name"]: cluster for cluster in written["cds.json"]["resources"]}
    source = clusters["a"]["edsClusterConfig"]["edsConfig"]["pathConfigSource"]
    assert source == {"path": str(PLACE.file("eds", "a"))}
    login = clusters["login"]
    assert (login["type"], "clusterType" in login) == ("STATIC", False)
    [entry] = login["loadAssignment"]["endpoints"][0]["lbEndpoints"]
    assert entry["endpoint"] == address("127.0.0.1", 1), "nothing listens there"


def test_a_listener_has_the_address_of_its_pod_and_its_certificate(written: dict[str, Any]) -> None:
    [listener] = written["lds.json"]["resources"]
    assert listener["address"] == address("127.96.9.9", 10443)["address"]
    [chain] = listener["filterChains"]
    [certificate] = chain["transportSocket"]["tlsCertificates"]
    assert certificate["privateKey"] == {"inlineBytes": "a2V5"}
    rds = chain["filters"][0]["rds"]["configSource"]["pathConfigSource"]
    assert rds == {"path": str(PLACE.file("rds", "r"))}


def test_the_bootstrap_has_no_connection_to_a_controller(written: dict[str, Any]) -> None:
    bootstrap = written["bootstrap.json"]
    assert [cluster["name"] for cluster in bootstrap["staticResources"]["clusters"]] == ["prometheus_stats"]
    assert "clusterManager" not in bootstrap
    assert "127.0.0.1" not in json.dumps(bootstrap)
    assert set(bootstrap["dynamicResources"]) == {"ldsConfig", "cdsConfig"}


def test_a_resource_that_changes_has_another_version(written: dict[str, Any]) -> None:
    moved = Services([service()], [piece("100.96.1.9")])
    texts = files(TRANSLATION, PLACE, moved.endpoints, [], "front")
    again = {path.name: json.loads(text) for path, text in texts.items()}
    name = PLACE.file("eds", "a").name
    assert again[name]["versionInfo"] != written[name]["versionInfo"]
    assert again["cds.json"] == written["cds.json"]


def test_the_command_gets_the_routes_of_the_gateway_with_their_kind() -> None:
    parent = {"name": "front", "namespace": "gateway"}
    objects: dict[str, list[dict[str, Any]]] = {plural: [] for plural in KINDS}
    objects["gatewayclasses"] = [item("envoy", "", spec={}), item("other", "", spec={})]
    objects["envoyproxies"] = [item("settings", spec={"a": 1}), item("settings", "else", spec={})]
    objects["secrets"] = [item("certificate", type="kubernetes.io/tls"), item("password", type="Opaque")]
    team = {"matchExpressions": [{"key": "team", "operator": "Exists"}]}
    allowed = {"namespaces": {"from": "Selector", "selector": team}}
    listeners = [{**GATEWAY["spec"]["listeners"][0], "allowedRoutes": allowed}]
    gateway = {**GATEWAY, "spec": {**GATEWAY["spec"], "listeners": listeners}}
    objects["namespaces"] = [
        {"metadata": {"name": "vision", "labels": {"team": "vision"}}},
        {"metadata": {"name": "strange"}},
    ]
    objects["httproutes"] = [
        item("mine", "vision", spec={"parentRefs": [parent]}, status={"parents": []}),
        item("strange", "strange", spec={"parentRefs": [parent]}),
        item("others", "vision", spec={"parentRefs": [{"name": "front"}]}),
    ]
    documents = [json.loads(text) for text in request(gateway, objects).split("\n---\n")]
    named = [(document["kind"], document["metadata"]["name"]) for document in documents]
    assert named == [
        ("GatewayClass", "envoy"),
        ("EnvoyProxy", "settings"),
        ("Gateway", "front"),
        ("Namespace", "vision"),
        ("Namespace", "strange"),
        ("Secret", "certificate"),
        ("HTTPRoute", "mine"),
    ]
    assert "infrastructure" not in documents[2]["spec"], "the command knows parameters of classes alone"
    assert "status" not in documents[-1]


def condition(status: str, time: str | None = None) -> dict[str, Any]:
    return {"type": "Accepted", "status": status, "reason": "x", "lastTransitionTime": time}


def test_a_status_changes_only_where_a_condition_does() -> None:
    present = {"conditions": [condition("True", "2026-01-01T00:00:00Z")]}
    assert merged(present, {"conditions": [condition("True")]}, CONTROLLER) is None
    changed = merged(present, {"conditions": [condition("False")]}, CONTROLLER)
    assert changed is not None
    assert changed["conditions"][0]["lastTransitionTime"] > "2026-01-02"


def test_the_status_of_other_controllers_stays() -> None:
    other = {"controllerName": "other", "parentRef": {"name": "a"}, "conditions": []}
    mine = {"controllerName": CONTROLLER, "parentRef": {"name": "front"}, "conditions": [condition("True")]}
    status = merged({"parents": [other]}, {"parents": [mine]}, CONTROLLER)
    assert status is not None
    assert [entry["controllerName"] for entry in status["parents"]] == ["other", CONTROLLER]


def test_an_envoy_has_one_pod_whose_address_is_known_and_settings_of_its_proxy() -> None:
    settings = {
        "provider": {
            "kubernetes": {
                "envoyDeployment": {"replicas": 3, "container": {"image": "mirror.example/envoy:1"}},
                "envoyService": {"type": "ClusterIP"},
            }
        }
    }
    proxy = Proxy(GATEWAY, "envoy-gateway-system", settings)
    objects = dict(proxy.objects(Path("/twin/bootstrap.json"), "digest"))
    assert proxy.address.startswith("127.")
    template = objects["deployments"]["spec"]["template"]
    assert objects["deployments"]["spec"]["replicas"] == 1
    assert template["metadata"]["annotations"] == {"twin.ai-platform/bootstrap": "digest"}
    assert template["spec"]["hostname"] == template["spec"]["subdomain"] == proxy.name
    assert template["spec"]["containers"][0]["image"] == "mirror.example/envoy:1"
    spec = objects["services"]["spec"]
    assert spec["type"] == "ClusterIP"
    assert [(port["port"], port["targetPort"]) for port in spec["ports"]] == [(443, 10443)]
    assert spec["selector"]["gateway.envoyproxy.io/owning-gateway-name"] == "front"
    assert (shifted(443), shifted(8443)) == (10443, 8443)


def test_what_the_api_server_adds_is_no_difference() -> None:
    assert includes({"spec": {"a": 1, "b": 2}, "status": {}}, {"spec": {"a": 1}})
    assert not includes({"spec": {"a": 1}}, {"spec": {"a": 2}})
    assert not includes({"items": [1]}, {"items": [1, 2]})
