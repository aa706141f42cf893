"""The ports of add-ons that the API server calls are open to it, on both clouds.

tests/end_to_end/test_addons.py compares the catalog's ports with those of the rendered charts.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from aiplatform.addons.catalog import catalog, webhook_ports
from aiplatform.cluster import Cluster
from aiplatform.cluster.gcp.nodes import OPENED_BY_GKE
from tests.components.aiplatform.addons import chart_facts
from tests.components.aiplatform.cluster import gke
from tests.components.aiplatform.pools import NETWORK
from tests.components.recording import record
from tests.inventories import variants

CALLED = {"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "APIService"}
CHARTS = [name for name, addon in catalog().items() if name not in chart_facts.FOLDERS]


@pytest.mark.parametrize("name", CHARTS)
def test_an_addon_that_the_api_server_calls_states_its_ports(name: str) -> None:
    addon = catalog()[name]
    objects = chart_facts.objects(chart_facts.folder(name, addon.file_name))
    # Pulumi runs no hooks.
    kinds = {entry.kind for entry in objects if not entry.hook}
    assert bool(addon.webhook_ports) == bool(kinds & CALLED)


def test_gke_opens_the_ports_that_it_does_not_open_by_default() -> None:
    arguments: Any = gke.ARGS
    cluster = record(lambda: Cluster("cluster", arguments))
    firewall = next(
        rule for rule in cluster.all("gcp:compute/firewall:Firewall") if rule.name == "cluster-webhooks"
    )
    (allowed,) = firewall.inputs["allows"]
    assert allowed["protocol"] == "tcp"
    opened = {int(port) for port in allowed["ports"]} | set(OPENED_BY_GKE)
    assert opened >= set(webhook_ports("gcp")), (
        "the API server refuses requests whose webhook it does not reach"
    )
    assert not {int(port) for port in allowed["ports"]} - set(webhook_ports("gcp")), (
        "and nothing else is open"
    )
    assert firewall.inputs["targetServiceAccounts"] == [
        cluster.one("gcp:serviceaccount/account:Account").state["email"]
    ]
    (source,) = firewall.inputs["sourceRanges"]
    assert ip_network(source).prefixlen == 28, "the control plane's subnet, not the network"


def test_the_networks_own_policy_allows_the_control_plane_to_reach_nodes_and_pods() -> None:
    network = variants.recorded("network/gcp")
    rule = next(
        rule
        for rule in network.all("gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule")
        if rule.inputs["ruleName"] == "in-network"
    )
    subnet = next(
        subnet
        for subnet in network.all("gcp:compute/subnetwork:Subnetwork")
        if subnet.name.endswith("control-plane")
    )
    assert subnet.inputs["ipCidrRange"] in rule.inputs["match"]["srcIpRanges"]


def test_nodes_of_eks_are_in_the_security_group_of_the_control_plane() -> None:
    network = {**NETWORK, "intra_subnet_ids": ["subnet-i1", "subnet-i2"]}
    args: Any = {"prefix": "acme-dev", "version": "1.35", "network": network}
    template = record(lambda: Cluster("cluster", args)).one("aws:ec2/launchTemplate:LaunchTemplate").inputs
    # EKS puts nodes without a separate group into the cluster security group, whose members reach each
    # other on every port.
    assert "vpcSecurityGroupIds" not in template
    assert "networkInterfaces" not in template
