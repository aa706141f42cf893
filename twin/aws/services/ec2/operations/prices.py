"""Prices of EC2 instances: GetProducts of the Price List API, and DescribeSpotPriceHistory.

prices.json has the on-demand prices of us-east-1, Linux, shared tenancy, in US dollars an hour, by family and
size (AWS Price List API, as recorded by aws/karpenter-provider-aws, pkg/providers/pricing). Every region of
the twin has them. AWS publishes no rule for spot prices: here they are a constant part of these.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from twin.aws.api_server.request import Answer, Call
from twin.aws.validation import extension_store

Params = dict[str, Any]

SPOT: Final = 0.4
"""The spot price, as a part of the on-demand price."""
_PAGE: Final = 100
_ATTRIBUTES: Final = {
    "serviceCode": "AmazonEC2",
    "preInstalledSw": "NA",
    "operatingSystem": "Linux",
    "capacitystatus": "Used",
    "marketoption": "OnDemand",
}


@cache
def on_demand() -> Mapping[str, float]:
    """Return US dollars an hour by instance type."""
    families: dict[str, dict[str, float]] = json.loads(Path(__file__).with_name("prices.json").read_text())
    return {f"{family}.{size}": price for family, sizes in families.items() for size, price in sizes.items()}


def price(instance_type: str, *, spot: bool) -> float:
    """Return US dollars an hour; infinity for a type without a price."""
    return on_demand().get(instance_type, float("inf")) * (SPOT if spot else 1)


def answer(call: Call) -> Answer | None:
    """GetProducts of EC2's instances on demand; None for a call of another service."""
    if call.service != "pricing":
        return None
    if call.operation != "GetProducts":
        raise NotImplementedError("the twin answers GetProducts")
    params = call.params
    filters: dict[str, str] = {"serviceCode": str(params.get("ServiceCode"))}
    filters |= {wanted["Field"]: wanted["Value"] for wanted in params.get("Filters") or []}
    region = filters.pop("regionCode", "us-east-1")
    products = [_product(kind, region) for kind in on_demand()]
    matching = [
        kind
        for kind, attributes in zip(on_demand(), products, strict=True)
        if all(attributes.get(field) == value for field, value in filters.items())
    ]
    start = int(params.get("NextToken") or 0)
    end = start + int(params.get("MaxResults") or _PAGE)
    body: Params = {
        "FormatVersion": "aws_v1",
        "PriceList": [json.dumps(_item(kind, region)) for kind in matching[start:end]],
    }
    if end < len(matching):
        body["NextToken"] = str(end)
    return extension_store.respond(call, body)


def _product(kind: str, region: str) -> dict[str, str]:
    metal = ".metal" in kind
    return {
        **_ATTRIBUTES,
        "regionCode": region,
        "instanceType": kind,
        "tenancy": "Dedicated" if metal else "Shared",
        "productFamily": "Compute Instance (bare metal)" if metal else "Compute Instance",
    }


def _item(kind: str, region: str) -> dict[str, Any]:
    attributes = _product(kind, region)
    family = attributes.pop("productFamily")
    dimension = {"unit": "Hrs", "pricePerUnit": {"USD": f"{on_demand()[kind]:.10f}"}}
    return {
        "product": {"productFamily": family, "attributes": attributes, "sku": kind},
        "serviceCode": "AmazonEC2",
        "terms": {"OnDemand": {f"{kind}.od": {"priceDimensions": {f"{kind}.od.hours": dimension}}}},
    }


def spot_history(params: Params, backend: Any) -> Params:
    """DescribeSpotPriceHistory: the price now, in each zone that offers the type."""
    from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS

    wanted = {one["Name"]: one["Values"] for one in params.get("Filters") or []}
    types = set(params.get("InstanceTypes") or wanted.get("instance-type") or on_demand())
    zones = [*wanted.get("availability-zone", []), *filter(None, [params.get("AvailabilityZone")])]
    offers = [
        offer
        for offer in INSTANCE_TYPE_OFFERINGS["availability-zone"].get(backend.region_name, [])
        if offer["InstanceType"] in types
        and offer["InstanceType"] in on_demand()
        and (not zones or offer["Location"] in zones)
    ]
    start = int(params.get("NextToken") or 0)
    end = start + int(params.get("MaxResults") or 1000)
    now = datetime.now(UTC)
    history = [
        {
            "InstanceType": offer["InstanceType"],
            "ProductDescription": "Linux/UNIX",
            "SpotPrice": f"{price(offer['InstanceType'], spot=True):.6f}",
            "Timestamp": now,
            "AvailabilityZone": offer["Location"],
        }
        for offer in offers[start:end]
    ]
    return {"SpotPriceHistory": history, "NextToken": str(end) if end < len(offers) else ""}


OPERATIONS: Final = extension_store.operations({"DescribeSpotPriceHistory": spot_history})
