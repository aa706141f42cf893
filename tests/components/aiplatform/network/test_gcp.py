"""The network on Google Cloud: what it makes, under which names, and what it refuses."""

import json
from typing import Any

import pytest
from pulumi_gcp import compute

from aiplatform._shared.args import ArgumentError, keys, read
from aiplatform._shared.deep_merge import overlaid
from aiplatform.network import Network
from aiplatform.network.args import NetworkReference, NetworkSettings
from tests.components.cloud_answers import PROJECT, PROJECT_NUMBER
from tests.components.recording import Recording, record, value

ARGS: dict[str, Any] = {
    "cloud": "gcp",
    "prefix": "acme-dev",
    "cidr": "10.16.0.0/16",
    "gcp": {"project": PROJECT, "region": "europe-west4"},
}
RULE = "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule"


def _network(**arguments: Any) -> Recording:
    args: Any = overlaid(ARGS, arguments)
    return record(lambda: Network("network", args))


@pytest.fixture(scope="module")
def default() -> Recording:
    """A network with nothing but what is required, and resources in it."""

    def program() -> Network:
        args: Any = ARGS
        network = Network("network", args)
        zones: Any = network.outputs["zones"]  # type: ignore[typeddict-item]
        compute.Address("all", subnetwork=network.private_subnet_ids[0])
        compute.Address("one", subnetwork=zones[0]["private_subnet_id"])
        compute.Address("intra", subnetwork=network.intra_subnet_ids[0])
        return network

    return record(program)


@pytest.fixture(scope="module")
def closed() -> Recording:
    """A network without a way out, without logs and without private services."""
    return _network(
        nat="none",
        flow_log_retention_days=0,
        gcp={"private_services": False, "google_apis": "restricted"},
    )


def _problems(**arguments: Any) -> list[str]:
    with pytest.raises(ArgumentError) as refused:
        read(NetworkSettings, overlaid(ARGS, arguments), "NetworkArgs")
    return [str(problem) for problem in refused.value.problems]


def test_logical_names_are_a_contract(default: Recording):
    assert [name for name in default.names() if " network" in name] == [
        "aiplatform:index:Network network",
        "gcp:compute/address:Address network-nat-0",
        "gcp:compute/globalAddress:GlobalAddress network-private-services",
        "gcp:compute/network:Network network-vpc",
        "gcp:compute/networkFirewallPolicy:NetworkFirewallPolicy network-firewall",
        "gcp:compute/networkFirewallPolicyAssociation:NetworkFirewallPolicyAssociation network-firewall",
        f"{RULE} network-in-denied",
        f"{RULE} network-in-health-checks",
        f"{RULE} network-in-network",
        f"{RULE} network-in-proxies",
        f"{RULE} network-out-denied",
        f"{RULE} network-out-google-apis",
        f"{RULE} network-out-internet",
        f"{RULE} network-out-network",
        "gcp:compute/route:Route network-google-apis",
        "gcp:compute/route:Route network-google-apis-direct",
        "gcp:compute/route:Route network-internet",
        "gcp:compute/router:Router network-router",
        "gcp:compute/routerNat:RouterNat network-nat",
        "gcp:compute/subnetwork:Subnetwork network-control-plane",
        "gcp:compute/subnetwork:Subnetwork network-nodes",
        "gcp:compute/subnetwork:Subnetwork network-proxies",
        "gcp:dns/managedZone:ManagedZone network-gcr",
        "gcp:dns/managedZone:ManagedZone network-gke",
        "gcp:dns/managedZone:ManagedZone network-googleapis",
        "gcp:dns/managedZone:ManagedZone network-pkg",
        "gcp:dns/policy:Policy network-query-logs",
        "gcp:dns/recordSet:RecordSet network-gcr-addresses",
        "gcp:dns/recordSet:RecordSet network-gcr-names",
        "gcp:dns/recordSet:RecordSet network-gke-addresses",
        "gcp:dns/recordSet:RecordSet network-gke-names",
        "gcp:dns/recordSet:RecordSet network-googleapis-addresses",
        "gcp:dns/recordSet:RecordSet network-googleapis-names",
        "gcp:dns/recordSet:RecordSet network-pkg-addresses",
        "gcp:dns/recordSet:RecordSet network-pkg-names",
        "gcp:kms/cryptoKey:CryptoKey network-logs-key",
        "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember network-logs-key",
        "gcp:kms/keyRing:KeyRing network-keys",
        "gcp:logging/projectBucketConfig:ProjectBucketConfig network-flow-logs",
        "gcp:logging/projectExclusion:ProjectExclusion network-flow-logs",
        "gcp:logging/projectSink:ProjectSink network-flow-logs",
        "gcp:projects/service:Service network-api-cloudkms",
        "gcp:projects/service:Service network-api-cloudresourcemanager",
        "gcp:projects/service:Service network-api-compute",
        "gcp:projects/service:Service network-api-dns",
        "gcp:projects/service:Service network-api-logging",
        "gcp:projects/service:Service network-api-servicenetworking",
        "gcp:servicenetworking/connection:Connection network-private-services",
    ]


def test_every_part_is_a_child_of_the_component_and_in_its_project(default: Recording):
    component = default.one("aiplatform:index:Network")
    parts = [resource for resource in default.resources if resource.name.startswith("network-")]
    assert all(part.parent == component.urn for part in parts)
    for part in parts:
        if part.type not in (
            # These have it in what they refer to.
            "gcp:kms/cryptoKey:CryptoKey",
            "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
            "gcp:servicenetworking/connection:Connection",
        ):
            assert part.inputs["project"] == PROJECT, part.name


def test_everything_waits_for_its_api_which_stays_on(default: Recording):
    for api in default.all("gcp:projects/service:Service"):
        assert api.inputs["disableOnDestroy"] is False, "others in the project may use it"
        assert api.inputs["service"] == f"{api.name.removeprefix('network-api-')}.googleapis.com"
    of_type = {
        "gcp:compute/": "compute",
        "gcp:dns/": "dns",
        "gcp:kms/": "cloudkms",
        "gcp:logging/": "logging",
        "gcp:servicenetworking/": "servicenetworking",
    }
    for resource in default.resources:
        for prefix, api in of_type.items():
            if resource.type.startswith(prefix) and resource.name.startswith("network-"):
                assert default.depends(resource, default.named(f"network-api-{api}")), resource.name
    peering = default.one("gcp:servicenetworking/connection:Connection")
    number = default.named("network-api-cloudresourcemanager")
    assert default.depends(peering, number), "the provider asks for the project's number"


def test_the_vpc_has_no_subnet_and_no_route_but_ours(default: Recording):
    vpc = default.one("gcp:compute/network:Network").inputs
    assert vpc["name"] == "acme-dev-network"
    assert vpc["autoCreateSubnetworks"] is False
    assert vpc["deleteDefaultRoutesOnCreate"] is True
    assert vpc["networkFirewallPolicyEnforcementOrder"] == "AFTER_CLASSIC_FIREWALL", "GKE's own rules first"


def test_subnets_are_regional_with_secondary_ranges_for_pods_and_services(default: Recording):
    nodes = default.one("gcp:compute/subnetwork:Subnetwork", "network-nodes").inputs
    assert nodes["region"] == "europe-west4"
    assert nodes["ipCidrRange"] == "10.16.144.0/20"
    assert nodes["privateIpGoogleAccess"] is True
    assert nodes["secondaryIpRanges"] == [
        {"rangeName": "pods", "ipCidrRange": "10.16.0.0/17"},
        {"rangeName": "services", "ipCidrRange": "10.16.128.0/20"},
    ]
    proxies = default.one("gcp:compute/subnetwork:Subnetwork", "network-proxies").inputs
    assert (proxies["purpose"], proxies["role"]) == ("REGIONAL_MANAGED_PROXY", "ACTIVE")
    assert "logConfig" not in proxies, "Google refuses them there"
    control_plane = default.one("gcp:compute/subnetwork:Subnetwork", "network-control-plane").inputs
    assert control_plane["ipCidrRange"] == "10.16.184.0/28"


def test_what_has_a_fixed_name_goes_before_its_successor(default: Recording):
    for resource in default.resources:
        named = str(resource.inputs.get("name", "")).startswith("acme-dev")
        if resource.type.startswith("gcp:") and named:
            assert resource.delete_before_replace, f"{resource.name}: its name may be there only once"


def test_the_internet_is_a_route_of_its_own(default: Recording, closed: Recording):
    def routes(recorded: Recording) -> dict[str, str]:
        return {route.name: route.inputs["destRange"] for route in recorded.all("gcp:compute/route:Route")}

    apis = {"network-google-apis": "199.36.153.8/30", "network-google-apis-direct": "34.126.0.0/18"}
    assert routes(default) == {**apis, "network-internet": "0.0.0.0/0"}
    assert routes(closed) == {**apis, "network-google-apis": "199.36.153.4/30"}
    assert all(
        route.inputs["nextHopGateway"] == "default-internet-gateway"
        for route in default.all("gcp:compute/route:Route")
    )


def test_nat_has_static_addresses_enough_for_the_nodes(default: Recording, closed: Recording):
    nat = default.one("gcp:compute/routerNat:RouterNat").inputs
    assert nat["natIpAllocateOption"] == "MANUAL_ONLY"
    assert len(nat["natIps"]) == 1
    assert nat["subnetworks"][0]["sourceIpRangesToNats"] == ["ALL_IP_RANGES"], "pods too"
    assert nat["enableDynamicPortAllocation"] is True
    assert value(default.result.nat_public_ips) == ["198.51.100.7"]
    assert not closed.all("gcp:compute/routerNat:RouterNat")
    assert value(closed.result.nat_public_ips) == []
    large = _network(gcp={"nodes": 250}).one("gcp:compute/routerNat:RouterNat").inputs
    assert len(large["natIps"]) == 2, "512 ports for each node, of 64512 an address"


def test_whatever_stands_in_the_nodes_subnet_has_a_way_out_from_first_to_last(default: Recording):
    ways = [
        *default.all("gcp:compute/route:Route"),
        *default.all("gcp:compute/routerNat:RouterNat"),
        *default.all(RULE),
        *default.all("gcp:compute/networkFirewallPolicyAssociation:NetworkFirewallPolicyAssociation"),
        *default.all("gcp:dns/recordSet:RecordSet"),
    ]
    assert len(ways) == 3 + 1 + 8 + 1 + 8
    for way in ways:
        for name in ("all", "one"):
            assert default.depends(default.named(name), way), f"a node without {way.name} pulls no image"
        assert not default.depends(default.named("intra"), way), "the control plane needs no way out"


def test_nothing_that_is_deleted_first_takes_the_cluster_along(default: Recording):
    # The engine deletes with it all whose fixed properties come from it, as a cluster's subnet does.
    node = default.named("one")
    behind = node.property_dependencies["subnetwork"]
    first = {default[urn].name for urn in behind if default[urn].delete_before_replace}
    assert first == {"network-nodes"}, "only its subnet"
    for route in default.all("gcp:compute/route:Route"):
        assert not route.delete_before_replace
        assert "name" not in route.inputs, "or a new one would meet the old one's name"


def test_the_firewall_denies_what_it_does_not_allow(default: Recording, closed: Recording):
    rules = {rule.name.removeprefix("network-"): rule.inputs for rule in default.all(RULE)}
    assert len({rule["priority"] for rule in rules.values()}) == len(rules), "one list, of both directions"
    allowed = [rule["priority"] for rule in rules.values() if rule["action"] == "allow"]
    for direction, name, key in (
        ("INGRESS", "in-denied", "srcIpRanges"),
        ("EGRESS", "out-denied", "destIpRanges"),
    ):
        denied = rules[name]
        assert (denied["action"], denied["direction"]) == ("deny", direction)
        assert denied["match"][key] == ["0.0.0.0/0"]
        assert denied["match"]["layer4Configs"] == [{"ipProtocol": "all"}]
        assert denied["enableLogging"] is True
        assert denied["priority"] > max(allowed)
    assert rules["in-network"]["match"]["srcIpRanges"] == ["10.16.144.0/20", "10.16.0.0/17", "10.16.184.0/28"]
    assert rules["out-network"]["match"]["destIpRanges"] == ["10.16.0.0/16"]
    assert rules["out-google-apis"]["match"]["layer4Configs"] == [{"ipProtocol": "tcp", "ports": ["443"]}]
    names = {rule.name for rule in closed.all(RULE)}
    assert "network-out-internet" not in names, "without NAT nothing may even try"
    assert closed.one(RULE, "network-in-denied").inputs["enableLogging"] is False


def test_the_policy_is_bound_once_all_its_rules_are_there(default: Recording):
    association = default.one("gcp:compute/networkFirewallPolicyAssociation:NetworkFirewallPolicyAssociation")
    assert all(default.depends(association, rule) for rule in default.all(RULE)), "else it cuts all off"


def test_googles_names_lead_to_addresses_inside(default: Recording, closed: Recording):
    zones = {zone.inputs["dnsName"]: zone.inputs for zone in default.all("gcp:dns/managedZone:ManagedZone")}
    assert set(zones) == {"googleapis.com.", "gcr.io.", "pkg.dev.", "gke.goog."}
    assert all(zone["visibility"] == "private" for zone in zones.values())

    def records(recorded: Recording) -> dict[str, Any]:
        return {
            record.inputs["name"]: (record.inputs["type"], record.inputs["rrdatas"])
            for record in recorded.all("gcp:dns/recordSet:RecordSet")
        }

    private = [f"199.36.153.{last}" for last in (8, 9, 10, 11)]
    by_name = records(default)
    assert by_name["private.googleapis.com."] == ("A", private)
    assert by_name["*.googleapis.com."] == ("CNAME", ["private.googleapis.com."])
    assert by_name["pkg.dev."] == ("A", private)
    assert by_name["*.gke.goog."] == ("CNAME", ["gke.goog."])
    assert records(closed)["*.googleapis.com."] == ("CNAME", ["restricted.googleapis.com."])


def test_private_services_have_a_planned_range(default: Recording, closed: Recording):
    range_ = default.one("gcp:compute/globalAddress:GlobalAddress").inputs
    assert (range_["purpose"], range_["addressType"]) == ("VPC_PEERING", "INTERNAL")
    assert (range_["address"], range_["prefixLength"]) == ("10.16.160.0", 20)
    connection = default.one("gcp:servicenetworking/connection:Connection").inputs
    assert connection["reservedPeeringRanges"] == ["acme-dev-private-services"]
    assert connection["updateOnCreationFail"] is True, (
        "Google remembers the peering of a network that is gone"
    )
    assert connection["deletionPolicy"] == "REMOVE_PEERING", "a database holds it for days after it is gone"
    peering = _network(retain_data=True).one("gcp:servicenetworking/connection:Connection").inputs
    assert "deletionPolicy" not in peering, "no running database loses its network"
    assert not closed.all("gcp:servicenetworking/connection:Connection")


def test_flow_logs_go_to_an_encrypted_bucket_with_retention_and_nowhere_else(default: Recording):
    bucket = default.one("gcp:logging/projectBucketConfig:ProjectBucketConfig")
    key = default.one("gcp:kms/cryptoKey:CryptoKey")
    assert bucket.inputs["retentionDays"] == 30
    assert bucket.inputs["cmekSettings"]["kmsKeyName"].startswith("network-logs-key-")
    suffix = key.state["name"].rsplit("-")[-1]
    assert bucket.inputs["bucketId"] == f"acme-dev-flow-logs-{suffix}", "a deleted one keeps its name"
    grant = default.one("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember")
    writer = f"serviceAccount:cmek-p{PROJECT_NUMBER}@gcp-sa-logging.iam.gserviceaccount.com"
    assert grant.inputs["member"] == writer
    assert default.depends(bucket, grant)
    sink = default.one("gcp:logging/projectSink:ProjectSink").inputs
    exclusion = default.one("gcp:logging/projectExclusion:ProjectExclusion")
    assert sink["filter"] == exclusion.inputs["filter"]
    assert '"acme-dev-nodes"' in sink["filter"]
    assert default.depends(exclusion, default.one("gcp:logging/projectSink:ProjectSink"))


def test_the_key_rotates_and_has_a_name_of_its_own(default: Recording):
    key = default.one("gcp:kms/cryptoKey:CryptoKey").inputs
    assert key["rotationPeriod"] == "7776000s"
    assert "name" not in key, "neither rings nor keys can be deleted, so their names are used once"
    assert "name" not in default.one("gcp:kms/keyRing:KeyRing").inputs


def test_without_flow_logs_there_is_neither_bucket_nor_key(closed: Recording):
    assert not [
        resource for resource in closed.resources if resource.type.startswith(("gcp:kms", "gcp:logging"))
    ]
    assert not closed.all("gcp:dns/policy:Policy")
    for subnet in closed.all("gcp:compute/subnetwork:Subnetwork"):
        assert "logConfig" not in subnet.inputs


def test_what_holds_data_stays_with_the_key_and_its_grant():
    recorded = _network(retain_data=True)
    retained = {resource.name for resource in recorded.resources if resource.retain_on_delete}
    assert retained == {"network-flow-logs", "network-logs-key"}


def test_outputs_are_registered_and_are_what_a_cluster_takes(default: Recording):
    outputs = default.one("aiplatform:index:Network").outputs
    assert outputs is not None
    assert set(outputs) <= keys(NetworkReference)
    assert json.loads(json.dumps(outputs)) == outputs, "a layer's outputs survive JSON"
    assert (outputs["cloud"], outputs["project"], outputs["region"]) == ("gcp", PROJECT, "europe-west4")
    assert [zone["id"] for zone in outputs["zones"]] == [f"europe-west4-{letter}" for letter in "abc"]
    assert outputs["zones"][0]["private_subnet_id"] == outputs["private_subnet_ids"][0]
    assert outputs["pods_cidr"] == "10.16.0.0/17"
    read(NetworkReference, outputs, "NetworkReferenceArgs")
    assert value(default.result.default_security_group_id) is None


def test_zones_are_the_regions_first_or_those_that_are_named():
    first = _network(zone_count=2, gcp={"region": "us-east1"}, flow_log_retention_days=0)
    assert [zone["id"] for zone in value(first.result.zones)] == ["us-east1-b", "us-east1-c"]
    settings = read(
        NetworkSettings, {**ARGS, "zone_ids": ["europe-west4-c", "europe-west4-ai1a"]}, "NetworkArgs"
    )
    assert settings.zones == 2


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"gcp": {"project": None}}, "NetworkArgs.gcp.project: missing; expected the project"),
        ({"gcp": {"region": None}}, "NetworkArgs.gcp.region: missing; expected the region"),
        ({"gcp": {"project": "Acme"}}, "a project's id: 6 to 30 lower-case letters"),
        ({"gcp": {"project": "123456789012"}}, "a project's id"),
        ({"gcp": {"region": "us-west-2"}}, "a region such as europe-west4"),
        ({"zone_ids": ["us-central1-a", "europe-west4-b"]}, "NetworkArgs.zone_ids[0]: got 'us-central1-a'"),
        ({"zone_ids": ["europe-west4-a"]}, "got 1 zone(s); expected 2 to 4"),
        ({"zone_ids": ["usw2-az1", "usw2-az2"]}, "expected a zone of europe-west4 such as europe-west4-a"),
        ({"nat": "per_zone"}, "Cloud NAT is regional"),
        ({"cidr": "10.0.0.0/24"}, "expected a range of /9 (largest) to /20 (smallest)"),
        ({"cidr": "172.16.0.0/14"}, "expected a range outside 172.17.0.0/16, which Cloud SQL keeps"),
        (
            {"cidr": "10.0.0.0/20", "gcp": {"nodes": 20}},
            "NetworkArgs.gcp.nodes: got 20; expected at most 16 nodes",
        ),
        ({"cidr": "10.0.0.0/20", "pods": 5000}, "a range of /17 would be enough"),
        ({"gcp": {"pods_per_node": 300}}, "expected 8 to 256 pods"),
        ({"flow_log_retention_days": 4000}, "expected 0 to 3650 days"),
        ({"tags": {"Team": "ml"}}, "expected a key of 1 to 63 lower-case letters"),
        ({"aws": {"endpoints": ["sts"]}}, "which Google Cloud does not support: Private Google Access"),
        ({"aws": {"prefix_delegation": True}}, "`gcp.pods_per_node` is its size"),
        ({"prefix": "a" * 50}, "expected at most 46 characters, got 50"),
        ({"cloud": "azure"}, "expected one of aws, gcp"),
    ],
)
def test_bad_input_is_refused_with_its_path(arguments: dict[str, Any], problem: str):
    problems = _problems(**arguments)
    assert any(problem in text for text in problems), problems


@pytest.mark.parametrize("argument", ["project", "region", "nodes", "pods_per_node", "google_apis"])
def test_options_of_google_cloud_are_refused_on_aws(argument: str):
    options = {**ARGS["gcp"], "nodes": 10, "pods_per_node": 32, "google_apis": "private"}
    aws = {"prefix": "acme-dev", "cidr": "10.16.0.0/16", "gcp": {argument: options[argument]}}
    with pytest.raises(
        ArgumentError, match=f"NetworkArgs.gcp.{argument}: got .*, which AWS does not support"
    ):
        read(NetworkSettings, aws, "NetworkArgs")
