"""Rules: what each type costs, and what is reported in place of a price."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from cli.estimate import estimate, rules, table
from cli.estimate.volumes import CHART
from tests.cli.estimate.samples import make, resource

COMPONENTS = Path(__file__).parents[2] / "inventories" / "components"
NOT_PRICED = {
    "aws:dms/replicationConfig:ReplicationConfig",
    "aws:elasticache/serverlessCache:ServerlessCache",
    "aws:s3tables/tableBucket:TableBucket",
    "aws:scheduler/schedule:Schedule",
    "gcp:bigtable/instance:Instance",
    "gcp:cloudscheduler/job:Job",
    "gcp:dataplex/datascan:Datascan",
    "gcp:workflows/workflow:Workflow",
    "kubernetes:karpenter.k8s.aws/v1:EC2NodeClass",
    "kubernetes:karpenter.sh/v1:NodePool",
}
"""Types of components that have no rule: they are reported, docs/cost.md lists them."""


def _types_of_components() -> set[str]:
    key = re.compile(r"^  (\S+:\S+:\S+) \S+:$", re.MULTILINE)
    return {type_ for file in COMPONENTS.rglob("*.yaml") for type_ in key.findall(file.read_text())}


def test_types_of_all_components_have_a_rule() -> None:
    types = _types_of_components()
    assert len(types) > 150, "inventories are still read"
    missing = {type_ for type_ in types if type_ not in rules.PRICED and rules.reason_free(type_) is None}
    assert missing == NOT_PRICED, "add a rule or a reason to cli/estimate/prices/rules.toml"


def test_priced_type_is_not_also_free() -> None:
    both = [type_ for type_ in rules.PRICED if any(fnmatchcase(type_, pattern) for pattern in rules.FREE)]
    assert both == []


@pytest.mark.parametrize(
    "rule", [*rules.FIXED, *rules.USAGE], ids=lambda rule: f"{rule['type']} {rule['item']}"
)
def test_price_of_a_rule_is_in_the_table_of_its_cloud(rule: dict[str, str]) -> None:
    assert rule["price"] in table.load(rule["type"].partition(":")[0]).prices


def test_unknown_type_is_unpriced_and_in_no_sum() -> None:
    estimate = make(resource("aws:redshift/cluster:Cluster"), resource("aws:kms/key:Key"))
    assert [entry.resource for entry in estimate.unpriced] == ["aws:redshift/cluster:Cluster one"]
    assert estimate.total.idle == pytest.approx(1.0)


def test_class_without_a_price_is_unpriced() -> None:
    database = resource(
        "aws:rds/instance:Instance", instanceClass="db.x2g.large", allocatedStorage=20, storageType="gp3"
    )
    estimate = make(database)
    assert [entry.reason for entry in estimate.unpriced] == ["no price rds/db.x2g.large in prices/aws.toml"]
    assert [line.item for line in estimate.lines] == ["disk, gp3"]


def test_free_type_is_counted_with_its_reason() -> None:
    estimate = make(resource("aws:iam/role:Role", "a"), resource("aws:iam/role:Role", "b"))
    assert estimate.free == {("aws:iam/role:Role", "no charge"): 2}
    assert estimate.lines == []


def test_standby_of_a_database_is_paid_and_its_disk_grows_at_maximum() -> None:
    database = resource(
        "aws:rds/instance:Instance",
        instanceClass="db.t4g.small",
        allocatedStorage=20,
        maxAllocatedStorage=100,
        storageType="gp3",
        multiAz=True,
    )
    total = make(database).total
    assert total.idle == pytest.approx(2 * (730 * 0.032 + 20 * 0.115))
    assert total.maximum == pytest.approx(2 * (730 * 0.032 + 100 * 0.115))


def test_interface_endpoint_costs_by_zone_and_gateway_endpoint_nothing() -> None:
    interface = resource(
        "aws:ec2/vpcEndpoint:VpcEndpoint", "sts", vpcEndpointType="Interface", subnetIds=["a", "b"]
    )
    gateway = resource("aws:ec2/vpcEndpoint:VpcEndpoint", "s3", vpcEndpointType="Gateway")
    assert make(interface, gateway).total.idle == pytest.approx(2 * 730 * 0.01)


def test_load_balancer_of_a_service_is_priced() -> None:
    balanced = resource("kubernetes:core/v1:Service", "public", spec={"type": "LoadBalancer"})
    inside = resource("kubernetes:core/v1:Service", "inside", spec={"type": "ClusterIP"})
    assert [line.resource for line in make(balanced, inside).lines] == ["kubernetes:core/v1:Service public"]


def test_zonal_cluster_has_the_credit_of_one_unless_it_is_switched_off() -> None:
    zonal = resource("gcp:container/cluster:Cluster", location="us-central1-a")
    regional = resource("gcp:container/cluster:Cluster", location="us-central1")
    assert make(zonal, cloud="gcp").total.idle == pytest.approx(0)
    assert make(zonal, cloud="gcp", credits=False).total.idle == pytest.approx(73)
    assert make(regional, cloud="gcp").total.idle == pytest.approx(73)


def test_internal_address_costs_nothing() -> None:
    internal = resource(
        "gcp:compute/globalAddress:GlobalAddress", addressType="INTERNAL", purpose="VPC_PEERING"
    )
    external = resource("gcp:compute/address:Address", addressType="EXTERNAL")
    assert make(internal, external, cloud="gcp").total.idle == pytest.approx(3.65)


def test_volumes_of_a_chart_count_by_replicas_unless_its_objects_are_present() -> None:
    claim = {"volumeClaimTemplate": {"spec": {"resources": {"requests": {"storage": "100Gi"}}}}}
    values = {"prometheus": {"prometheusSpec": {"replicas": 2, "storageSpec": claim}}}
    chart = resource("kubernetes:helm.sh/v4:Chart", "stack", values=values)
    rendered = resource(
        "kubernetes:monitoring.coreos.com/v1:Prometheus",
        "stack-prometheus",
        chart.urn,
        spec={"replicas": 2, "storage": claim},
    )
    assert make(chart).total.idle == pytest.approx(2 * 100 * 0.08)
    assert make(chart, rendered).total.idle == pytest.approx(2 * 100 * 0.08)


def test_prices_of_another_region_are_reported() -> None:
    from cli.estimate import estimate
    from cli.estimate.usage import Usage

    aws = table.load("aws")
    abroad = estimate.make("aws-dev", "eu-central-1", [], aws, Usage("dev"))
    equal = estimate.make("aws-dev", "us-west-2", [], aws, Usage("dev"))
    assert abroad.notes == ["prices of us-east-1 stand for those of eu-central-1"]
    assert equal.notes == []


def test_lines_have_one_order_whatever_that_of_a_charts_values() -> None:
    def volume(size: str) -> dict[str, Any]:
        return {"volumeClaimTemplate": {"spec": {"resources": {"requests": {"storage": size}}}}}

    values = {"prometheus": volume("20Gi"), "alertmanager": volume("2Gi")}
    documents = [
        estimate.document(make(resource(CHART, values=dict(entries))))
        for entries in (values.items(), reversed(values.items()))
    ]
    assert documents[0] == documents[1]
    assert len(documents[0]["lines"]) == 2
