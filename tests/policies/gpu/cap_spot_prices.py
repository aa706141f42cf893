"""Spec of gpu.cap_spot_prices."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Case, Fails, Resource, Spec, resource


def _template(price: Any = None, machine: str = "p5.48xlarge", market: Any = "spot") -> Resource:
    spot = {} if price is None else {"spotOptions": {"maxPrice": price}}
    return resource(
        "aws:ec2/launchTemplate:LaunchTemplate",
        {"instanceType": machine, "instanceMarketOptions": {"marketType": market, **spot}},
    )


def _request(**props: Any) -> Resource:
    return resource("aws:ec2/spotInstanceRequest:SpotInstanceRequest", {"instanceType": "g5.xlarge", **props})


def _group(share: Any, machine: Any = "p4d.24xlarge", **distribution: Any) -> Resource:
    return resource(
        "aws:autoscaling/group:Group",
        {
            "mixedInstancesPolicy": {
                "instancesDistribution": {"onDemandPercentageAboveBaseCapacity": share, **distribution},
                "launchTemplate": {"overrides": [{"instanceType": machine}]},
            }
        },
    )


_PRICE = "mixedInstancesPolicy.instancesDistribution.spotMaxPrice"

SPEC = Spec(
    passes={
        "a price": _template("31.50"),
        "a machine without accelerators": _template(None, "m7i.large"),
        "a template that is not of spot": resource(
            "aws:ec2/launchTemplate:LaunchTemplate", {"instanceType": "p5.48xlarge"}
        ),
        "capacity that is reserved": _template(None, market="capacity-block"),
        "a price of a request": _request(spotPrice="0.50"),
        "a price of a group": _group(0, spotMaxPrice="12"),
        "a group that is all on-demand": _group(100),
        "a group with defaults of spot": _group(None),
        "a group without accelerators": _group(0, "c7i.large"),
    },
    fails={
        "no price": Fails(
            _template(), "instanceMarketOptions.spotOptions.maxPrice", "up to its on-demand price"
        ),
        "more than anybody allowed": Fails(
            _template("98.32"), "instanceMarketOptions.spotOptions.maxPrice", "is 98.32 dollars an hour"
        ),
        "a request without a price": Fails(_request(), "spotPrice", "not set"),
        "a group without a price": Fails(_group(0, spotMaxPrice=""), _PRICE, "not set"),
        "a group that pays more": Fails(_group(50, spotMaxPrice="41"), _PRICE, "more than 40"),
    },
    unknown={
        "a price": _template(UNKNOWN),
        "a market": _template("1", market=UNKNOWN),
        "a request's price": _request(spotPrice=UNKNOWN),
        "a group's share": _group(UNKNOWN),
        "a group's price": _group(0, UNKNOWN, spotMaxPrice=UNKNOWN),
    },
    configured={
        "dev pays less": Case(_template("31.50"), {"most": 5}, fails=True),
        "a training of weeks": Case(_template("60"), {"most": 100}, fails=False),
    },
)
