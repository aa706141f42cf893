"""EKS: the cluster and what hangs on its control plane's API."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import jmespath

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource, FailedStateError
from twin.aws.resources.calls import Call, Wait
from twin.aws.resources.fields import Field, kept, reads, same, to_api
from twin.aws.resources.tags import Tagging
from twin.resource import UNKNOWN, AutoName, CloudError, Failure, Props, pause

MISSING: Final = frozenset({"ResourceNotFoundException", "NotFoundException"})


def rfc3339(value: Any) -> str:
    """A time as the provider's state holds it."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if hasattr(value, "strftime") else str(value)


def _go_time(value: Any) -> str:
    # The provider prints the cluster's creation as Go prints a time.
    return value.strftime("%Y-%m-%d %H:%M:%S +0000 UTC") if hasattr(value, "strftime") else str(value)


def tagging(arn: str = "arn") -> Tagging:
    """EKS tags by arn; `arn` names the output that holds it."""
    place = {"resourceArn": "{" + arn + "}"}
    return Tagging(
        create="tags",
        key="",
        item="tags",
        add=Call("TagResource", {**place, "tags": "{tags}"}),
        remove=Call("UntagResource", {**place, "tagKeys": "{keys}"}),
    )


def await_update(
    context: AwsContext, title: str, place: Props, answer: Props, seconds: float = 3600.0
) -> None:
    """Poll an update of a cluster, node group or add-on until it has ended; its errors become the error."""
    id = jmespath.search("update.id", answer)
    waited, step = 0.0, 0.1
    while id:
        update = context.call("eks", "DescribeUpdate", {**place, "updateId": id})["update"]
        status = update["status"]
        if status == "Successful":
            return
        if status in ("Failed", "Cancelled"):
            told = "; ".join(
                f"{each.get('errorCode')}: {each.get('errorMessage')} "
                f"({', '.join(each.get('resourceIds', []))})"
                for each in update.get("errors", [])
            )
            raise FailedStateError(
                f"waiting for {title} update ({id}): unexpected state '{status}', "
                f"wanted target 'Successful'. last error: {told}",
                code=status,
            )
        if waited > (context.timeout or seconds):
            raise CloudError(
                f"waiting for {title} update ({id}): timeout while waiting for state 'Successful'"
            )
        pause(step)
        waited, step = waited + step, min(step * 1.5, 2.0)


def _one(value: Any) -> Any:
    # A list of one in the API, an object in Pulumi.
    return value if value is UNKNOWN else [value]


def _log_types(value: Any) -> Any:
    return {"clusterLogging": [{"types": value, "enabled": True}]} if value is not UNKNOWN else UNKNOWN


_VPC: Final = {
    **same(
        "subnetIds", "securityGroupIds", "endpointPrivateAccess", "endpointPublicAccess", "publicAccessCidrs"
    ),
    **same("controlPlaneEgressMode"),
    **reads(clusterSecurityGroupId="clusterSecurityGroupId", vpcId="vpcId"),
}


class Cluster(AwsResource):
    token = "aws:eks/cluster:Cluster"
    service = "eks"
    title = "EKS Cluster"
    fields = {
        **same("name", "version", "roleArn", "bootstrapSelfManagedAddons", "deletionProtection"),
        "bootstrapSelfManagedAddons": Field("bootstrapSelfManagedAddons", read=""),
        "vpcConfig": Field("resourcesVpcConfig", of=_VPC),
        "accessConfig": Field(
            "accessConfig", of=same("authenticationMode", "bootstrapClusterCreatorAdminPermissions")
        ),
        "enabledClusterLogTypes": Field(
            "logging", read="logging.clusterLogging[?enabled].types[]", encode=_log_types
        ),
        "encryptionConfig": Field(
            "encryptionConfig",
            read="encryptionConfig[0]",
            encode=_one,
            of={"provider": Field("provider", of=same("keyArn")), **same("resources")},
        ),
        "kubernetesNetworkConfig": Field(
            "kubernetesNetworkConfig",
            of={
                **same("ipFamily", "serviceIpv4Cidr"),
                **reads(serviceIpv6Cidr="serviceIpv6Cidr"),
                "elasticLoadBalancing": Field("elasticLoadBalancing", of=same("enabled")),
            },
        ),
        "upgradePolicy": Field("upgradePolicy", of=same("supportType")),
        "zonalShiftConfig": Field("zonalShiftConfig", of=same("enabled")),
        "computeConfig": Field("computeConfig", of=same("enabled", "nodePools", "nodeRoleArn")),
        "storageConfig": Field(
            "storageConfig", of={"blockStorage": Field("blockStorage", of=same("enabled"))}
        ),
        "remoteNetworkConfig": Field(
            "remoteNetworkConfig",
            of={
                "remoteNodeNetworks": Field("remoteNodeNetworks", encode=_one, read="remoteNodeNetworks[0]"),
                "remotePodNetworks": Field("remotePodNetworks", encode=_one, read="remotePodNetworks[0]"),
            },
        ),
        "controlPlaneScalingConfig": Field("controlPlaneScalingConfig", of=same("tier")),
        **{
            name: Field(name)
            for name in ("kubeApiServerConfig", "kubeControllerManagerConfig", "kubeSchedulerConfig")
        },
        "outpostConfig": Field("outpostConfig"),
        **kept("forceUpdateVersion", "defaultAddonsToRemoves"),
        "createdAt": Field(read="createdAt", decode=_go_time),
        "identities": Field(
            read="identity && [identity]",
            of={"oidcs": Field(read="oidc && [oidc]", of={"issuer": Field(read="issuer")})},
        ),
        "certificateAuthority": Field(read="certificateAuthority", of={"data": Field(read="data")}),
        **reads(
            arn="arn", endpoint="endpoint", platformVersion="platformVersion", status="status", clusterId="id"
        ),
    }
    create_call = Call("CreateCluster")
    id_form = "{name}"
    read_call = Call("DescribeCluster", {"name": "{id}"})
    item = "cluster"
    not_found = MISSING
    delete_call = Call("DeleteCluster", {"name": "{id}"})
    created = Wait(
        "status", frozenset({"ACTIVE"}), frozenset({"FAILED", "DELETING"}), "health.issues", 1800.0
    )
    deleted_seconds = 900.0
    tagging = tagging()
    autoname = AutoName(max_length=100)
    computed = frozenset(
        {"name", "version", "accessConfig", "kubernetesNetworkConfig", "upgradePolicy", "deletionProtection"}
        | {"controlPlaneScalingConfig", "kubeApiServerConfig", "kubeControllerManagerConfig"}
        | {"kubeSchedulerConfig", "region"}
    )
    nested_computed = frozenset(
        {"vpcConfig.clusterSecurityGroupId", "vpcConfig.vpcId", "vpcConfig.publicAccessCidrs"}
        | {"accessConfig.authenticationMode", "kubernetesNetworkConfig.serviceIpv4Cidr"}
        | {"kubernetesNetworkConfig.ipFamily", "kubernetesNetworkConfig.serviceIpv6Cidr"}
    )
    immutable = frozenset(
        {"name", "roleArn", "bootstrapSelfManagedAddons", "outpostConfig", "region"}
        | {"accessConfig.bootstrapClusterCreatorAdminPermissions", "computeConfig.nodeRoleArn"}
        | {"kubernetesNetworkConfig.ipFamily", "kubernetesNetworkConfig.serviceIpv4Cidr"}
        | {"encryptionConfig.provider.keyArn"}
    )
    volatile = frozenset({"platformVersion"})
    sets = frozenset(
        {
            "enabledClusterLogTypes",
            "vpcConfig.subnetIds",
            "vpcConfig.securityGroupIds",
            "encryptionConfig.resources",
        }
        | {"vpcConfig.publicAccessCidrs", "computeConfig.nodePools"}
    )
    defaults = {"bootstrapSelfManagedAddons": True}
    paths = {"ResourceInUseException": "name", "UnsupportedAvailabilityZoneException": "vpcConfig.subnetIds"}

    def rules(self, inputs: Props) -> Iterator[Failure]:
        vpc = inputs.get("vpcConfig")
        if not isinstance(vpc, dict):
            return
        if vpc.get("endpointPublicAccess") is False and vpc.get("endpointPrivateAccess") in (None, False):
            yield Failure(
                "vpcConfig.endpointPrivateAccess",
                "InvalidParameterException: Private and public endpoint access cannot be false. Cluster "
                "requires at least one endpoint to be enabled.",
            )
        subnets = vpc.get("subnetIds")
        if isinstance(subnets, list) and UNKNOWN not in subnets and len(set(subnets)) < 2:
            yield Failure(
                "vpcConfig.subnetIds",
                "InvalidParameterException: Subnets specified must be in at least two different AZs",
            )

    def property_of(self, path: str) -> str:
        return super().property_of(path).replace("encryptionConfig[0]", "encryptionConfig")

    def replaces(self, path: str, old: Props, new: Props) -> bool:
        if path == "encryptionConfig":  # envelope encryption is never taken away
            return new.get("encryptionConfig") is None
        return super().replaces(path, old, new)

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        # One kind of change a call, in the real provider's order; EKS refuses the next while one runs.
        if "version" in changed:
            given = {"name": id, "version": new["version"]}
            if new.get("forceUpdateVersion"):
                given["force"] = True
            self._run(context, id, "UpdateClusterVersion", given)
        if "encryptionConfig" in changed and new.get("encryptionConfig"):
            given = {"clusterName": id, "encryptionConfig": [new["encryptionConfig"]]}
            self._run(context, id, "AssociateEncryptionConfig", given)
        for name in (
            "accessConfig",
            "deletionProtection",
            "upgradePolicy",
            "zonalShiftConfig",
            "computeConfig",
        ):
            if name in changed and new.get(name) is not None:
                self._configure(context, id, name, name, new)
        if "enabledClusterLogTypes" in changed:
            self._set_logging(context, id, old, new)
        if "vpcConfig" in changed:
            self._set_network(context, id, old, new)

    def _configure(self, context: AwsContext, id: str, name: str, api: str, new: Props) -> None:
        value = to_api({name: self.fields[name]}, new)[api]
        if name == "accessConfig":
            value = {"authenticationMode": value.get("authenticationMode")}
        self._run(context, id, "UpdateClusterConfig", {"name": id, api: value})

    def _set_logging(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        on = new.get("enabledClusterLogTypes") or []
        off = [kind for kind in old.get("enabledClusterLogTypes") or [] if kind not in on]
        sets = [{"types": types, "enabled": state} for types, state in ((on, True), (off, False)) if types]
        self._run(context, id, "UpdateClusterConfig", {"name": id, "logging": {"clusterLogging": sets}})

    def _set_network(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        before, wanted = old.get("vpcConfig") or {}, new["vpcConfig"]
        differ = [
            n
            for n in _VPC
            if wanted.get(n) is not None and not self.same(f"vpcConfig.{n}", before.get(n), wanted[n])
        ]
        access = {n: wanted[n] for n in differ if n.startswith(("endpoint", "publicAccess"))}
        if access:
            self._run(context, id, "UpdateClusterConfig", {"name": id, "resourcesVpcConfig": access})
        place = {n: wanted.get(n) or [] for n in ("subnetIds", "securityGroupIds")}
        if {"subnetIds", "securityGroupIds"} & set(differ):
            self._run(context, id, "UpdateClusterConfig", {"name": id, "resourcesVpcConfig": place})

    def _run(self, context: AwsContext, id: str, operation: str, params: Props) -> None:
        answer = context.call("eks", operation, params)
        await_update(context, f"EKS Cluster ({id})", {"name": id}, answer)


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
    computed = frozenset({"kubernetesGroups", "userName", "region"})
    immutable = frozenset({"clusterName", "principalArn", "type", "region"})
    volatile = frozenset({"modifiedAt"})
    sets = frozenset({"kubernetesGroups"})
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
    computed = frozenset({"region"})
    immutable = frozenset({"clusterName", "principalArn", "policyArn", "accessScope", "region"})
    sets = frozenset({"accessScope.namespaces"})
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
    computed = frozenset({"disableSessionTags", "region"})
    immutable = frozenset({"clusterName", "namespace", "serviceAccount", "region"})
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
