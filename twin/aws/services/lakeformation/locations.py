"""Lake Formation's locations: what it refuses to register."""

from __future__ import annotations

import re
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.iam import service_roles
from twin.aws.services.lakeformation.state import Lake, Location
from twin.aws.services.s3tables import validation as s3tables
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]

_INVALID: Final = "InvalidInputException"
_MISSING: Final = "EntityNotFoundException"
_LINKED: Final = "aws-service-role/lakeformation.amazonaws.com/AWSServiceRoleForLakeFormationDataAccess"


def _locations(state: MotoState) -> dict[str, Location]:
    return Lake(state.moto.backend("lakeformation", state.region)).locations


def register(params: Params, state: MotoState) -> None:
    """RegisterResource: a bucket that is there, and a role that Lake Formation can assume."""
    arn = str(params["ResourceArn"])
    if arn.startswith("arn:aws:s3tables:"):
        _table_buckets(arn, params, state)
    else:
        _bucket(arn, state)
    if arn in _locations(state):
        raise Refusal("AlreadyExistsException", f"Resource is already registered: {arn}")
    role = params.get("RoleArn")
    if bool(role) == bool(params.get("UseServiceLinkedRole")):
        raise Refusal(_INVALID, "Either a RoleArn or UseServiceLinkedRole is needed, and not both")
    if role:
        _role(str(role), state)


def _bucket(arn: str, state: MotoState) -> None:
    match = re.fullmatch(r"arn:aws:s3:::([^/]+)(/.*)?", arn)
    if not match:
        raise Refusal(_INVALID, f"The location {arn!r} is none of S3: arn:aws:s3:::bucket/prefix")
    if match[1] not in state.s3.buckets:
        raise Refusal(_MISSING, f"The bucket {match[1]} of {arn} does not exist")


def _table_buckets(arn: str, params: Params, state: MotoState) -> None:
    """S3 Tables: all table buckets of the account and region, as a federated location by a role (Lake
    Formation developer guide, "Amazon S3 Tables integration with AWS Glue Data Catalog and AWS Lake
    Formation")."""
    every = s3tables.arn_of(state, "*")
    if arn != every:
        raise Refusal(_INVALID, f"The location of S3 Tables in this account and region is {every}, got {arn}")
    if not params.get("WithFederation"):
        raise Refusal(_INVALID, f"The location {arn} is federated: WithFederation must be true")
    if params.get("HybridAccessEnabled"):
        raise Refusal(_INVALID, f"Hybrid access mode is not supported for the federated location {arn}")
    if not params.get("RoleArn"):
        raise Refusal(_INVALID, f"The location {arn} needs a RoleArn: no service-linked role is used for it")


def update_resource(params: Params, state: MotoState) -> None:
    """UpdateResource."""
    _registered(params, state)
    _role(str(params["RoleArn"]), state)


def _role(arn: str, state: MotoState) -> None:
    if not arn.endswith(_LINKED) and service_roles.by("lakeformation.amazonaws.com", arn, state) is None:
        raise Refusal(
            _INVALID,
            f"The role {arn} does not exist, or its trust policy does not let lakeformation.amazonaws.com "
            "assume it",
        )


def _registered(params: Params, state: MotoState) -> None:
    if params["ResourceArn"] not in _locations(state):
        raise Refusal(_MISSING, f"Entity not found: {params['ResourceArn']}")


RULES: Final = {
    "RegisterResource": register,
    "UpdateResource": update_resource,
    "DescribeResource": _registered,
    "DeregisterResource": _registered,
}
