"""Networks, subnetworks, addresses, routers and firewalls, against an API server."""

from __future__ import annotations

import pytest

from twin.gcp.context import GcpContext
from twin.gcp.resources.table import table
from twin.provider_interface import UNKNOWN, CloudError
from twin.tests.gcp.resources.life import Made, make, refused

NETWORK = "gcp:compute/network:Network"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
SUBNETWORK_MEMBER = "gcp:compute/subnetworkIAMMember:SubnetworkIAMMember"
ROUTER = "gcp:compute/router:Router"
NAT = "gcp:compute/routerNat:RouterNat"
ADDRESS = "gcp:compute/address:Address"
GLOBAL = "gcp:compute/globalAddress:GlobalAddress"
POLICY = "gcp:compute/networkFirewallPolicy:NetworkFirewallPolicy"
RULE = "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule"
ASSOCIATION = "gcp:compute/networkFirewallPolicyAssociation:NetworkFirewallPolicyAssociation"
FIREWALL = "gcp:compute/firewall:Firewall"
RANGES = [
    {"rangeName": "pods", "ipCidrRange": "10.4.0.0/14"},
    {"rangeName": "services", "ipCidrRange": "10.8.0.0/20"},
]


def network(gcp: GcpContext, **more: object) -> Made:
    return make(gcp, NETWORK, **{"name": "net", "autoCreateSubnetworks": False, **more})


def subnetwork(gcp: GcpContext, net: Made, **more: object) -> Made:
    arguments = {"name": "nodes", "network": net.outputs["selfLink"], "ipCidrRange": "10.0.0.0/20"}
    return make(gcp, SUBNETWORK, **{**arguments, "region": "us-central1", **more})


def test_a_network_lives(gcp: GcpContext) -> None:
    created = network(gcp, mtu=8896, routingMode="REGIONAL")
    assert created.id == "projects/acme-ml-dev/global/networks/net"
    assert created.outputs["selfLink"].endswith(created.id)
    assert created.outputs["mtu"] == 8896
    assert created.outputs["numericId"].isdigit()
    assert created.update(routingMode="GLOBAL")["routingMode"] == "GLOBAL"
    assert created.replaced_by(autoCreateSubnetworks=True) == ["autoCreateSubnetworks"]
    created.delete()
    assert created.read() is None


def test_a_subnetwork_lives(gcp: GcpContext) -> None:
    net = network(gcp)
    created = subnetwork(gcp, net, secondaryIpRanges=RANGES, logConfig={"flowSampling": 0.25})
    assert created.id == "projects/acme-ml-dev/regions/us-central1/subnetworks/nodes"
    assert created.outputs["region"] == "us-central1"
    assert created.outputs["gatewayAddress"] == "10.0.0.1"
    assert created.outputs["logConfig"]["metadata"] == "INCLUDE_ALL_METADATA", "the provider's own default"
    assert created.update(privateIpGoogleAccess=True)["privateIpGoogleAccess"] is True
    assert created.update(ipCidrRange="10.0.0.0/19")["ipCidrRange"] == "10.0.0.0/19"
    more = [*RANGES, {"rangeName": "more", "ipCidrRange": "10.12.0.0/20"}]
    assert created.update(secondaryIpRanges=more)["secondaryIpRanges"][2]["rangeName"] == "more"
    assert "logConfig" not in created.update(logConfig=None)
    assert created.replaced_by(ipCidrRange="10.0.0.0/24") == ["ipCidrRange"], "a range cannot shrink"
    assert not created.replaced_by(network="net"), "a name and a link are one network"
    with pytest.raises(CloudError, match="already being used by"):
        net.delete()
    created.delete()
    net.delete()


def test_a_grant_on_a_subnetwork_lives(gcp: GcpContext) -> None:
    subnet = subnetwork(gcp, network(gcp))
    account = make(gcp, "gcp:serviceaccount/account:Account", accountId="gke-agent")
    member = f"serviceAccount:{account.outputs['email']}"
    user = {"role": "roles/compute.networkUser", "member": member}
    place = {"project": "acme-ml-dev", "region": "us-central1"}
    grant = make(gcp, SUBNETWORK_MEMBER, **place, subnetwork="nodes", **user)
    assert grant.id == f"{subnet.id}/roles/compute.networkUser/{member}"
    assert grant.outputs["subnetwork"] == subnet.id, "the provider writes it in full"
    assert grant.replaced_by(subnetwork="control-plane") == ["subnetwork"]
    here = {**place, "resource": "nodes"}
    policy = gcp.call("compute.subnetworks.getIamPolicy", here)
    assert policy["bindings"] == [{"role": user["role"], "members": [member]}]
    jane = {**user, "member": "user:jane@example.com"}
    other = make(gcp, SUBNETWORK_MEMBER, **place, subnetwork=subnet.id, **jane)
    grant.delete()
    assert grant.read() is None
    assert other.read() is not None
    other.delete()
    assert "bindings" not in gcp.call("compute.subnetworks.getIamPolicy", here)


@pytest.mark.parametrize(
    ("project", "missing"), [("acme-ml-dev", "subnetworks/nowhere"), ("acme-host", "projects/acme-host")]
)
def test_a_grant_on_a_subnetwork_that_is_not_there_is_refused(
    gcp: GcpContext, project: str, missing: str
) -> None:
    place = {"project": project, "region": "us-central1", "subnetwork": "nowhere"}
    user = {"role": "roles/compute.networkUser", "member": "user:jane@example.com"}
    with pytest.raises(CloudError, match=f"applying IAM policy.* Error 404: .*{missing}' was not found"):
        make(gcp, SUBNETWORK_MEMBER, **place, **user)


def test_what_google_refuses_of_a_subnetwork_names_the_property(gcp: GcpContext) -> None:
    net = network(gcp)
    subnetwork(gcp, net)
    with pytest.raises(CloudError, match="googleapi: Error 4") as caught:
        subnetwork(gcp, net, name="other")
    assert caught.value.path == "ipCidrRange", str(caught.value)
    assert "Error creating Subnetwork" in str(caught.value)
    with pytest.raises(CloudError, match="cannot be found") as caught:
        subnetwork(gcp, net, name="third", network="nowhere", ipCidrRange="10.9.0.0/24")


def test_what_google_refuses_of_a_change_names_the_property_too(gcp: GcpContext) -> None:
    created = subnetwork(gcp, network(gcp), secondaryIpRanges=RANGES)
    taken = [*RANGES, {"rangeName": "more", "ipCidrRange": "10.4.0.0/20"}]
    with pytest.raises(CloudError, match="Error updating Subnetwork: googleapi: Error 400") as caught:
        created.update(secondaryIpRanges=taken)
    assert caught.value.path.startswith("secondaryIpRanges["), caught.value.path
    again = created.read()
    assert again is not None
    assert again["secondaryIpRanges"] == RANGES, "nothing was changed"


def test_check_refuses_what_the_providers_schema_does(gcp: GcpContext) -> None:
    assert "name" in refused(gcp, NETWORK, name="Net")
    assert "routingMode" in refused(gcp, NETWORK, name="net", routingMode="LOCAL")
    assert "mtu" in refused(gcp, NETWORK, name="net", mtu=9000)
    failures = refused(gcp, SUBNETWORK, name="a", network="net", ipCidrRange="10.0.0.0")
    assert "invalid CIDR address" in failures["ipCidrRange"]
    failures = refused(gcp, SUBNETWORK, name="a", network=UNKNOWN, ipCidrRange=UNKNOWN, role="BOTH")
    assert set(failures) == {"role"}, "what is not known yet passes"
    twice = [RANGES[0], RANGES[0]]
    failures = refused(gcp, SUBNETWORK, name="a", network="net", secondaryIpRanges=twice)
    assert "secondaryIpRanges[1].rangeName" in failures


def test_labels_are_the_programs_the_providers_and_others(gcp: GcpContext) -> None:
    address = make(gcp, ADDRESS, name="nat", region="us-central1", labels={"team": "ml"})
    managed = {"owner": "platform", "team": "ml", "goog-pulumi-provisioned": "true"}
    assert address.outputs["labels"] == {"team": "ml"}
    assert address.outputs["effectiveLabels"] == address.outputs["pulumiLabels"] == managed
    everything = {**managed, "theirs": "1"}
    address.kind.set_labels(gcp, address.id, address.outputs, address.inputs, everything)
    state = address.read()
    assert state is not None
    assert state["labels"] == {"team": "ml"}, "labels of others are no drift"
    assert state["effectiveLabels"] == everything
    address.outputs = state
    after = address.update(labels={"team": "data"})
    assert after["effectiveLabels"] == {**everything, "team": "data"}
    assert after["pulumiLabels"] == {**managed, "team": "data"}
    failures = refused(gcp, ADDRESS, name="nat", labels={"Team": "ML"})
    assert "labels.Team" in failures
    imported = address.kind.read(gcp, address.id, {})
    assert imported is not None
    assert "labels" not in imported, "an import begins without labels"


def test_addresses_live(gcp: GcpContext) -> None:
    net = network(gcp)
    reserved = make(
        gcp,
        GLOBAL,
        name="services",
        purpose="VPC_PEERING",
        addressType="INTERNAL",
        prefixLength=16,
        network=net.id,
    )
    assert reserved.outputs["prefixLength"] == 16
    assert reserved.outputs["address"]
    reserved.delete()
    static = make(gcp, ADDRESS, name="nat")
    assert static.outputs["region"] == "us-central1", "the provider's region"
    assert static.kind.read(gcp, "us-central1/nat", {})["id"] == static.id  # type: ignore[index]
    static.delete()


def test_a_router_and_its_nat_live(gcp: GcpContext) -> None:
    net = network(gcp)
    subnet = subnetwork(gcp, net)
    router = make(gcp, ROUTER, name="router", network=net.id)
    address = make(gcp, ADDRESS, name="nat")
    nat = make(
        gcp,
        NAT,
        name="nat",
        router="router",
        natIpAllocateOption="MANUAL_ONLY",
        natIps=[address.outputs["selfLink"]],
        sourceSubnetworkIpRangesToNat="LIST_OF_SUBNETWORKS",
        subnetworks=[{"name": subnet.id, "sourceIpRangesToNats": ["ALL_IP_RANGES"]}],
        logConfig={"enable": True, "filter": "ERRORS_ONLY"},
    )
    assert nat.id == "acme-ml-dev/us-central1/router/nat"
    assert nat.outputs["router"] == "router"
    assert nat.update(minPortsPerVm=128)["minPortsPerVm"] == 128
    assert nat.replaced_by(router="other") == ["router"]
    nat.delete()
    assert nat.read() is None
    router.delete()


def test_a_firewall_policy_its_rules_and_association_live(gcp: GcpContext) -> None:
    net = network(gcp)
    policy = make(gcp, POLICY, name="policy", description="default deny")
    rule = make(
        gcp,
        RULE,
        firewallPolicy=policy.outputs["name"],
        priority=1000,
        action="allow",
        direction="INGRESS",
        ruleName="health-checks",
        match={
            "srcIpRanges": ["35.191.0.0/16", "130.211.0.0/22"],
            "layer4Configs": [{"ipProtocol": "tcp", "ports": ["10250"]}],
        },
    )
    assert rule.id == "projects/acme-ml-dev/global/firewallPolicies/policy/rules/1000"
    assert rule.outputs["priority"] == 1000
    assert rule.update(action="deny", enableLogging=True)["action"] == "deny"
    association = make(
        gcp,
        ASSOCIATION,
        name="net",
        firewallPolicy=policy.id,
        attachmentTarget=net.outputs["selfLink"],
    )
    assert policy.read() == policy.outputs, "rules and associations are no drift of the policy"
    association.delete()
    rule.delete()
    assert rule.read() is None
    policy.delete()


def test_a_firewall_lives(gcp: GcpContext) -> None:
    net = network(gcp)
    firewall = make(
        gcp,
        FIREWALL,
        name="allow",
        network=net.id,
        allows=[{"protocol": "tcp", "ports": ["443", "8443-8450"]}],
        sourceRanges=["10.0.0.0/8"],
    )
    assert firewall.outputs["direction"] == "INGRESS"
    assert firewall.update(disabled=True)["disabled"] is True
    firewall.delete()
    failures = refused(gcp, FIREWALL, name="allow", network=net.id, sourceRanges=["10.0.0.0/8"])
    assert "one of `allows,denies` must be specified" in failures["allows"]


def test_deletion_policy_decides_what_a_delete_does(gcp: GcpContext) -> None:
    abandoned = network(gcp, deletionPolicy="ABANDON")
    abandoned.delete()
    assert abandoned.read() is not None
    prevented = network(gcp, name="held", deletionPolicy="PREVENT")
    with pytest.raises(CloudError, match="cannot destroy Network"):
        prevented.delete()


def test_a_preview_knows_what_the_provider_fills_in(gcp: GcpContext) -> None:
    prepared = table()[ADDRESS].prepared(gcp, {"name": "nat", "labels": UNKNOWN})
    assert prepared["project"] == "acme-ml-dev"
    assert prepared["region"] == "us-central1"
    assert prepared["pulumiLabels"] is UNKNOWN
