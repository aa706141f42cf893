"""Binary Authorization: a project's one policy. It is never made or deleted, only set and reset."""

from __future__ import annotations

from typing import Any

from twin.gcp import services
from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.fields import Field
from twin.provider_interface import Props


def _by_cluster(rules: Any) -> Any:
    """The API keys the rules by cluster."""
    if not isinstance(rules, list):
        return rules
    return {rule["cluster"]: {k: v for k, v in rule.items() if k != "cluster"} for rule in rules}


def _as_list(rules: Any) -> Any:
    if not isinstance(rules, dict):
        return rules
    return [{"cluster": cluster, **rule} for cluster, rule in sorted(rules.items())]


class Policy(GcpResource):
    token = "gcp:binaryauthorization/policy:Policy"
    fields = {
        "clusterAdmissionRules": Field(encode=_by_cluster, decode=_as_list),
    }

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new) - {"deletionPolicy"}:
            body, _ = self.body(context, new)
            context.call("binaryauthorization.projects.updatePolicy", {"name": f"{id}/policy"}, body)

    def unmake(self, context: GcpContext, id: str, state: Props) -> None:
        default = services.tables("binaryauthorization")["default_policy"]
        context.call("binaryauthorization.projects.updatePolicy", {"name": f"{id}/policy"}, default)
