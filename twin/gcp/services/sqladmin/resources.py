"""Cloud SQL: instances, databases and users."""

from __future__ import annotations

from typing import Any, Final

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.entry import Change
from twin.gcp.resources.links import relative
from twin.provider_interface import UNKNOWN, CloudError, Props

_IP: Final = "settings.ipConfiguration"


class DatabaseInstance(GcpResource):
    token = "gcp:sql/databaseInstance:DatabaseInstance"

    def same(self, path: str, old: Any, new: Any) -> bool:
        if path == "settings.diskSize" and isinstance(old, int) and isinstance(new, int):
            # Growth is Cloud SQL's own where the disk grows by itself (diskSizeCutomizeDiff).
            return old == new
        return super().same(path, old, new)

    def replaces(self, path: str, old: Props, new: Props) -> bool:
        if path == f"{_IP}.privateNetwork":
            config = (new.get("settings") or {}).get("ipConfiguration") or {}
            return not config.get("privateNetwork")
        if path == "settings.diskSize":
            was, now = ((props.get("settings") or {}) for props in (old, new))
            shrinks = (now.get("diskSize") or 0) < (was.get("diskSize") or 0)
            return bool(shrinks and now.get("diskAutoresize") is False)
        return super().replaces(path, old, new)

    def body(self, context: GcpContext, inputs: Props) -> tuple[Props, dict[str, str]]:
        request_body, places = super().body(context, inputs)
        if inputs.get("region") not in (None, UNKNOWN):
            request_body["region"] = inputs["region"]
            places["region"] = "region"
        config = (request_body.get("settings") or {}).get("ipConfiguration")
        if isinstance(config, dict) and isinstance(config.get("privateNetwork"), str):
            config["privateNetwork"] = relative(config["privateNetwork"])
        return request_body, places

    def change_body(
        self, context: GcpContext, call: Change, changed: set[str], new: Props
    ) -> tuple[Props, list[str]]:
        request_body, mask = super().change_body(context, call, changed, new)
        now = self.find(context, "", self.values(context, "", new)) or {}
        settings = now.get("settings") or {}
        if "settings" in request_body:
            request_body["settings"]["settingsVersion"] = settings.get("settingsVersion")
            size = request_body["settings"].get("dataDiskSizeGb")
            grown = int(settings.get("dataDiskSizeGb") or 0)
            if (
                size is not None
                and int(size) < grown
                and request_body["settings"].get("storageAutoResize", True)
            ):
                request_body["settings"]["dataDiskSizeGb"] = str(grown)
        return request_body, mask

    def more(self, context: GcpContext, id: str, item: Props, known: Props) -> Props:
        addresses: list[Props] = item.get("ipAddresses") or []
        by_kind = {address.get("type"): address.get("ipAddress", "") for address in addresses}
        return {
            "firstIpAddress": addresses[0]["ipAddress"] if addresses else "",
            "publicIpAddress": by_kind.get("PRIMARY", ""),
            "privateIpAddress": by_kind.get("PRIVATE", ""),
        }

    def unmake(self, context: GcpContext, id: str, state: Props) -> None:
        if state.get("deletionProtection"):
            raise CloudError(
                "Error, failed to delete instance because deletion_protection is set to true. Set it to "
                "false to proceed with instance deletion",
                path="deletionProtection",
            )
        params = self.filled(self.params, self.values(context, id, state))
        last = (state.get("settings") or {}).get("finalBackupConfig") or {}
        if last.get("enabled"):
            params |= {"enableFinalBackup": True, "finalBackupTtlDays": last.get("retentionDays")}
        params = {name: value for name, value in params.items() if value is not None}
        self.done(context, context.call(f"{self.collection}.delete", params), "Deleting")


class User(GcpResource):
    token = "gcp:sql/user:User"

    def parsed(self, id: str) -> dict[str, str]:
        parts = id.split("/")
        if len(parts) == 3 and id:
            # The id as the provider makes it, or an import: project/instance/name.
            return {"name": parts[0], "host": parts[1], "instance": parts[2]}
        return {}

    def own_id(self, context: GcpContext, id: str, outputs: Props) -> str:
        return id

    def made_id(self, context: GcpContext, inputs: Props, answer: Props) -> str:
        return f"{inputs['name']}/{inputs.get('host') or ''}/{inputs['instance']}"

    def filled(self, params: Any, values: Props) -> Props:
        filled_params = super().filled(params, values)
        return {name: value for name, value in filled_params.items() if value not in (None, "")}

    def alike(self, path: str, old: Any, new: Any) -> bool:
        return path == "name" and str(old) == str(new).partition("@")[0]

    def outputs(self, context: GcpContext, id: str, item: Props, state: Props) -> Props:
        if not state.get("type") and item.get("type") == "BUILT_IN":
            item = {name: value for name, value in item.items() if name != "type"}
        return super().outputs(context, id, item, state)

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new) - {"deletionPolicy"}
        if not changed:
            return
        params = self.filled(self.params, self.values(context, id, new))
        query: Props = {}
        if "databaseRoles" in changed:
            query = {"databaseRoles": new.get("databaseRoles") or [], "revokeExistingRoles": True}
        body, _ = self.body(context, new)
        body.pop("databaseRoles", None)
        self.done(context, context.call(f"{self.collection}.update", params, body, query), "Updating")
