"""Service Quotas, as far as EC2's vCPUs, networks and Lambda's executions go: what an account may have.

Codes, names and a new account's values: EC2 user guide, "Amazon EC2 quotas" and "Spot Instance quotas";
Lambda developer guide, "Lambda quotas". A twin's account is an established one, whose quotas were raised; the
injected error `new_account` gives it a new one's, and `quota` another value of one quota of vCPUs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.services.ec2 import quotas as networks
from twin.aws.validation import stated
from twin.aws.validation.extension_store import respond


@dataclass(frozen=True)
class Quota:
    """vCPUs of the running instances of a kind. families: the letters with which their types begin."""

    code: str
    name: str
    families: frozenset[str]
    spot: bool
    default: float = 0.0


_STATED: Final = stated.read(__name__)
RAISED: Final = 10_000.0
"""What an established account has of each."""
QUOTAS: Final = tuple(
    Quota(code, **{**quota, "families": frozenset(quota["families"])})
    for code, quota in _STATED["instances"].items()
)
NETWORKS: Final = {
    ("vpc", "L-F678F1CE"): ("VPCs per Region", networks.VPCS),
    ("vpc", "L-A4707A72"): ("Internet gateways per Region", networks.INTERNET_GATEWAYS),
    ("vpc", "L-FE5A380F"): ("NAT gateways per Availability Zone", networks.NAT_GATEWAYS_PER_ZONE),
    ("ec2", "L-0263D0A3"): ("EC2-VPC Elastic IPs", networks.ADDRESSES),
}
"""(service, code) -> name and value of the quotas that the twin keeps to, which were never raised."""
EXECUTIONS: Final = 1000.0
"""Lambda's executions at a time of an account in a region."""
NEW_EXECUTIONS: Final = 10.0
"""Of a new account, which has "reduced concurrency" until it is used."""
_EXECUTIONS_CODE: Final = "L-B99A9384"
_SHAPE: Final = re.compile(r"([a-z]+)(\d*)")


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
    service, code = str(call.params.get("ServiceCode")), str(call.params.get("QuotaCode"))
    known = _known(service, code, server, new_account=new_account, default=default)
    if known is None:
        raise Refusal(
            "NoSuchResourceException",
            "The request failed because the specified service quota does not exist.",
        )
    owner = "" if default else server.instance.account
    quota = {
        "ServiceCode": service,
        "ServiceName": _STATED["titles"][service],
        "QuotaArn": f"arn:aws:servicequotas:{call.region}:{owner}:{service}/{code}",
        "QuotaCode": code,
        "QuotaName": known[0],
        "Value": known[1],
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }
    return respond(call, {"Quota": quota})


def _known(
    service: str, code: str, server: Any, *, new_account: bool, default: bool
) -> tuple[str, float] | None:
    """Name and value of a quota. What was never raised has no applied value."""
    if (service, code) == ("lambda", _EXECUTIONS_CODE):
        return "Concurrent executions", NEW_EXECUTIONS if new_account and not default else EXECUTIONS
    if network := NETWORKS.get((service, code)):
        return network[0], float(network[1])
    quota = next((quota_ for quota_ in QUOTAS if quota_.code == code and service == "ec2"), None)
    limits = server.faults.quota_limits()
    if quota is None or (new_account and not default and code not in limits):
        return None
    return quota.name, quota.default if default else limits.get(code, RAISED)
