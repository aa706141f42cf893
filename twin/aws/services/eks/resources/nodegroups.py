"""EKS: managed node groups and add-ons."""

from __future__ import annotations

from typing import Any

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import to_api
from twin.aws.services.eks.resources.clusters import await_update
from twin.provider_interface import UNKNOWN, Props


class NodeGroup(AwsResource):
    def replaces(self, path: str, old: Props, new: Props) -> bool:
        if path == "launchTemplate":  # from none to one, or back
            return True
        return super().replaces(path, old, new)

    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        template = inputs.get("launchTemplate")
        if isinstance(template, dict) and template.get("id") and template.get("name"):
            inputs = {**inputs, "launchTemplate": {k: v for k, v in template.items() if k != "name"}}
        return super().create_params(context, inputs)

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        template, before = new.get("launchTemplate") or {}, old.get("launchTemplate") or {}
        if all(before.get(key) == value for key, value in template.items()):
            changed -= {"launchTemplate"}  # what the state has in addition is computed
        place = {"clusterName": new["clusterName"], "nodegroupName": id.partition(":")[2]}
        if changed & {"launchTemplate", "releaseVersion", "version"}:
            versions = {n: new[n] for n in ("releaseVersion", "version") if n in changed and new.get(n)}
            if "launchTemplate" in changed and new.get("launchTemplate"):
                template = dict(new["launchTemplate"])
                if template.get("id"):
                    template.pop("name", None)
                versions["launchTemplate"] = template
            if new.get("forceUpdateVersion"):
                versions["force"] = True
            self._run(context, id, place, "UpdateNodegroupVersion", versions)
        versions = self._configuration(changed, old, new)
        if versions:
            self._run(context, id, place, "UpdateNodegroupConfig", versions)

    def _configuration(self, changed: set[str], old: Props, new: Props) -> Props:
        configuration: Props = {}
        if "labels" in changed:
            before, wanted = old.get("labels") or {}, new.get("labels") or {}
            added = {k: v for k, v in wanted.items() if before.get(k) != v}
            removed = sorted(before.keys() - wanted.keys())
            configuration["labels"] = _without_empty(addOrUpdateLabels=added, removeLabels=removed)
        if "taints" in changed:
            before_, wanted_ = _taints(old), _taints(new)
            configuration["taints"] = _without_empty(
                addOrUpdateTaints=[t for k, t in wanted_.items() if before_.get(k) != t],
                removeTaints=[t for k, t in before_.items() if k not in wanted_],
            )
        for name in ("scalingConfig", "updateConfig", "nodeRepairConfig", "warmPoolConfig"):
            if name in changed and new.get(name) is not None:
                configuration[name] = to_api({name: self.fields[name]}, new)[name]
        return configuration

    @staticmethod
    def _run(context: AwsContext, id: str, place: Props, operation: str, params: Props) -> None:
        answer = context.call("eks", operation, {**place, **params})
        where = {"name": place["clusterName"], "nodegroupName": place["nodegroupName"]}
        await_update(context, f"EKS Node Group ({id})", where, answer)


class Addon(AwsResource):
    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        associations: list[Props] = []
        for arn in item.get("podIdentityAssociations") or []:
            params = {"clusterName": item["clusterName"], "associationId": arn.rpartition("/")[2]}
            association = context.call("eks", "DescribePodIdentityAssociation", params)["association"]
            associations.append({name: association[name] for name in ("roleArn", "serviceAccount")})
        if associations or known.get("podIdentityAssociations") is not None:
            return {"podIdentityAssociations": associations}
        return {}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        names = {"addonVersion", "serviceAccountRoleArn", "configurationValues", "podIdentityAssociations"}
        if not changed & names:
            return
        place = {"clusterName": new["clusterName"], "addonName": new["addonName"]}
        params: Props = {name: new[name] for name in changed & names if new.get(name) is not None}
        if "podIdentityAssociations" in changed:
            params["podIdentityAssociations"] = new.get("podIdentityAssociations") or []
        if new.get("resolveConflictsOnUpdate"):
            params["resolveConflicts"] = new["resolveConflictsOnUpdate"]
        answer = context.call("eks", "UpdateAddon", {**place, **params})
        where = {"name": new["clusterName"], "addonName": new["addonName"]}
        await_update(context, f"EKS Add-On ({id})", where, answer, 1200.0)


def _taints(props: Props) -> dict[tuple[str, str], Props]:
    return {
        (taint["key"], taint["effect"]): {k: v for k, v in taint.items() if v is not None}
        for taint in props.get("taints") or []
        if taint is not UNKNOWN
    }


def _without_empty(**arguments: Any) -> Props:
    return {name: value for name, value in arguments.items() if value}
