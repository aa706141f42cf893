"""Service Quotas, as far as EC2's vCPUs, networks and Lambda's executions go: what an account may have.

Codes, names and a new account's values: EC2 user guide, "Amazon EC2 quotas" and "Spot Instance quotas";
Lambda developer guide, "Lambda quotas". A twin's account is an established one, whose quotas were raised; the
injected error `new_account` gives it a new one's, and `quota` another value of one quota of vCPUs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.services.ec2 import quotas as networks


@dataclass(frozen=True)
class Quota:
    """vCPUs of the running instances of a kind. families: the letters with which their types begin."""

    code: str
    name: str
    families: frozenset[str]
    spot: bool
    default: float = 0.0


RAISED: Final = 10_000.0
"""What an established account has of each."""
_STANDARD: Final = frozenset({"a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"})
_G: Final = frozenset({"g", "gr", "vt"})
_LETTERS: Final = "Standard (A, C, D, H, I, M, R, T, Z)"
QUOTAS: Final = (
    Quota("L-1216C47A", f"Running On-Demand {_LETTERS} instances", _STANDARD, spot=False, default=5.0),
    Quota("L-DB2E81BA", "Running On-Demand G and VT instances", _G, spot=False),
    Quota("L-417A185B", "Running On-Demand P instances", frozenset({"p"}), spot=False),
    Quota("L-1945791B", "Running On-Demand Inf instances", frozenset({"inf"}), spot=False),
    Quota("L-2C3B7624", "Running On-Demand Trn instances", frozenset({"trn"}), spot=False),
    Quota("L-34B43A08", f"All {_LETTERS} Spot Instance Requests", _STANDARD, spot=True, default=5.0),
    Quota("L-3819A6DF", "All G and VT Spot Instance Requests", _G, spot=True),
    Quota("L-7212CCBC", "All P4, P3 and P2 Spot Instance Requests", frozenset({"p2", "p3", "p4"}), spot=True),
    Quota("L-C4BD4855", "All P5 Spot Instance Requests", frozenset({"p5"}), spot=True),
    Quota("L-B5D1601B", "All Inf Spot Instance Requests", frozenset({"inf"}), spot=True),
    Quota("L-6B0D517C", "All Trn Spot Instance Requests", frozenset({"trn"}), spot=True),
)
NETWORKS: Final = {
    ("vpc", "L-F678F1CE"): ("VPCs per Region", networks.VPCS),
    ("vpc", "L-A4707A72"): ("Internet gateways per Region", networks.INTERNET_GATEWAYS),
    ("vpc", "L-FE5A380F"): ("NAT gateways per Availability Zone", networks.NAT_GATEWAYS_PER_ZONE),
    ("ec2", "L-0263D0A3"): ("EC2-VPC Elastic IPs", networks.ADDRESSES),
}
"""(service, code) -> name and value of the quotas that the twin keeps to, which were never raised."""
_TITLES: Final = {"vpc": "Amazon Virtual Private Cloud (Amazon VPC)"}
EXECUTIONS: Final = 1000.0
"""Lambda's executions at a time of an account in a region."""
NEW_EXECUTIONS: Final = 10.0
"""Of a new account, which has "reduced concurrency" until it is used."""
_EXECUTIONS_CODE: Final = "L-B99A9384"
_SHAPE: Final = re.compile(r"([a-z]+)(\d*)")
_NAME: Final = "Amazon Elastic Compute Cloud (Amazon EC2)"


def quota_of(instance_type: str, *, spot: bool) -> Quota | None:
    """The quota that an instance of a type counts against, or None where none is known."""
    shape = _SHAPE.match(instance_type)
    kinds = {shape[1], shape[1] + shape[2]} if shape else set[str]()
    return next((quota for quota in QUOTAS if quota.spot == spot and kinds & quota.families), None)


def values(*, new_account: bool) -> Mapping[str, float]:
    """The account's vCPUs by code."""
    return {quota.code: quota.default if new_account else RAISED for quota in QUOTAS}


def exceeded(quota: Quota, limit: float) -> str:
    """EC2's words for an instance that is one too many."""
    if quota.spot:
        why = "MaxSpotInstanceCountExceeded - Max spot instance count exceeded"
        return f"Could not launch Spot Instances. {why}. Launching EC2 instance failed."
    return (
        "Could not launch On-Demand Instances. VcpuLimitExceeded - You have requested more vCPU capacity "
        f"than your current vCPU limit of {limit:g} allows for the instance bucket that the specified "
        "instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an "
        "adjustment to this limit. Launching EC2 instance failed."
    )


def answer(call: Call, server: Any) -> Answer | None:
    """GetAWSDefaultServiceQuota and GetServiceQuota of EC2 and Lambda; None for any other call."""
    if call.service != "servicequotas":
        return None
    new_account = server.faults.new_account()
    default = call.operation == "GetAWSDefaultServiceQuota"
    if not default and call.operation != "GetServiceQuota":
        raise NotImplementedError("the twin answers GetServiceQuota and GetAWSDefaultServiceQuota")
    code = str(call.params.get("QuotaCode"))
    if call.params.get("ServiceCode") == "lambda" and code == _EXECUTIONS_CODE:
        value = NEW_EXECUTIONS if new_account and not default else EXECUTIONS
        return _quota(call, "lambda", "AWS Lambda", code, "Concurrent executions", value, server, default)
    if network := NETWORKS.get((str(call.params.get("ServiceCode")), code)):
        service = str(call.params["ServiceCode"])
        title = _TITLES.get(service, _NAME)
        return _quota(call, service, title, code, network[0], float(network[1]), server, default)
    quota = next((quota_ for quota_ in QUOTAS if quota_.code == code), None)
    limits = server.faults.quota_limits()
    # What was never raised has no applied value.
    if (
        call.params.get("ServiceCode") != "ec2"
        or quota is None
        or (new_account and not default and code not in limits)
    ):
        raise Refusal(
            "NoSuchResourceException",
            "The request failed because the specified service quota does not exist.",
        )
    value = quota.default if default else limits.get(code, RAISED)
    return _quota(call, "ec2", _NAME, code, quota.name, value, server, default)


def _quota(
    call: Call, service: str, title: str, code: str, name: str, value: float, server: Any, default: bool
) -> Answer:
    owner = "" if default else server.instance.account
    body = {
        "ServiceCode": service,
        "ServiceName": title,
        "QuotaArn": f"arn:aws:servicequotas:{call.region}:{owner}:{service}/{code}",
        "QuotaCode": code,
        "QuotaName": name,
        "Value": value,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }
    return Answer(200, [("Content-Type", "application/x-amz-json-1.1")], json.dumps({"Quota": body}).encode())
