"""RDS: subnet groups and parameter groups."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call
from twin.aws.resources.fields import Field, kept, reads, to_api
from twin.aws.resources.tags import Tagging
from twin.provider_interface import AutoName, Failure, Props

ADD: Final = Call("AddTagsToResource", {"ResourceName": "{arn}", "Tags": "{tags}"})
REMOVE: Final = Call("RemoveTagsFromResource", {"ResourceName": "{arn}", "TagKeys": "{keys}"})
_TAGGING: Final = Tagging(
    listing=Call("ListTagsForResource", {"ResourceName": "{arn}"}), listed="TagList", add=ADD, remove=REMOVE
)
_MANAGED: Final = "Managed by Pulumi"
_GROUP_NAME: Final = re.compile(r"[0-9a-z][0-9a-z_. -]*")


class SubnetGroup(AwsResource):
    token = "aws:rds/subnetGroup:SubnetGroup"
    service = "rds"
    title = "RDS Subnet Group"
    fields = {
        "name": Field("DBSubnetGroupName"),
        "description": Field("DBSubnetGroupDescription"),
        "subnetIds": Field("SubnetIds", read="Subnets[].SubnetIdentifier"),
        **kept("namePrefix"),
        **reads(arn="DBSubnetGroupArn", vpcId="VpcId", supportedNetworkTypes="SupportedNetworkTypes"),
    }
    create_call = Call("CreateDBSubnetGroup")
    id_path = "DBSubnetGroup.DBSubnetGroupName"
    read_call = Call("DescribeDBSubnetGroups", {"DBSubnetGroupName": "{id}"})
    item = "DBSubnetGroups[0]"
    not_found = frozenset({"DBSubnetGroupNotFoundFault"})
    delete_call = Call("DeleteDBSubnetGroup", {"DBSubnetGroupName": "{id}"})
    busy = frozenset({"InvalidDBSubnetGroupStateFault"})
    tagging = _TAGGING
    autoname = AutoName(max_length=255, lower=True)
    name_prefix = ("namePrefix", "name", 255)
    sets = frozenset({"supportedNetworkTypes"})
    defaults = {"description": _MANAGED}
    paths = {
        "DBSubnetGroupAlreadyExists": "name",
        "DBSubnetGroupDoesNotCoverEnoughAZs": "subnetIds",
        "InvalidSubnet": "subnetIds",
        "InvalidParameterValue": "name",
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        name = inputs.get("name")
        if isinstance(name, str) and not _GROUP_NAME.fullmatch(name):
            yield Failure(
                "name",
                "only lowercase alphanumeric characters, hyphens, underscores, periods, and spaces allowed "
                "in "
                f'"name", got {name}',
            )

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            params = {
                name: value for name, value in self.create_params(context, new).items() if name != "Tags"
            }
            context.call("rds", "ModifyDBSubnetGroup", {**params, "DBSubnetGroupName": id})


_PARAMETERS: Final = {
    "name": Field("ParameterName"),
    "value": Field("ParameterValue"),
    "applyMethod": Field("ApplyMethod"),
}
_AT_ONCE: Final = 20
"""Parameters that one call may change."""


class ParameterGroup(AwsResource):
    token = "aws:rds/parameterGroup:ParameterGroup"
    service = "rds"
    title = "RDS DB Parameter Group"
    fields = {
        "name": Field("DBParameterGroupName"),
        "family": Field("DBParameterGroupFamily"),
        "description": Field("Description"),
        "parameters": Field(of=_PARAMETERS, read=""),
        **kept("namePrefix", "skipDestroy"),
        **reads(arn="DBParameterGroupArn"),
    }
    create_call = Call("CreateDBParameterGroup")
    id_path = "DBParameterGroup.DBParameterGroupName"
    read_call = Call("DescribeDBParameterGroups", {"DBParameterGroupName": "{id}"})
    item = "DBParameterGroups[0]"
    not_found = frozenset({"DBParameterGroupNotFound"})
    delete_call = Call("DeleteDBParameterGroup", {"DBParameterGroupName": "{id}"})
    busy = frozenset({"InvalidDBParameterGroupState"})
    tagging = _TAGGING
    autoname = AutoName(max_length=255, lower=True)
    name_prefix = ("namePrefix", "name", 255)
    defaults = {
        "description": _MANAGED,
    }
    paths = {"DBParameterGroupAlreadyExists": "name", "InvalidParameterValue: family": "family"}

    def rules(self, inputs: Props) -> Iterator[Failure]:
        parameters = inputs.get("parameters")
        for index, each in enumerate(parameters if isinstance(parameters, list) else []):
            method = each.get("applyMethod") if isinstance(each, dict) else None
            if isinstance(method, str) and method not in ("immediate", "pending-reboot"):
                yield Failure(
                    f"parameters[{index}].applyMethod",
                    f"expected apply_method to be one of [immediate pending-reboot], got {method}",
                )

    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        self._set(context, id, inputs.get("parameters") or [])

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        asked = {"DBParameterGroupName": id, "Source": "user"}
        told = context.call("rds", "DescribeDBParameters", asked)["Parameters"]
        found = [
            {
                "name": each["ParameterName"],
                "value": each["ParameterValue"],
                "applyMethod": each.get("ApplyMethod") or "immediate",
            }
            for each in told
            if "ParameterValue" in each
        ]
        return {"parameters": found} if found else {}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if "parameters" not in self.changed(old, new):
            return
        before, wanted = old.get("parameters") or [], new.get("parameters") or []
        names = {each["name"] for each in wanted}
        gone = [{**each, "applyMethod": "pending-reboot"} for each in before if each["name"] not in names]
        for first in range(0, len(gone), _AT_ONCE):
            some = [to_api(_PARAMETERS, each) for each in gone[first : first + _AT_ONCE]]
            context.call("rds", "ResetDBParameterGroup", {"DBParameterGroupName": id, "Parameters": some})
        self._set(context, id, [each for each in wanted if each not in before])

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        if not state.get("skipDestroy"):
            super().unmake(context, id, state)

    @staticmethod
    def _set(context: AwsContext, id: str, parameters: list[Props]) -> None:
        for first in range(0, len(parameters), _AT_ONCE):
            some = [
                to_api(_PARAMETERS, {"applyMethod": "immediate", **each})
                for each in parameters[first : first + _AT_ONCE]
            ]
            context.call("rds", "ModifyDBParameterGroup", {"DBParameterGroupName": id, "Parameters": some})
