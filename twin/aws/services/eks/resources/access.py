"""EKS: who may enter a cluster, and which role a workload gets."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call
from twin.aws.resources.fields import Field, reads, same
from twin.aws.services.eks.resources.clusters import MISSING, rfc3339, tagging
from twin.provider_interface import Failure, Props


class AccessEntry(AwsResource):
    token = "aws:eks/accessEntry:AccessEntry"
    service = "eks"
    title = "EKS Access Entry"
    fields = {
        **same("clusterName", "principalArn", "kubernetesGroups", "type"),
        "userName": Field("username"),
        "createdAt": Field(read="createdAt", decode=rfc3339),
        "modifiedAt": Field(read="modifiedAt", decode=rfc3339),
        **reads(accessEntryArn="accessEntryArn"),
    }
    create_call = Call("CreateAccessEntry")
    id_form = "{clusterName}:{principalArn}"
    read_call = Call(
        "DescribeAccessEntry", {"clusterName": "{clusterName}", "principalArn": "{principalArn}"}
    )
    item = "accessEntry"
    not_found = MISSING
    delete_call = Call(
        "DeleteAccessEntry", {"clusterName": "{clusterName}", "principalArn": "{principalArn}"}
    )
    tagging = tagging("accessEntryArn")
    volatile = frozenset({"modifiedAt"})
    defaults = {"type": "STANDARD"}
    paths = {
        "ResourceInUseException": "principalArn",
        "InvalidParameterException": "principalArn",
        "ResourceNotFoundException": "clusterName",
    }

    def describe(self, props: Props, id: str = "") -> str:
        return id or f"{props.get('clusterName')}:{props.get('principalArn')}"

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if {"kubernetesGroups", "userName"} & self.changed(old, new):
            given = {"clusterName": new["clusterName"], "principalArn": new["principalArn"]}
            if new.get("kubernetesGroups") is not None:
                given["kubernetesGroups"] = new["kubernetesGroups"]
            if new.get("userName"):
                given["username"] = new["userName"]
            context.call("eks", "UpdateAccessEntry", given)


class AccessPolicyAssociation(AwsResource):
    token = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
    service = "eks"
    title = "EKS Access Policy Association"
    fields = {
        **same("clusterName", "principalArn", "policyArn"),
        "accessScope": Field("accessScope", of=same("type", "namespaces")),
        "associatedAt": Field(read="associatedAt", decode=rfc3339),
        "modifiedAt": Field(read="modifiedAt", decode=rfc3339),
    }
    create_call = Call("AssociateAccessPolicy")
    id_form = "{clusterName}#{principalArn}#{policyArn}"
    read_call = Call(
        "ListAssociatedAccessPolicies", {"clusterName": "{clusterName}", "principalArn": "{principalArn}"}
    )
    not_found = MISSING
    delete_call = Call(
        "DisassociateAccessPolicy",
        {"clusterName": "{clusterName}", "principalArn": "{principalArn}", "policyArn": "{policyArn}"},
    )
    paths = {"ResourceNotFoundException": "principalArn", "InvalidParameterException": "policyArn"}

    def rules(self, inputs: Props) -> Iterator[Failure]:
        scope = inputs.get("accessScope")
        if isinstance(scope, dict) and scope.get("type") == "namespace" and not scope.get("namespaces"):
            yield Failure(
                "accessScope.namespaces", "InvalidParameterException: a namespace scope needs namespaces"
            )

    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        answer = super().find(context, id, state)
        policy = id.rpartition("#")[2]
        listed = (answer or {}).get("associatedAccessPolicies", [])
        found = next((each for each in listed if each["policyArn"] == policy), None)
        if found and not (found.get("accessScope") or {}).get("namespaces"):
            scope = {k: v for k, v in found["accessScope"].items() if k != "namespaces"}
            found = {**found, "accessScope": scope}
        return found

    def describe(self, props: Props, id: str = "") -> str:
        return id or "#".join(str(props.get(name)) for name in ("clusterName", "principalArn", "policyArn"))


class PodIdentityAssociation(AwsResource):
    token = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
    service = "eks"
    title = "EKS Pod Identity Association"
    fields = {
        **same(
            "clusterName", "namespace", "serviceAccount", "roleArn", "targetRoleArn", "disableSessionTags"
        ),
        **same("policy"),
        **reads(associationArn="associationArn", associationId="associationId", externalId="externalId"),
    }
    create_call = Call("CreatePodIdentityAssociation")
    id_path = "association.associationId"
    read_call = Call(
        "DescribePodIdentityAssociation", {"clusterName": "{clusterName}", "associationId": "{id}"}
    )
    item = "association"
    not_found = MISSING
    delete_call = Call(
        "DeletePodIdentityAssociation", {"clusterName": "{clusterName}", "associationId": "{id}"}
    )
    tagging = tagging("associationArn")
    volatile = frozenset({"externalId"})
    documents = frozenset({"policy"})
    paths = {
        "ResourceInUseException": "serviceAccount",
        "ResourceNotFoundException": "clusterName",
        "InvalidParameterException": "roleArn",
    }

    def values(self, context: AwsContext, id: str, props: Props) -> Props:
        # An import names the cluster too: cluster,a-0123456789
        cluster, separator, association = id.partition(",")
        given = {**props, "clusterName": cluster} if separator else props
        return super().values(context, association if separator else id, given)

    def outputs(self, context: AwsContext, id: str, item: Any, state: Props) -> Props:
        found = super().outputs(context, id, item, state)
        return {**found, "id": id.partition(",")[2]} if "," in id else found

    def describe(self, props: Props, id: str = "") -> str:
        return id or ":".join(str(props.get(name)) for name in ("clusterName", "namespace", "serviceAccount"))

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new) & {"roleArn", "targetRoleArn", "disableSessionTags", "policy"}
        if changed:
            given = {name: new[name] for name in changed if new.get(name) is not None}
            place = {"clusterName": new["clusterName"], "associationId": id}
            context.call("eks", "UpdatePodIdentityAssociation", {**place, **given})
