"""EKS: who can enter a cluster, and which role a workload gets."""

from __future__ import annotations

from typing import Any

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.provider_interface import Props


class AccessPolicyAssociation(AwsResource):
    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        answer = super().find(context, id, state)
        policy = id.rpartition("#")[2]
        associations = (answer or {}).get("associatedAccessPolicies", [])
        association = next(
            (candidate for candidate in associations if candidate["policyArn"] == policy), None
        )
        if association and not (association.get("accessScope") or {}).get("namespaces"):
            scope = {k: v for k, v in association["accessScope"].items() if k != "namespaces"}
            association = {**association, "accessScope": scope}
        return association


class PodIdentityAssociation(AwsResource):
    def values(self, context: AwsContext, id: str, props: Props) -> Props:
        # An import names the cluster too: cluster,a-0123456789
        cluster, separator, association = id.partition(",")
        inputs = {**props, "clusterName": cluster} if separator else props
        return super().values(context, association if separator else id, inputs)

    def outputs(self, context: AwsContext, id: str, item: Any, state: Props) -> Props:
        outputs = super().outputs(context, id, item, state)
        return {**outputs, "id": id.partition(",")[2]} if "," in id else outputs
