"""IAM: roles, policies, instance profiles, OpenID Connect providers."""

from __future__ import annotations

from typing import Any, Final

from botocore.exceptions import ClientError

from twin.aws.api_server.errors import code_of
from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.conversions import document
from twin.aws.resources.fields import json_text
from twin.core.normalization import canonical
from twin.provider_interface import Props

MISSING: Final = frozenset({"NoSuchEntity", "NoSuchEntityException"})


class Role(AwsResource):
    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        self._set_policies(context, id, {}, inputs)

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        super().change(context, id, old, {**new, "description": new.get("description") or ""})
        changed = self.changed(old, new)
        if "permissionsBoundary" in changed:
            params = {"RoleName": id}
            if new.get("permissionsBoundary"):
                params["PermissionsBoundary"] = new["permissionsBoundary"]
                context.call("iam", "PutRolePermissionsBoundary", params)
            else:
                context.call("iam", "DeleteRolePermissionsBoundary", params)
        if changed & {"managedPolicyArns", "inlinePolicies"}:
            self._set_policies(context, id, old, new)

    def outputs(self, context: AwsContext, id: str, item: Any, state: Props) -> Props:
        outputs = super().outputs(context, id, item, state)
        if state.get("managedPolicyArns") is not None or not state:
            reported = context.call("iam", "ListAttachedRolePolicies", {"RoleName": id})["AttachedPolicies"]
            outputs["managedPolicyArns"] = _in_order(
                [p["PolicyArn"] for p in reported], state.get("managedPolicyArns")
            )
        if state.get("inlinePolicies") is not None or not state:
            outputs["inlinePolicies"] = self._inline(context, id, state.get("inlinePolicies"))
        return outputs

    @staticmethod
    def _inline(context: AwsContext, id: str, known: Any) -> list[Props]:
        texts = {policy.get("name"): policy.get("policy") for policy in known or []}
        policies: list[Props] = []
        for name in context.call("iam", "ListRolePolicies", {"RoleName": id})["PolicyNames"]:
            answer = context.call("iam", "GetRolePolicy", {"RoleName": id, "PolicyName": name})
            text = document(answer["PolicyDocument"])
            same = name in texts and canonical(texts[name]) == canonical(text)
            policies.append({"name": name, "policy": texts[name] if same else text})
        order = list(texts)
        return sorted(
            policies,
            key=lambda policy: order.index(policy["name"]) if policy["name"] in order else len(order),
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
                policy["name"]: json_text(policy["policy"])
                for policy in new["inlinePolicies"]
                if policy.get("name")
            }
            before = {policy["name"]: policy["policy"] for policy in old.get("inlinePolicies") or []}
            for name in sorted(before.keys() - wanted.keys()):
                context.call("iam", "DeleteRolePolicy", {"RoleName": id, "PolicyName": name})
            for name, text in wanted.items():
                if name not in before or canonical(before[name]) != canonical(text):
                    params = {"RoleName": id, "PolicyName": name, "PolicyDocument": text}
                    context.call("iam", "PutRolePolicy", params)

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
            names = {inline_policy.get("name") for inline_policy in state.get("inlinePolicies") or []}
            for name in context.call("iam", "ListRolePolicies", {"RoleName": id})["PolicyNames"]:
                if force or name in names:
                    context.call("iam", "DeleteRolePolicy", {"RoleName": id, "PolicyName": name})
        super().unmake(context, id, state)


class Policy(AwsResource):
    versions = 5
    """A policy keeps at most five: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""

    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        item = super().find(context, id, state)
        if item is None:
            return None
        params = {"PolicyArn": id, "VersionId": item["DefaultVersionId"]}
        version = context.call("iam", "GetPolicyVersion", params)["PolicyVersion"]
        return {**item, "PolicyDocument": version["Document"]}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if "policy" not in self.changed(old, new):
            return
        reported = context.call("iam", "ListPolicyVersions", {"PolicyArn": id})["Versions"]
        spare = sorted((v for v in reported if not v["IsDefaultVersion"]), key=lambda v: v["CreateDate"])
        if len(reported) >= self.versions:
            context.call("iam", "DeletePolicyVersion", {"PolicyArn": id, "VersionId": spare[0]["VersionId"]})
        params = {"PolicyArn": id, "PolicyDocument": json_text(new["policy"]), "SetAsDefault": True}
        context.call("iam", "CreatePolicyVersion", params)

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        for version in context.call("iam", "ListPolicyVersions", {"PolicyArn": id})["Versions"]:
            if not version["IsDefaultVersion"]:
                context.call(
                    "iam", "DeletePolicyVersion", {"PolicyArn": id, "VersionId": version["VersionId"]}
                )
        super().unmake(context, id, state)


class RolePolicyAttachment(AwsResource):
    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        role, arn = (self.values(context, id, state)[name] for name in ("role", "policyArn"))
        try:
            attached = context.pages(
                "iam", "ListAttachedRolePolicies", {"RoleName": role}, "AttachedPolicies"
            )
        except ClientError as error:
            if code_of(error) in MISSING:
                return None
            raise
        return next(({"RoleName": role, **policy} for policy in attached if policy["PolicyArn"] == arn), None)


def _in_order(arns: list[str], known: Any) -> list[str]:
    return known if isinstance(known, list) and sorted(known) == sorted(arns) else arns
