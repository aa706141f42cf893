"""EKS: who can enter a cluster, and which role a workload gets."""

from __future__ import annotations

from typing import Any

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.provider_interface import Props


class AccessEntry(AwsResource):
    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if {"kubernetesGroups", "userName"} & self.changed(old, new):
            given = {"clusterName": new["clusterName"], "principalArn": new["principalArn"]}
            if new.get("kubernetesGroups") is not None:
                given["kubernetesGroups"] = new["kubernetesGroups"]
            if new.get("userName"):
                given["username"] = new["userName"]
            context.call("eks", "UpdateAccessEntry", given)


class AccessPolicyAssociation(AwsResource):
    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        answer = super().find(context, id, state)
        policy = id.rpartition("#")[2]
        listed = (answer or {}).get("associatedAccessPolicies", [])
        found = next((each for each in listed if each["policyArn"] == policy), None)
        if found and not (found.get("accessScope") or {}).get("namespaces"):
            scope = {k: v for k, v in found["accessScope"].items() if k != "namespaces"}
            found = {**found, "accessScope": scope}
        return found


class PodIdentityAssociation(AwsResource):
    def values(self, context: AwsContext, id: str, props: Props) -> Props:
        # An import names the cluster too: cluster,a-0123456789
        cluster, separator, association = id.partition(",")
        given = {**props, "clusterName": cluster} if separator else props
        return super().values(context, association if separator else id, given)

    def outputs(self, context: AwsContext, id: str, item: Any, state: Props) -> Props:
        found = super().outputs(context, id, item, state)
        return {**found, "id": id.partition(",")[2]} if "," in id else found

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new) & {"roleArn", "targetRoleArn", "disableSessionTags", "policy"}
        if changed:
            given = {name: new[name] for name in changed if new.get(name) is not None}
            place = {"clusterName": new["clusterName"], "associationId": id}
            context.call("eks", "UpdatePodIdentityAssociation", {**place, **given})
