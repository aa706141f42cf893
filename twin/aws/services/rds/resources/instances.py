"""RDS: instances; their groups are in groups.py."""

from __future__ import annotations

import re
from typing import Any, Final

from twin.aws.api_server.errors import code_of
from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource, ClientError
from twin.aws.resources.fields import Field, pascal, to_api
from twin.provider_interface import CloudError, Props

_OTHERWISE: Final = {
    "caCertIdentifier": "CACertificateIdentifier",
    "dbSubnetGroupName": "DBSubnetGroupName",
    "iamDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
    "instanceClass": "DBInstanceClass",
    "multiAz": "MultiAZ",
    "performanceInsightsKmsKeyId": "PerformanceInsightsKMSKeyId",
    "port": "DBPortNumber",
}
_SAME_IN_CHANGES: Final = (
    "allocatedStorage",
    "allowMajorVersionUpgrade",
    "autoMinorVersionUpgrade",
    "backupRetentionPeriod",
    "copyTagsToSnapshot",
    "databaseInsightsMode",
    "dedicatedLogVolume",
    "deletionProtection",
    "engineVersion",
    "iops",
    "manageMasterUserPassword",
    "masterUserSecretKmsKeyId",
    "maxAllocatedStorage",
    "monitoringInterval",
    "monitoringRoleArn",
    "networkType",
    "optionGroupName",
    "performanceInsightsRetentionPeriod",
    "publiclyAccessible",
    "storageThroughput",
    "storageType",
    "vpcSecurityGroupIds",
)
_CHANGES: Final = {
    **pascal(*_SAME_IN_CHANGES),
    **{name: Field(api) for name, api in _OTHERWISE.items()},
    "backupWindow": Field("PreferredBackupWindow"),
    "maintenanceWindow": Field("PreferredMaintenanceWindow"),
    "parameterGroupName": Field("DBParameterGroupName"),
    "password": Field("MasterUserPassword"),
    "performanceInsightsEnabled": Field("EnablePerformanceInsights"),
    "customerOwnedIpEnabled": Field("EnableCustomerOwnedIp"),
    "identifier": Field("NewDBInstanceIdentifier"),
}
"""What ModifyDBInstance changes, by its own names."""
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

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        wanted = {**self.defaults, **{name: value for name, value in new.items() if value is not None}}
        if not wanted.get("manageMasterUserPassword") and "manageMasterUserPassword" in changed:
            wanted["manageMasterUserPassword"] = False
        if changed & {"deletionProtection"}:
            wanted.setdefault("deletionProtection", False)
        params: Props = {}
        for name in sorted(changed):
            if name in _CHANGES and name in wanted:
                params |= to_api({name: _CHANGES[name]}, wanted)
        if "passwordWoVersion" in changed and wanted.get("passwordWo"):
            params["MasterUserPassword"] = wanted["passwordWo"]
        if "enabledCloudwatchLogsExports" in changed:
            before = set(old.get("enabledCloudwatchLogsExports") or [])
            after = set(wanted.get("enabledCloudwatchLogsExports") or [])
            params["CloudwatchLogsExportConfiguration"] = {
                "EnableLogTypes": sorted(after - before),
                "DisableLogTypes": sorted(before - after),
            }
        if not set(params) - {"AllowMajorVersionUpgrade"}:
            return
        if "EngineVersion" in params and wanted.get("allowMajorVersionUpgrade"):
            params["AllowMajorVersionUpgrade"] = True
        params["ApplyImmediately"] = bool(wanted.get("applyImmediately"))
        context.call("rds", "ModifyDBInstance", {"DBInstanceIdentifier": old["identifier"], **params})

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        skipped, last = bool(state.get("skipFinalSnapshot")), state.get("finalSnapshotIdentifier")
        if not skipped and not last:
            raise CloudError(
                f"deleting RDS DB Instance ({state['identifier']}): final_snapshot_identifier is required "
                "when "
                "skip_final_snapshot is false",
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
