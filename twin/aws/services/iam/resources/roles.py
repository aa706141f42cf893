"""IAM: roles, policies, instance profiles, OpenID Connect providers."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

from botocore.exceptions import ClientError

from twin.aws.api_server.errors import code_of
from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call, Update
from twin.aws.resources.documents import document_failures
from twin.aws.resources.fields import Field, json_text, kept, pascal, reads
from twin.aws.resources.tags import Tagging
from twin.core.normalization import canonical
from twin.provider_interface import AutoName, Failure, Props

MISSING: Final = frozenset({"NoSuchEntity", "NoSuchEntityException"})


def _document(value: Any) -> Any:
    # IAM answers documents URL-encoded; botocore decodes them into objects where the model says so.
    if isinstance(value, str):
        return unquote(value) if value.startswith("%7B") else value
    return json.dumps(value, separators=(",", ":"))


def time_text(value: Any) -> str:
    """A time as the provider's state holds it."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if hasattr(value, "strftime") else str(value)


def tagging_of(kind: str, key: str) -> Tagging:
    """IAM's calls for the tags of a kind (`Role`), whose id is the parameter `key`."""
    named = {key: "{id}"}
    return Tagging(
        add=Call(f"Tag{kind}", {**named, "Tags": "{tags}"}),
        remove=Call(f"Untag{kind}", {**named, "TagKeys": "{keys}"}),
    )


class Role(AwsResource):
    token = "aws:iam/role:Role"
    service = "iam"
    title = "IAM Role"
    regional = False
    fields = {
        "name": Field("RoleName"),
        "namePrefix": Field(read=""),
        **pascal("path", "description", "maxSessionDuration"),
        "permissionsBoundary": Field(
            "PermissionsBoundary", read="PermissionsBoundary.PermissionsBoundaryArn"
        ),
        "assumeRolePolicy": Field("AssumeRolePolicyDocument", encode=json_text, decode=_document),
        "managedPolicyArns": Field(read=""),
        "inlinePolicies": Field(read="", of={"name": Field(), "policy": Field()}),
        **kept("forceDetachPolicies"),
        "createDate": Field(read="CreateDate", decode=time_text),
        **reads(arn="Arn", uniqueId="RoleId"),
    }
    create_call = Call("CreateRole")
    id_path = "Role.RoleName"
    read_call = Call("GetRole", {"RoleName": "{id}"})
    item = "Role"
    not_found = MISSING
    updates = (
        Update(
            ("assumeRolePolicy",),
            Call("UpdateAssumeRolePolicy", {"RoleName": "{id}", "PolicyDocument": "{assumeRolePolicy}"}),
        ),
        Update(
            ("description", "maxSessionDuration"),
            Call(
                "UpdateRole",
                {
                    "RoleName": "{id}",
                    "Description": "{description}",
                    "MaxSessionDuration": "{maxSessionDuration}",
                },
            ),
        ),
    )
    delete_call = Call("DeleteRole", {"RoleName": "{id}"})
    tagging = tagging_of("Role", "RoleName")
    autoname = AutoName(max_length=64)
    name_prefix = ("namePrefix", "name", 64)
    documents = frozenset({"assumeRolePolicy", "inlinePolicies.policy"})
    paths = {
        "EntityAlreadyExists": "name",
        "MalformedPolicyDocument": "assumeRolePolicy",
        "InvalidPrincipalException": "assumeRolePolicy",
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        yield from document_failures("assumeRolePolicy", inputs.get("assumeRolePolicy"), "trust")
        for index, each in enumerate(_list(inputs.get("inlinePolicies"))):
            if isinstance(each, dict):
                yield from document_failures(
                    f"inlinePolicies[{index}].policy", each.get("policy"), "identity"
                )

    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        self._set_policies(context, id, {}, inputs)

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        super().change(context, id, old, {**new, "description": new.get("description") or ""})
        changed = self.changed(old, new)
        if "permissionsBoundary" in changed:
            given = {"RoleName": id}
            if new.get("permissionsBoundary"):
                given["PermissionsBoundary"] = new["permissionsBoundary"]
                context.call("iam", "PutRolePermissionsBoundary", given)
            else:
                context.call("iam", "DeleteRolePermissionsBoundary", given)
        if changed & {"managedPolicyArns", "inlinePolicies"}:
            self._set_policies(context, id, old, new)

    def outputs(self, context: AwsContext, id: str, item: Any, state: Props) -> Props:
        found = super().outputs(context, id, item, state)
        if state.get("managedPolicyArns") is not None or not state:
            told = context.call("iam", "ListAttachedRolePolicies", {"RoleName": id})["AttachedPolicies"]
            found["managedPolicyArns"] = _in_order(
                [p["PolicyArn"] for p in told], state.get("managedPolicyArns")
            )
        if state.get("inlinePolicies") is not None or not state:
            found["inlinePolicies"] = self._inline(context, id, state.get("inlinePolicies"))
        return found

    @staticmethod
    def _inline(context: AwsContext, id: str, known: Any) -> list[Props]:
        texts = {each.get("name"): each.get("policy") for each in known or []}
        made: list[Props] = []
        for name in context.call("iam", "ListRolePolicies", {"RoleName": id})["PolicyNames"]:
            answer = context.call("iam", "GetRolePolicy", {"RoleName": id, "PolicyName": name})
            text = _document(answer["PolicyDocument"])
            same = name in texts and canonical(texts[name]) == canonical(text)
            made.append({"name": name, "policy": texts[name] if same else text})
        order = list(texts)
        return sorted(
            made, key=lambda each: order.index(each["name"]) if each["name"] in order else len(order)
        )

    @staticmethod
    def _set_policies(context: AwsContext, id: str, old: Props, new: Props) -> None:
        if new.get("managedPolicyArns") is not None:
            want, have = set(new["managedPolicyArns"]), set(old.get("managedPolicyArns") or [])
            for arn in sorted(have - want):
                context.call("iam", "DetachRolePolicy", {"RoleName": id, "PolicyArn": arn})
            for arn in sorted(want - have):
                context.call("iam", "AttachRolePolicy", {"RoleName": id, "PolicyArn": arn})
        if new.get("inlinePolicies") is not None:
            wanted = {
                each["name"]: json_text(each["policy"]) for each in new["inlinePolicies"] if each.get("name")
            }
            before = {each["name"]: each["policy"] for each in old.get("inlinePolicies") or []}
            for name in sorted(before.keys() - wanted.keys()):
                context.call("iam", "DeleteRolePolicy", {"RoleName": id, "PolicyName": name})
            for name, text in wanted.items():
                if name not in before or canonical(before[name]) != canonical(text):
                    given = {"RoleName": id, "PolicyName": name, "PolicyDocument": text}
                    context.call("iam", "PutRolePolicy", given)

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        # What the role itself declares goes with it; what others attached is theirs, unless forced.
        force = bool(state.get("forceDetachPolicies"))
        if force or state.get("managedPolicyArns"):
            for policy in context.call("iam", "ListAttachedRolePolicies", {"RoleName": id})[
                "AttachedPolicies"
            ]:
                if force or policy["PolicyArn"] in state["managedPolicyArns"]:
                    context.call(
                        "iam", "DetachRolePolicy", {"RoleName": id, "PolicyArn": policy["PolicyArn"]}
                    )
        if force or state.get("inlinePolicies"):
            own = {each.get("name") for each in state.get("inlinePolicies") or []}
            for name in context.call("iam", "ListRolePolicies", {"RoleName": id})["PolicyNames"]:
                if force or name in own:
                    context.call("iam", "DeleteRolePolicy", {"RoleName": id, "PolicyName": name})
        super().unmake(context, id, state)


class RolePolicy(AwsResource):
    token = "aws:iam/rolePolicy:RolePolicy"
    service = "iam"
    title = "IAM Role Policy"
    regional = False
    fields = {
        "role": Field("RoleName"),
        "name": Field("PolicyName"),
        "namePrefix": Field(read=""),
        "policy": Field("PolicyDocument", encode=json_text, decode=_document),
    }
    create_call = Call("PutRolePolicy")
    id_form = "{role}:{name}"
    read_call = Call("GetRolePolicy", {"RoleName": "{role}", "PolicyName": "{name}"})
    not_found = MISSING
    updates = (
        Update(
            ("policy",),
            Call(
                "PutRolePolicy", {"RoleName": "{role}", "PolicyName": "{name}", "PolicyDocument": "{policy}"}
            ),
        ),
    )
    delete_call = Call("DeleteRolePolicy", {"RoleName": "{role}", "PolicyName": "{name}"})
    autoname = AutoName(max_length=128)
    name_prefix = ("namePrefix", "name", 128)
    documents = frozenset({"policy"})
    paths = {"NoSuchEntity": "role", "MalformedPolicyDocument": "policy", "LimitExceeded": "policy"}

    def rules(self, inputs: Props) -> Iterator[Failure]:
        yield from document_failures("policy", inputs.get("policy"), "identity")


class Policy(AwsResource):
    token = "aws:iam/policy:Policy"
    service = "iam"
    title = "IAM Policy"
    regional = False
    fields = {
        "name": Field("PolicyName"),
        "namePrefix": Field(read=""),
        **pascal("path", "description"),
        "policy": Field("PolicyDocument", encode=json_text, decode=_document),
        **kept("delayAfterPolicyCreationInMs"),
        **reads(arn="Arn", policyId="PolicyId", attachmentCount="AttachmentCount"),
    }
    create_call = Call("CreatePolicy")
    id_path = "Policy.Arn"
    read_call = Call("GetPolicy", {"PolicyArn": "{id}"})
    item = "Policy"
    not_found = MISSING
    delete_call = Call("DeletePolicy", {"PolicyArn": "{id}"})
    tagging = tagging_of("Policy", "PolicyArn")
    autoname = AutoName(max_length=128)
    name_prefix = ("namePrefix", "name", 128)
    documents = frozenset({"policy"})
    others_change = frozenset({"attachmentCount"})
    paths = {"EntityAlreadyExists": "name", "MalformedPolicyDocument": "policy"}
    versions = 5
    """A policy keeps at most five: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""

    def rules(self, inputs: Props) -> Iterator[Failure]:
        yield from document_failures("policy", inputs.get("policy"), "identity", longest=6144)

    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        item = super().find(context, id, state)
        if item is None:
            return None
        given = {"PolicyArn": id, "VersionId": item["DefaultVersionId"]}
        version = context.call("iam", "GetPolicyVersion", given)["PolicyVersion"]
        return {**item, "PolicyDocument": version["Document"]}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if "policy" not in self.changed(old, new):
            return
        told = context.call("iam", "ListPolicyVersions", {"PolicyArn": id})["Versions"]
        spare = sorted((v for v in told if not v["IsDefaultVersion"]), key=lambda v: v["CreateDate"])
        if len(told) >= self.versions:
            context.call("iam", "DeletePolicyVersion", {"PolicyArn": id, "VersionId": spare[0]["VersionId"]})
        given = {"PolicyArn": id, "PolicyDocument": json_text(new["policy"]), "SetAsDefault": True}
        context.call("iam", "CreatePolicyVersion", given)

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        for version in context.call("iam", "ListPolicyVersions", {"PolicyArn": id})["Versions"]:
            if not version["IsDefaultVersion"]:
                context.call(
                    "iam", "DeletePolicyVersion", {"PolicyArn": id, "VersionId": version["VersionId"]}
                )
        super().unmake(context, id, state)


class RolePolicyAttachment(AwsResource):
    token = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    service = "iam"
    title = "IAM Role Policy Attachment"
    regional = False
    fields = {"role": Field("RoleName"), "policyArn": Field("PolicyArn")}
    create_call = Call("AttachRolePolicy")
    id_form = "{role}/{policyArn}"
    read_call = Call("ListAttachedRolePolicies", {"RoleName": "{role}"})
    not_found = MISSING
    delete_call = Call("DetachRolePolicy", {"RoleName": "{role}", "PolicyArn": "{policyArn}"})
    paths = {"NoSuchEntity": "policyArn"}

    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        values = self.values(context, id, state)
        marker: Props = {}
        while True:
            try:
                answer = context.call(
                    "iam", "ListAttachedRolePolicies", {"RoleName": values["role"], **marker}
                )
            except ClientError as error:
                if code_of(error) in MISSING:
                    return None
                raise
            for policy in answer["AttachedPolicies"]:
                if policy["PolicyArn"] == values["policyArn"]:
                    return {"RoleName": values["role"], **policy}
            if not answer.get("IsTruncated"):
                return None
            marker = {"Marker": answer["Marker"]}

    def rules(self, inputs: Props) -> Iterator[Failure]:
        arn = inputs.get("policyArn")
        if isinstance(arn, str) and not (arn.startswith("arn:") and ":policy/" in arn):
            yield Failure(
                "policyArn", f'"policyArn" ({arn}) is an invalid ARN: arn:aws:iam::...:policy/... is right'
            )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _in_order(found: list[str], known: Any) -> list[str]:
    return known if isinstance(known, list) and sorted(known) == sorted(found) else found
