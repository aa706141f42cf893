"""Cloud SQL: instances, databases and users."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.entry import Change
from twin.gcp.resources.fields import Field, local, only_read, only_sent
from twin.gcp.resources.links import relative
from twin.gcp.resources.validators import between, one_of
from twin.provider_interface import UNKNOWN, AutoName, CloudError, Failure, Props

_IP: Final = "settings.ipConfiguration"
_BACKUP: Final = "settings.backupConfiguration"
_PSC: Final = f"{_IP}.pscConfigs"
_AUTO: Final = f"{_PSC}.pscAutoConnections"
_NETWORK: Final = re.compile(
    r"(https?://(www\.)?(compute\.)?googleapis\.com/compute/v\d\w*/)?projects/[^/]+/global/networks/[^/]+"
)
_REPLICA: Final = (
    *("caCertificate", "clientCertificate", "clientKey", "connectRetryInterval", "dumpFilePath", "username"),
    *("masterHeartbeatPeriod", "password", "sslCipher", "verifyServerCertificate"),
)


class DatabaseInstance(GcpResource):
    token = "gcp:sql/databaseInstance:DatabaseInstance"
    title = "instance"
    collection = "sqladmin.instances"
    schema = "DatabaseInstance"
    params = {"project": "{project}", "instance": "{name}"}
    create_params = {"project": "{project}"}
    id_form = "{name}"
    place = "region"
    autoname = AutoName("name", max_length=97, lower=True)
    minutes = 90
    fields = {
        "encryptionKeyName": Field("diskEncryptionConfiguration.kmsKeyName"),
        **local("deletionProtection", "enforceNewSqlNetworkArchitecture", "finalBackupDescription"),
        **local("rootPasswordWo", "rootPasswordWoVersion", "restoreBackupContext", "backupdrBackup", "clone"),
        **local("pointInTimeRestoreContext", "blueGreenDeployment", "encryptionConfidentialMode"),
        **only_sent("rootPassword"),
        "region": Field("region"),
        "settings.version": Field("settingsVersion", sent=False),
        "settings.effectiveAvailabilityType": Field("availabilityType", sent=False),
        "settings.denyMaintenancePeriod": Field("denyMaintenancePeriods"),
        "settings.diskAutoresize": Field("storageAutoResize"),
        "settings.diskAutoresizeLimit": Field("storageAutoResizeLimit"),
        "settings.diskSize": Field("dataDiskSizeGb"),
        "settings.diskType": Field("dataDiskType"),
        "settings.connectionPoolConfigs": Field("connectionPoolConfig"),
        f"{_BACKUP}.backupTier": Field(sent=False),
        _PSC: Field("pscConfig"),
        f"{_AUTO}.consumerServiceProjectId": Field("consumerProject"),
        **{
            f"{_AUTO}.{name}": Field(sent=False)
            for name in (
                *(
                    "consumerNetworkStatus",
                    "instanceAutoDnsStatus",
                    "writeEndpointAutoDnsStatus",
                    "ipAddress",
                ),
                *("status", "serviceConnectionPolicy", "serviceConnectionPolicyCreationResult"),
            )
        },
        **{f"replicaConfiguration.{name}": Field(f"mysqlReplicaConfiguration.{name}") for name in _REPLICA},
        "replicationCluster.drReplica": Field(sent=False),
        "serverCaCerts": Field("serverCaCert", sent=False),
        **{
            name: Field(sent=False, read=False)
            for name in ("firstIpAddress", "publicIpAddress", "privateIpAddress")
        },
        **only_read("connectionName", "availableMaintenanceVersions", "ipAddresses", "dnsName", "dnsNames"),
        **only_read("serviceAccountEmailAddress", "selfLink", "pscServiceAttachmentLink"),
    }
    nested_defaults = {
        f"{_BACKUP}.backupRetentionSettings.retentionUnit": "COUNT",
        f"{_IP}.ipv4Enabled": True,
    }
    computed = frozenset(
        {"region", "enforceNewSqlNetworkArchitecture", "settings", "maintenanceVersion", "encryptionKeyName"}
        | {"name", "masterInstanceName", "project", "instanceType", "nodeCount", "replicaConfiguration"}
        | {"replicaNames", "replicationCluster"}
    )
    nested_computed = frozenset(
        f"settings.{name}"
        for name in (
            *(
                "edition",
                "dataCacheConfig",
                "backupConfiguration",
                "backupConfiguration.startTime",
                "version",
            ),
            *("backupConfiguration.transactionLogRetentionDays", "backupConfiguration.backupTier"),
            *("backupConfiguration.backupRetentionSettings", "diskSize", "diskType", "userLabels"),
            *("dataDiskProvisionedIops", "dataDiskProvisionedThroughput", "replicationLagMaxSeconds"),
            *("connectionPoolConfigs", "ipConfiguration", "ipConfiguration.sslMode", "locationPreference"),
            *("ipConfiguration.serverCaMode", "insightsConfig", "insightsConfig.queryStringLength"),
            *("insightsConfig.queryPlansPerMinute", "connectorEnforcement", "dataApiAccess"),
            *("readPoolAutoScaleConfig", "effectiveAvailabilityType"),
        )
    ) | {"replicationCluster.psaWriteEndpoint"}
    immutable = frozenset({"region", "settings.collation", "encryptionKeyName", "name", "project"}) | {
        f"replicaConfiguration.{name}" for name in _REPLICA
    }
    sets = frozenset(
        {"settings.databaseFlags", "settings.connectionPoolConfigs", f"{_IP}.authorizedNetworks", _PSC}
        | {f"{_PSC}.allowedConsumerProjects", f"{_IP}.customSubjectAlternativeNames"}
    )
    changes = (
        Change(
            (
                "databaseVersion",
                "settings",
                "maintenanceVersion",
                "nodeCount",
                "instanceType",
                "replicaNames",
            ),
            method="update",
            whole=True,
        ),
    )
    volatile = frozenset({"settings.version"})
    validators = {
        f"{_IP}.sslMode": one_of(
            "ALLOW_UNENCRYPTED_AND_ENCRYPTED", "ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"
        ),
        f"{_IP}.serverCaMode": one_of(
            "CA_MODE_UNSPECIFIED",
            "GOOGLE_MANAGED_INTERNAL_CA",
            "GOOGLE_MANAGED_CAS_CA",
            "CUSTOMER_MANAGED_CAS_CA",
        ),
        "settings.maintenanceWindow.day": between(1, 7),
        "settings.maintenanceWindow.hour": between(0, 23),
        "settings.insightsConfig.queryStringLength": between(1, 1048576),
        "settings.insightsConfig.queryPlansPerMinute": between(0, 200),
        "settings.finalBackupConfig.retentionDays": between(1, 36135),
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        if not any(
            inputs.get(each) is not None for each in ("settings", "clone", "pointInTimeRestoreContext")
        ):
            yield Failure("settings", "one of `clone,pointInTimeRestoreContext,settings` must be specified")
        settings = inputs.get("settings")
        settings = settings if isinstance(settings, dict) else {}
        network = (settings.get("ipConfiguration") or {}).get("privateNetwork")
        if isinstance(network, str) and network and not _NETWORK.fullmatch(network):
            yield Failure(
                f"{_IP}.privateNetwork",
                f'"private_network" ("{network}") doesn\'t match regexp '
                '"projects/PROJECT/global/networks/NAME"',
            )
        version = inputs.get("databaseVersion")
        recovery = (settings.get("backupConfiguration") or {}).get("pointInTimeRecoveryEnabled")
        if recovery is True and isinstance(version, str) and version.startswith("MYSQL"):
            yield Failure(
                f"{_BACKUP}.pointInTimeRecoveryEnabled",
                "point_in_time_recovery_enabled is only available for the following [POSTGRES "
                "SQLSERVER]. You "
                "may want to consider using binary_log_enabled instead",
            )

    def alike(self, path: str, old: Any, new: Any) -> bool:
        if path == f"{_IP}.privateNetwork":
            return relative(str(old)) == relative(str(new))
        if path == "settings.diskType":
            return str(old).replace("-", "_").upper() == str(new).replace("-", "_").upper()
        return False

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
            was, now = ((each.get("settings") or {}) for each in (old, new))
            shrinks = (now.get("diskSize") or 0) < (was.get("diskSize") or 0)
            return bool(shrinks and now.get("diskAutoresize") is False)
        return super().replaces(path, old, new)

    def body(self, context: GcpContext, inputs: Props) -> tuple[Props, dict[str, str]]:
        made, places = super().body(context, inputs)
        if inputs.get("region") not in (None, UNKNOWN):
            made["region"] = inputs["region"]
            places["region"] = "region"
        config = (made.get("settings") or {}).get("ipConfiguration")
        if isinstance(config, dict) and isinstance(config.get("privateNetwork"), str):
            config["privateNetwork"] = relative(config["privateNetwork"])
        return made, places

    def change_body(
        self, context: GcpContext, call: Change, changed: set[str], new: Props
    ) -> tuple[Props, list[str]]:
        made, mask = super().change_body(context, call, changed, new)
        now = self.find(context, "", self.values(context, "", new)) or {}
        held = now.get("settings") or {}
        if "settings" in made:
            made["settings"]["settingsVersion"] = held.get("settingsVersion")
            size = made["settings"].get("dataDiskSizeGb")
            grown = int(held.get("dataDiskSizeGb") or 0)
            if size is not None and int(size) < grown and made["settings"].get("storageAutoResize", True):
                made["settings"]["dataDiskSizeGb"] = str(grown)
        return made, mask

    def more(self, context: GcpContext, id: str, item: Props, known: Props) -> Props:
        addresses: list[Props] = item.get("ipAddresses") or []
        by_kind = {each.get("type"): each.get("ipAddress", "") for each in addresses}
        return {
            "firstIpAddress": addresses[0]["ipAddress"] if addresses else "",
            "publicIpAddress": by_kind.get("PRIMARY", ""),
            "privateIpAddress": by_kind.get("PRIVATE", ""),
        }

    def unmake(self, context: GcpContext, id: str, state: Props) -> None:
        if state.get("deletionProtection"):
            raise CloudError(
                "Error, failed to delete instance because deletion_protection is set to true. Set it "
                "to false "
                "to proceed with instance deletion",
                path="deletionProtection",
            )
        params = self.filled(self.params, self.values(context, id, state))
        last = (state.get("settings") or {}).get("finalBackupConfig") or {}
        if last.get("enabled"):
            params |= {"enableFinalBackup": True, "finalBackupTtlDays": last.get("retentionDays")}
        params = {name: value for name, value in params.items() if value is not None}
        self.done(context, context.call(f"{self.collection}.delete", params), "Deleting")


class Database(GcpResource):
    token = "gcp:sql/database:Database"
    title = "Database"
    collection = "sqladmin.databases"
    schema = "Database"
    params = {"project": "{project}", "instance": "{instance}", "database": "{name}"}
    id_form = "projects/{project}/instances/{instance}/databases/{name}"
    autoname = AutoName("name", max_length=255)
    fields = only_read("selfLink")
    changes = (Change(("charset", "collation"), method="update", whole=True),)

    def alike(self, path: str, old: Any, new: Any) -> bool:
        return path == "charset" and str(old).lower() == str(new).lower()


class User(GcpResource):
    token = "gcp:sql/user:User"
    title = "User"
    collection = "sqladmin.users"
    schema = "User"
    params = {"project": "{project}", "instance": "{instance}", "name": "{name}", "host": "{host}"}
    id_form = "{name}/{host}/{instance}"
    autoname = AutoName("name", max_length=63)
    fields = {
        **local("passwordWo", "passwordWoVersion"),
        **only_sent("password", "databaseRoles"),
        "passwordPolicy.statuses": Field("status", sent=False),
        "sqlServerUserDetails": Field("sqlserverUserDetails", sent=False),
        **only_read("iamEmail"),
    }
    validators = {
        "type": one_of(
            "BUILT_IN",
            "CLOUD_IAM_USER",
            "CLOUD_IAM_SERVICE_ACCOUNT",
            "CLOUD_IAM_GROUP",
            "CLOUD_IAM_GROUP_USER",
            "CLOUD_IAM_GROUP_SERVICE_ACCOUNT",
            "",
        )
    }

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
        made = super().filled(params, values)
        return {name: value for name, value in made.items() if value not in (None, "")}

    def alike(self, path: str, old: Any, new: Any) -> bool:
        if path == "name":
            return str(old) == str(new).partition("@")[0]
        return path == "type" and {old or "BUILT_IN", new or "BUILT_IN"} == {"BUILT_IN"}

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
