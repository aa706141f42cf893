"""RDS's subnet groups and parameter groups, and the words of RDS's refusals."""

from __future__ import annotations

from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.services.rds.data import ENGINES
from twin.aws.validation import stated, subnets
from twin.aws.validation.extension_store import require
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]


def wrong(words: str) -> Refusal:
    """A value that RDS does not take."""
    return Refusal("InvalidParameterValue", words)


def apart(words: str) -> Refusal:
    """Values that do not go together."""
    return Refusal("InvalidParameterCombination", words)


def create_subnet_group(params: Params, state: MotoState) -> None:
    """CreateDBSubnetGroup: a new name, two zones of one VPC."""
    _covers(params, state)


def modify_subnet_group(params: Params, state: MotoState) -> None:
    """ModifyDBSubnetGroup: subnets that instances are in stay."""
    group = subnet_group(state, params.get("DBSubnetGroupName"))
    _covers(params, state)
    if any(state.subnet(id).vpc_id != group.vpc_id for id in params["SubnetIds"]):
        raise Refusal("InvalidSubnet", "The new Subnets are not in the same Vpc as the existing subnet group")


def _no_subnet(id: str) -> str:
    return f"The following subnets don't exist: [{id}]"


def _covers(params: Params, state: MotoState) -> None:
    there = subnets.of_one_network(params.get("SubnetIds"), state, _no_subnet, "a DB subnet group")
    zones = subnets.zones(there)
    if len(zones) < 2:
        raise Refusal(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ "
            f"coverage: {', '.join(zones)}. Add subnets to cover at least 2 AZs.",
        )


def create_parameter_group(params: Params, _: MotoState) -> None:
    """CreateDBParameterGroup."""
    family = str(params.get("DBParameterGroupFamily"))
    known = {
        f"{kind}{engine.major(version)}" for kind, engine in ENGINES.items() for version in engine.versions
    }
    if family.startswith(tuple(ENGINES)) and family not in known:
        raise wrong(f"ParameterGroupFamily {family} is not a valid parameter group family")


def subnet_group(state: MotoState, name: Any) -> Any:
    """A subnet group, or RDS's refusal."""
    return require(
        backend(state).subnet_groups,
        name,
        "DBSubnetGroupNotFoundFault",
        f"DB subnet group '{name}' does not exist.",
        404,
    )


def parameter_group(state: MotoState, name: Any) -> Any:
    """A parameter group, or RDS's refusal."""
    words = f"DBParameterGroup not found: {name}"
    return require(backend(state).db_parameter_groups, name, "DBParameterGroupNotFound", words, 404)


def backend(state: MotoState) -> Any:
    """moto's RDS of the region."""
    return state.moto.backend("rds", state.region)


RULES: Final = stated.rules(
    __name__,
    {
        "CreateDBSubnetGroup": create_subnet_group,
        "ModifyDBSubnetGroup": modify_subnet_group,
        "CreateDBParameterGroup": create_parameter_group,
    },
)
