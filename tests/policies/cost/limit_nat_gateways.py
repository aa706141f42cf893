"""Spec of cost.limit_nat_gateways."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Case, Fails, Spec, Stack, resource


def _gateways(count: int, **props: Any) -> Stack:
    token = "aws:ec2/natGateway:NatGateway"
    return Stack([resource(token, {"subnetId": "a", **props}, name=f"nat-{index}") for index in range(count)])


SPEC = Spec(
    passes={"one a zone": _gateways(3), "private ones": _gateways(9, connectivityType="private")},
    fails={
        "six": Fails(_gateways(6), "", "one of 6 NAT gateways, more than 4", of="nat-4", count=2),
        "five, the last first": Fails(Stack([*reversed(_gateways(5).resources)]), "", of="nat-4"),
    },
    unknown={"a kind": _gateways(1, connectivityType=UNKNOWN)},
    configured={
        "dev shares one": Case(_gateways(2), {"most": 1}, fails=True),
        "a large network": Case(_gateways(6), {"most": 6}, fails=False),
    },
)
