"""RDS: instances; their groups are in groups.py."""

from __future__ import annotations

import re
from typing import Any, Final

from twin.aws.api_server.errors import code_of
from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource, ClientError
from twin.aws.resources.calls import Change
from twin.provider_interface import CloudError, Props

_RESOURCE_ID: Final = re.compile(r"db-[A-Z0-9]{2,255}")


class Instance(AwsResource):
    def same(self, path: str, old: Any, new: Any) -> bool:
        # The provider stores it in lower case, as RDS reports it.
        if path == "maintenanceWindow" and isinstance(old, str) and isinstance(new, str):
            return old.lower() == new.lower()
        return super().same(path, old, new)

    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        params: Props = {"DBInstanceIdentifier": id}
        if _RESOURCE_ID.fullmatch(id):
            params = {"Filters": [{"Name": "dbi-resource-id", "Values": [id]}]}
        try:
            instances = context.call("rds", "DescribeDBInstances", params)["DBInstances"]
        except ClientError as error:
            if code_of(error) in self.not_found:
                return None
            raise
        return _with_formatted_times(instances[0]) if instances else None

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        actual, wanted = item["EngineVersion"], known.get("engineVersion")
        # A prefix stays what the program says, as long as the version is of it.
        of = wanted and actual.split(".")[: len(wanted.split("."))] == wanted.split(".")
        endpoint = item.get("Endpoint") or {}
        secret = item.get("MasterUserSecret")
        reported: Props = {"engineVersion": wanted if of else actual}
        if endpoint:
            reported["endpoint"] = f"{endpoint['Address']}:{endpoint['Port']}"
        if secret:
            reported["manageMasterUserPassword"] = True
            reported["masterUserSecrets"] = [
                {
                    "kmsKeyId": secret.get("KmsKeyId", ""),
                    "secretArn": secret["SecretArn"],
                    "secretStatus": secret.get("SecretStatus", ""),
                }
            ]
        return {"listenerEndpoints": [], "masterUserSecrets": [], **reported}

    def changed_params(self, change: Change, old: Props, new: Props) -> Props:
        params, changed = super().changed_params(change, old, new), self.changed(old, new)
        major = bool(params.pop("AllowMajorVersionUpgrade", None) or new.get("allowMajorVersionUpgrade"))
        if "passwordWoVersion" in changed and new.get("passwordWo"):
            params["MasterUserPassword"] = new["passwordWo"]
        if "enabledCloudwatchLogsExports" in changed:
            before, after = (set(props.get("enabledCloudwatchLogsExports") or []) for props in (old, new))
            params["CloudwatchLogsExportConfiguration"] = {
                "EnableLogTypes": sorted(after - before),
                "DisableLogTypes": sorted(before - after),
            }
        if not params:
            return {}
        if "EngineVersion" in params and major:
            params["AllowMajorVersionUpgrade"] = True
        params["ApplyImmediately"] = bool(new.get("applyImmediately"))
        return {"DBInstanceIdentifier": old["identifier"], **params}

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        skipped, last = bool(state.get("skipFinalSnapshot")), state.get("finalSnapshotIdentifier")
        if not skipped and not last:
            raise CloudError(
                f"deleting RDS DB Instance ({state['identifier']}): final_snapshot_identifier is required "
                "when skip_final_snapshot is false",
                path="finalSnapshotIdentifier",
            )
        params: Props = {"DBInstanceIdentifier": state["identifier"], "SkipFinalSnapshot": skipped}
        params["DeleteAutomatedBackups"] = state.get("deleteAutomatedBackups") is not False
        if not skipped:
            params["FinalDBSnapshotIdentifier"] = last
        context.call("rds", "DeleteDBInstance", params)

    def describe(self, props: Props, id: str = "") -> str:
        return str(props.get("identifier") or id)


def _with_formatted_times(item: Props) -> Props:
    """With times as the provider writes them."""
    latest = item.get("LatestRestorableTime")
    return {**item, "LatestRestorableTime": latest.strftime("%Y-%m-%dT%H:%M:%SZ")} if latest else item
