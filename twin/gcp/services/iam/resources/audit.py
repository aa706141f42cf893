"""Which accesses to a service are logged: a part of the project's IAM policy."""

from __future__ import annotations

from typing import Any, Final

from twin.gcp.context import GcpContext
from twin.gcp.services.iam.resources.members import ProjectMember
from twin.provider_interface import CloudError, Props

_MARK: Final = "/audit_config/"


class ProjectAuditConfig(ProjectMember):
    token = "gcp:projects/iAMAuditConfig:IAMAuditConfig"

    def create(self, context: Any, inputs: Props) -> tuple[str, Props]:
        self._set(context, inputs)
        id = f"{self.target_id(inputs)}{_MARK}{inputs['service']}"
        return id, self.written(context, id, inputs, "not in the policy that it was added to")

    def read(self, context: Any, id: str, state: Props) -> Props | None:
        project, _, service = id.partition(_MARK)
        known = {"project": project, "service": service, **state}
        with self.errors("reading IAM policy for", {}):
            policy = self._policy(context, known)
        audit_config = _of(policy, service)
        if audit_config is None:
            return None
        answered = [dict(audit_log_config) for audit_log_config in audit_config.get("auditLogConfigs", [])]
        configs = state.get("auditLogConfigs")
        alike = isinstance(configs, list) and self.same("auditLogConfigs", configs, answered)
        whole = configs if alike else answered
        etag = state.get("etag") or policy.get("etag", "")
        return {**known, "auditLogConfigs": whole, "etag": etag}

    def update(self, context: Any, id: str, old: Props, new: Props) -> Props:
        self._set(context, new)
        outputs = self.read(context, id, {**old, **new})
        if outputs is None:
            raise CloudError(f"Error updating IAM audit config {id!r}: not found")
        return outputs

    def delete(self, context: Any, id: str, state: Props) -> None:
        project, _, service = id.partition(_MARK)

        def without(policy: Props) -> bool:
            before = policy.get("auditConfigs") or []
            policy["auditConfigs"] = [config for config in before if config.get("service") != service]
            return len(policy["auditConfigs"]) != len(before)

        with self.errors("applying IAM policy for", {}):
            self._written(context, {"project": project, **state}, without)

    def _set(self, context: Any, inputs: Props) -> None:
        wanted: Props = {"service": inputs["service"], "auditLogConfigs": list(inputs["auditLogConfigs"])}

        def with_it(policy: Props) -> bool:
            current = _of(policy, wanted["service"])
            if current == wanted:
                return False
            others = [
                audit_config
                for audit_config in policy.get("auditConfigs") or []
                if audit_config is not current
            ]
            policy["auditConfigs"] = [*others, wanted]
            return True

        with self.errors("applying IAM policy for", {}):
            self._written(context, inputs, with_it)

    def send(self, context: GcpContext, target: str, policy: Props) -> None:
        body = {"policy": policy, "updateMask": "bindings,etag,auditConfigs"}
        context.call(f"{self.collection}.setIamPolicy", self.place_of(target), body)


def _of(policy: Props, service: str) -> Props | None:
    return next(
        (
            audit_config
            for audit_config in policy.get("auditConfigs") or []
            if audit_config.get("service") == service
        ),
        None,
    )
