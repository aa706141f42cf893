"""EKS: the cluster and what hangs on its control plane's API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import jmespath

from twin.aws.context import AwsContext
from twin.aws.resources import entries
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import to_api
from twin.aws.resources.waiting import FailedStateError
from twin.provider_interface import UNKNOWN, CloudError, Failure, Props, pause

MISSING: Final = frozenset({"ResourceNotFoundException", "NotFoundException"})


def go_time(value: Any) -> str:
    # The provider prints the cluster's creation as Go prints a time.
    return value.strftime("%Y-%m-%d %H:%M:%S +0000 UTC") if hasattr(value, "strftime") else str(value)


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
            reported = "; ".join(
                f"{error.get('errorCode')}: {error.get('errorMessage')} "
                f"({', '.join(error.get('resourceIds', []))})"
                for error in update.get("errors", [])
            )
            raise FailedStateError(
                f"waiting for {title} update ({id}): unexpected state '{status}', "
                f"wanted target 'Successful'. last error: {reported}",
                code=status,
            )
        if waited > (context.timeout or seconds):
            raise CloudError(
                f"waiting for {title} update ({id}): timeout while waiting for state 'Successful'"
            )
        pause(step)
        waited, step = waited + step, min(step * 1.5, 2.0)


def log_types(value: Any) -> Any:
    return {"clusterLogging": [{"types": value, "enabled": True}]} if value is not UNKNOWN else UNKNOWN


_VPC: Final = entries.shape(__name__, "vpc")


class Cluster(AwsResource):
    def rules(self, inputs: Props) -> Iterator[Failure]:
        subnets = (inputs.get("vpcConfig") or {}).get("subnetIds")
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
            params = {"name": id, "version": new["version"]}
            if new.get("forceUpdateVersion"):
                params["force"] = True
            self._run(context, id, "UpdateClusterVersion", params)
        # The real provider sends it where there was none, and ignores another key.
        if "encryptionConfig" in changed and new.get("encryptionConfig") and not old.get("encryptionConfig"):
            params = {"clusterName": id, "encryptionConfig": [new["encryptionConfig"]]}
            self._run(context, id, "AssociateEncryptionConfig", params)
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
