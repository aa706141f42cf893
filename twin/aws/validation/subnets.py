"""Groups of subnets, as RDS, DMS and ElastiCache take them: all there, and of one network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twin.aws.api_server.request import Refusal
from twin.aws.validation.moto_state import MotoState


def of_one_network(
    ids: Iterable[str] | None, state: MotoState, missing: Callable[[str], str], what: str
) -> list[Any]:
    """The subnets. missing: the words for one that is not there. what: they are of (`a DB subnet group`)."""
    subnets: list[Any] = []
    for id in ids or ():
        try:
            subnets.append(state.subnet(id))
        except Refusal:
            raise Refusal("InvalidSubnet", missing(id)) from None
    if len({subnet.vpc_id for subnet in subnets}) > 1:
        raise Refusal("InvalidSubnet", f"The subnets of {what} must be in one VPC.")
    return subnets


def zones(subnets: Iterable[Any]) -> list[str]:
    """The zones that they are in, each once."""
    return sorted({subnet.availability_zone for subnet in subnets})
