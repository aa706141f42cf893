"""Service Quotas: EC2's vCPUs of an established account, and of a new one."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from twin.aws.resources.function import table
from twin.aws.services.ec2.quotas import ADDRESSES, INTERNET_GATEWAYS, NAT_GATEWAYS_PER_ZONE, VPCS
from twin.aws.services.servicequotas.operations import NETWORKS, QUOTAS, RAISED, quota_of
from twin.checks.sdk import sdk
from twin.tests.aws.api_servers import Clients

STANDARD = {"ServiceCode": "ec2", "QuotaCode": "L-1216C47A"}


def test_an_established_account_has_raised_quotas_next_to_the_defaults(
    clients: Clients,
) -> None:
    quotas = clients("service-quotas")
    quota = quotas.get_service_quota(**STANDARD)["Quota"]
    default = quotas.get_aws_default_service_quota(**STANDARD)["Quota"]
    assert (quota["Value"], default["Value"]) == (RAISED, 5.0)
    assert quota["QuotaName"] == "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances"


def test_a_new_account_has_no_value_of_its_own_and_the_provider_answers_the_default(clients: Clients) -> None:
    token = "aws:servicequotas/getServiceQuota:getServiceQuota"
    arguments = {"serviceCode": "ec2", "quotaCode": "L-1216C47A"}
    assert table()[token].invoke(clients.context(), arguments)["value"] == RAISED
    clients.server.faults.add({"kind": "new_account"})
    try:
        with pytest.raises(ClientError, match="NoSuchResourceException"):
            clients("service-quotas").get_service_quota(**STANDARD)
        response = table()[token].invoke(clients.context(), arguments)
    finally:
        clients.server.faults.clear()
    assert (response["value"], response["defaultValue"]) == (5.0, 5.0)
    schema = sdk("pulumi_aws").function(token)
    assert schema is not None
    assert set(response) <= set(schema.result)


def test_a_quota_that_ec2_does_not_have_is_refused(clients: Clients) -> None:
    with pytest.raises(ClientError, match="NoSuchResourceException"):
        clients("service-quotas").get_service_quota(ServiceCode="ec2", QuotaCode="L-00000000")


def test_each_instance_counts_against_one_quota() -> None:
    assert len({quota.code for quota in QUOTAS}) == len(QUOTAS)
    for type_, spot, code in (("p5.48xlarge", True, "L-C4BD4855"), ("p5.48xlarge", False, "L-417A185B")):
        matching = quota_of(type_, spot=spot)
        assert matching is not None
        assert matching.code == code
    assert quota_of("u-6tb1.metal", spot=False) is None


def test_a_quota_of_the_account_is_answered_and_a_wrong_code_is_refused(clients: Clients) -> None:
    clients.server.faults.add({"kind": "quota", "code": "L-1216C47A", "limit": 3})
    try:
        quotas = clients("service-quotas")
        assert quotas.get_service_quota(**STANDARD)["Quota"]["Value"] == 3.0
        assert quotas.get_aws_default_service_quota(**STANDARD)["Quota"]["Value"] == 5.0
        shortage = clients.server.faults.shortage()["quotas"]
        assert (shortage["L-1216C47A"], shortage["L-DB2E81BA"]) == (3.0, RAISED)
    finally:
        clients.server.faults.clear()
    with pytest.raises(ValueError, match="L-0263D0A3"):
        clients.server.faults.add({"kind": "quota", "code": "L-0263D0A3", "limit": 3})


def test_quotas_of_networks_are_those_that_ec2_keeps_to(clients: Clients) -> None:
    quotas = clients("service-quotas")
    answers = {
        code: quotas.get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]["Value"]
        for service, code in NETWORKS
    }
    assert answers == {
        "L-F678F1CE": VPCS,
        "L-A4707A72": INTERNET_GATEWAYS,
        "L-FE5A380F": NAT_GATEWAYS_PER_ZONE,
        "L-0263D0A3": ADDRESSES,
    }
