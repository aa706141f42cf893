"""EC2's security group rules as separate resources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import Field, pascal, to_api
from twin.aws.services.ec2.resources.security_groups import SOURCES, port_failures, protocol
from twin.provider_interface import UNKNOWN, Failure, Props

_FIELDS: Final = {
    **pascal("ipProtocol", "fromPort", "toPort", "cidrIpv4", "cidrIpv6", "prefixListId", "description"),
    "referencedSecurityGroupId": Field("ReferencedGroupId"),
}
_SOURCES: Final = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")


class _Rule(AwsResource):
    """A separate rule, by the id that EC2 gives it."""

    direction = ""

    def rules(self, inputs: Props) -> Iterator[Failure]:
        yield from port_failures("", inputs, "ipProtocol")

    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        params = super().create_params(context, inputs)
        return {**params, "IpPermissions": [self._permission(inputs)]}

    def property_of(self, path: str) -> str:
        known = {"IpProtocol": "ipProtocol", "FromPort": "fromPort", "ToPort": "toPort"}
        return known.get(path.rpartition(".")[2]) or super().property_of(path)

    def same(self, path: str, old: Any, new: Any) -> bool:
        if path == "ipProtocol":
            return bool(protocol(old) == protocol(new))
        return super().same(path, old, new)

    def outputs(self, context: AwsContext, id: str, item: Any, state: Props) -> Props:
        outputs = super().outputs(context, id, item, state)
        if outputs.get("ipProtocol") == "-1":  # EC2 reports -1 for ports that mean nothing
            outputs = {
                k: v
                for k, v in outputs.items()
                if k not in ("fromPort", "toPort") or state.get(k) is not None
            }
        word = state.get("ipProtocol")
        if word is not None and protocol(word) == outputs.get("ipProtocol"):
            outputs["ipProtocol"] = word
        return outputs

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if not self.changed(old, new):
            return
        rule = to_api(_FIELDS, {**new, "ipProtocol": protocol(new["ipProtocol"])})
        change = {"SecurityGroupRuleId": id, "SecurityGroupRule": rule}
        group = {"GroupId": old["securityGroupId"], "SecurityGroupRules": [change]}
        context.call("ec2", "ModifySecurityGroupRules", group)

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        params = {"GroupId": state["securityGroupId"], "SecurityGroupRuleIds": [id]}
        context.call("ec2", f"RevokeSecurityGroup{self.direction}", params)

    @staticmethod
    def _permission(inputs: Props) -> Props:
        permission: Props = {"IpProtocol": protocol(inputs.get("ipProtocol"))}
        for name, api in (("fromPort", "FromPort"), ("toPort", "ToPort")):
            if inputs.get(name) is not None and permission["IpProtocol"] != "-1":
                permission[api] = inputs[name] if inputs[name] is UNKNOWN else int(inputs[name])
        described = {"Description": inputs["description"]} if inputs.get("description") else {}
        for name, (member, key) in zip(_SOURCES, SOURCES.items(), strict=True):
            if inputs.get(name) is not None:
                permission[member] = [{key: inputs[name], **described}]
        return permission


class SecurityGroupIngressRule(_Rule):
    direction = "Ingress"


class SecurityGroupEgressRule(_Rule):
    direction = "Egress"
