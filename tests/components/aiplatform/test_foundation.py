"""Network and cluster together, as a program of another team uses them."""

from typing import Any

import pulumi
import pulumi_aws as aws

from aiplatform.cluster import Cluster
from aiplatform.network import Network
from tests.components.recording import Recording, record


def _program() -> tuple[Network, Cluster]:
    provider = aws.Provider("aws", region="eu-central-1", allowed_account_ids=["111122223333"])
    options = pulumi.ResourceOptions(providers=[provider])
    network = Network("network", {"prefix": "acme-dev", "cidr": "10.16.0.0/16", "zone_count": 2}, options)
    cluster = Cluster(
        "cluster", {"prefix": "acme-dev", "version": "1.35", "network": network.outputs}, options
    )
    return network, cluster


def _recorded() -> Recording:
    return record(_program)


def test_a_cluster_takes_a_networks_outputs_as_they_are():
    recorded = _recorded()
    config: Any = recorded.one("aws:eks/cluster:Cluster").inputs["vpcConfig"]
    outputs = recorded.one("aiplatform:index:Network").outputs
    assert outputs is not None
    assert config["subnetIds"] == outputs["intra_subnet_ids"]
    nodes = recorded.one("aws:eks/nodeGroup:NodeGroup").inputs
    assert nodes["subnetIds"] == outputs["private_subnet_ids"]


def test_everything_goes_through_the_explicit_provider():
    recorded = _recorded()
    provider = recorded.named("aws")
    for resource in recorded.resources:
        if resource.type.startswith("aws:"):
            assert resource.provider.startswith(provider.urn), (
                f"{resource.name}: credentials of another account must not be used"
            )
    for call in recorded.calls:
        assert call.provider.startswith(provider.urn), call.token


def test_each_provider_is_asked_once_where_it_works():
    def program() -> None:
        for region in ("eu-central-1", "us-west-2"):
            provider = aws.Provider(region, region=region)
            for name in ("one", "two"):
                args: Any = {"prefix": f"{name}-{region}", "cidr": "10.16.0.0/16", "zone_count": 2}
                Network(f"{name}-{region}", args, pulumi.ResourceOptions(providers=[provider]))

    recorded = record(program)
    requests = [
        call.provider.split("::")[3] for call in recorded.calls if call.token.endswith("getCallerIdentity")
    ]
    assert requests == ["eu-central-1", "us-west-2"], "two accounts never share an answer, two components do"


def test_components_of_one_program_share_no_logical_name():
    network, cluster = (
        {(r.type, r.name) for r in _recorded().resources if r.name.startswith(prefix)}
        for prefix in ("network", "cluster")
    )
    assert not network & cluster
