"""EC2's security groups and their rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from botocore.exceptions import ClientError

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.waiting import Checked
from twin.core.normalization import canonical
from twin.provider_interface import UNKNOWN, Failure, Props

PROTOCOLS: Final = {"all": "-1", "-1": "-1", "6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}
_WITH_PORTS: Final = ("tcp", "udp")
_KINDS: Final = {"ingress": ("IpPermissions", "Ingress"), "egress": ("IpPermissionsEgress", "Egress")}
"""Kind -> the member of what EC2 reports, and the word in the names of its calls."""
SOURCES: Final = {
    "IpRanges": "CidrIp",
    "Ipv6Ranges": "CidrIpv6",
    "PrefixListIds": "PrefixListId",
    "UserIdGroupPairs": "GroupId",
}
"""Member of a permission -> what names a source in it."""
_NAMES: Final = dict(
    zip(SOURCES, ("cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "securityGroups"), strict=True)
)


def protocol(value: Any) -> Any:
    """EC2's own word for a protocol (`tcp` for 6)."""
    return PROTOCOLS.get(str(value).lower(), str(value).lower()) if isinstance(value, str) else value


def port_failures(path: str, rule: Mapping[str, Any], protocol_name: str) -> Iterator[Failure]:
    """Ports in their range and in order, as AuthorizeSecurityGroup* demands."""
    word = protocol(rule.get(protocol_name))
    low, high = rule.get("fromPort"), rule.get("toPort")
    if word is UNKNOWN or UNKNOWN in (low, high) or not isinstance(word, str):
        return
    if word == "-1":
        if (low or 0) not in (0, -1) or (high or 0) not in (0, -1):
            yield Failure(
                f"{path}fromPort",
                f"from_port ({low}) and to_port ({high}) must both be 0 to use the 'ALL' \"-1\" protocol!",
            )
        return
    if word not in _WITH_PORTS:
        return
    for name, value in (("fromPort", low), ("toPort", high)):
        if value is None:
            yield Failure(
                f"{path}{name}", f"Must specify both from and to ports with TCP/UDP; {name} is missing"
            )
        elif not 0 <= value <= 65535:
            yield Failure(f"{path}{name}", f"Invalid value '{value}' for portRange: a port is 0 to 65535")
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low > high:
        yield Failure(
            f"{path}fromPort",
            f"Invalid TCP port range ({low}-{high}): fromPort must not be above toPort",
        )


def _sources(rule: Mapping[str, Any], own_id: str) -> Iterator[tuple[str, str]]:
    for member, name in _NAMES.items():
        yield from ((member, source) for source in rule.get(name) or [])
    if rule.get("self"):
        yield "UserIdGroupPairs", own_id


def _permissions(rules: Sequence[Mapping[str, Any]], own_id: str) -> list[Props]:
    """One permission a source: EC2 keeps them so, and each can be compared and revoked alone."""
    permissions: list[Props] = []
    for rule in rules:
        word = protocol(rule["protocol"])
        ports = {} if word == "-1" else {"FromPort": int(rule["fromPort"]), "ToPort": int(rule["toPort"])}
        for member, source in _sources(rule, own_id):
            described = {"Description": rule["description"]} if rule.get("description") else {}
            permissions.append(
                {"IpProtocol": word, **ports, member: [{SOURCES[member]: source, **described}]}
            )
    return permissions


def _split(permissions: Sequence[Mapping[str, Any]]) -> list[Props]:
    # What EC2 answers, in the form of _permissions.
    split: list[Props] = []
    for permission in permissions:
        word = permission["IpProtocol"]
        ports = {
            k: permission[k] for k in ("FromPort", "ToPort") if word != "-1" and permission.get(k) is not None
        }
        for member, key in SOURCES.items():
            for source in permission.get(member, []):
                reported = {k: source[k] for k in (key, "Description") if source.get(k)}
                split.append({"IpProtocol": word, **ports, member: [reported]})
    return split


def _rules(permissions: Sequence[Mapping[str, Any]], own_id: str, known: Any) -> list[Props]:
    """Permissions as inline rules, joined as the state has them, the rest as one rule a source."""
    present = {canonical(permission): permission for permission in _split(permissions)}
    rules: list[Props] = []
    for rule in known or []:
        parts = [canonical(part) for part in _permissions([rule], own_id)]
        if parts and all(part in present for part in parts):
            for part in parts:
                present.pop(part)
            rules.append(dict(rule))
    rules.extend(_rule(permission, own_id) for permission in present.values())
    return rules


def _rule(permission: Mapping[str, Any], own_id: str) -> Props:
    member = next(member for member in SOURCES if member in permission)
    [source] = permission[member]
    value = source[SOURCES[member]]
    return {
        "protocol": permission["IpProtocol"],
        "fromPort": permission.get("FromPort", 0),
        "toPort": permission.get("ToPort", 0),
        "description": source.get("Description", ""),
        "self": value == own_id,
        **({_NAMES[member]: [value]} if value != own_id else {}),
    }


class SecurityGroup(AwsResource):
    def rules(self, inputs: Props) -> Iterator[Failure]:
        for kind in _KINDS:
            rules = inputs.get(kind)
            for index, rule in enumerate(rules if isinstance(rules, list) else []):
                if isinstance(rule, Mapping):
                    yield from port_failures(f"{kind}[{index}].", rule, "protocol")

    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        # EC2 gives every new group a rule that lets everything out; the provider takes it away, so that
        # the group has the rules that the program names and no others.
        self._set(context, id, {kind: inputs.get(kind) or [] for kind in _KINDS})

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        self._set(context, id, {kind: new[kind] for kind in _KINDS if new.get(kind) is not None})

    def outputs(self, context: AwsContext, id: str, item: Any, state: Props) -> Props:
        outputs = super().outputs(context, id, item, state)
        for kind, (member, _) in _KINDS.items():
            known = state.get(kind)
            if known is not None or not state:
                outputs[kind] = _rules(item.get(member, []), id, known)
        return outputs

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        if state.get("revokeRulesOnDelete"):
            self._set(context, id, {"ingress": [], "egress": []})
        super().unmake(context, id, state)

    def _set(self, context: AwsContext, id: str, wanted: Mapping[str, Any]) -> None:
        """Make the group's rules of these kinds equal to the wanted ones: revoke first, then authorize."""
        group = self.find(context, id, {}) or {}
        for kind, rules in wanted.items():
            member, word = _KINDS[kind]
            have = {canonical(permission): permission for permission in _split(group.get(member, []))}
            want = {canonical(permission): permission for permission in _permissions(rules, id)}
            for action, permissions in (
                ("Revoke", [p for key, p in have.items() if key not in want]),
                ("Authorize", [p for key, p in want.items() if key not in have]),
            ):
                if permissions:
                    params = {"GroupId": id, "IpPermissions": permissions}
                    context.call("ec2", f"{action}SecurityGroup{word}", params)


class DefaultSecurityGroup(SecurityGroup):
    """The VPC's default security group, adopted: its rules become what the program says, none if nothing."""

    autoname = None

    def checked_calls(self, context: AwsContext, inputs: Props) -> Iterator[Checked]:
        return iter(())

    def make(self, context: AwsContext, inputs: Props) -> Props:
        vpc_id = inputs.get("vpcId") or self._default_vpc(context)
        filters = [{"Name": "group-name", "Values": ["default"]}, {"Name": "vpc-id", "Values": [vpc_id]}]
        groups = context.call("ec2", "DescribeSecurityGroups", {"Filters": filters})["SecurityGroups"]
        if not groups:
            error = {"Code": "InvalidVpcID.NotFound", "Message": f"The vpc ID '{vpc_id}' does not exist"}
            raise ClientError({"Error": error}, "DescribeSecurityGroups")  # type: ignore[arg-type]
        group = groups[0]
        if self.tagging:
            before = self.tagging.decoded(group.get("Tags"))
            self.tagging.change(
                context, "ec2", {"id": group["GroupId"]}, before, context.tags.merged(inputs.get("tags"))
            )
        return {"GroupId": group["GroupId"]}

    @staticmethod
    def _default_vpc(context: AwsContext) -> str:
        filters = [{"Name": "is-default", "Values": ["true"]}]
        vpcs = context.call("ec2", "DescribeVpcs", {"Filters": filters})["Vpcs"]
        return str(vpcs[0]["VpcId"]) if vpcs else ""

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        self._set(context, id, {kind: new.get(kind) or [] for kind in _KINDS})

    def outputs(self, context: AwsContext, id: str, item: Any, state: Props) -> Props:
        # Rules that the program does not name are drift here, as it owns all of them.
        outputs = super().outputs(context, id, item, state)
        for kind, (member, _) in _KINDS.items():
            rules = _rules(item.get(member, []), id, state.get(kind))
            if rules or state.get(kind) is not None:
                outputs[kind] = rules
            else:
                outputs.pop(kind, None)
        return outputs

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        """It belongs to the VPC: AWS allows no delete, and the provider forgets it."""
