"""RDS: instances; their groups are in rds_groups.py.

The words are those of the RDS API where they are known; sources are the API Reference's CreateDBInstance and
ModifyDBInstance, and the User Guide's "Amazon RDS DB instance storage", "Quotas and constraints", and
"Password management with Amazon RDS and AWS Secrets Manager".
"""

from __future__ import annotations

import re
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.iam import service_roles
from twin.aws.services.rds import data as rds
from twin.aws.services.rds.data import CERTIFICATES, ENGINES, INSIGHTS, MONITORING, STORAGE
from twin.aws.services.rds.validation.groups import (
    apart,
    backend,
    identifier,
    parameter_group,
    require,
    subnet_group,
    wrong,
)
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]

_RETENTION: Final = 35
"""Days that automated backups are kept at most."""
_ROOM: Final = 1.1
"""How much more than now the storage may at least grow to by itself."""


def create_instance(params: Params, state: MotoState) -> None:
    """CreateDBInstance."""
    name = str(params.get("DBInstanceIdentifier"))
    identifier("DBInstanceIdentifier", name, 63)
    if name in backend(state).databases:
        raise Refusal("DBInstanceAlreadyExists", "DB instance already exists")
    _user(params)
    _names(params)
    _check(params, state)


def modify_instance(params: Params, state: MotoState) -> None:
    """ModifyDBInstance: the whole is checked again with what changes."""
    before = instance(state, params.get("DBInstanceIdentifier"))
    _password(params, managed=bool(getattr(before, "manage_master_user_password", False)))
    size = params.get("AllocatedStorage")
    if size is not None and size < before.allocated_storage:
        raise apart(
            f"Invalid storage size: the allocated storage can't be reduced from {before.allocated_storage} "
            f"to {size} GiB."
        )
    _upgrade(params, before)
    new = params.get("NewDBInstanceIdentifier")
    if new:
        identifier("NewDBInstanceIdentifier", new, 63)
        if new in backend(state).databases:
            raise Refusal("DBInstanceAlreadyExists", "DB instance already exists")
    _check({**_as_given(before), **params}, state, fresh=params)


def delete_instance(params: Params, state: MotoState) -> None:
    """DeleteDBInstance: a last snapshot is named or waived, and a protected instance stays."""
    database = instance(state, params.get("DBInstanceIdentifier"))
    if database.deletion_protection:
        raise apart("Cannot delete protected DB Instance, please disable deletion protection and try again.")
    last = params.get("FinalDBSnapshotIdentifier")
    if params.get("SkipFinalSnapshot"):
        if last:
            raise apart(
                "FinalDBSnapshotIdentifier can not be specified when SkipFinalSnapshot is set to true."
            )
        return
    if not last:
        raise apart("FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")
    identifier("FinalDBSnapshotIdentifier", last, 255)
    if last in backend(state).database_snapshots:
        raise Refusal(
            "DBSnapshotAlreadyExists",
            f"Cannot create the snapshot because a snapshot with the identifier {last} already exists.",
        )


def _check(params: Params, state: MotoState, fresh: Params | None = None) -> None:
    # fresh: what a modification changes; what stays was checked when it was given.
    new = params if fresh is None else fresh
    engine = str(params.get("Engine"))
    if engine in ENGINES:
        _engine(params, new)
        _storage(params, new)
    _class(params, new)
    retention = new.get("BackupRetentionPeriod")
    if retention is not None and not 0 <= retention <= _RETENTION:
        raise wrong(f"Invalid backup retention period: {retention}. It must be between 0 and {_RETENTION}.")
    _network(params, state)
    _key(params, new, state)
    _group(params, new, state)
    _watched(params, new, state)


def _user(params: Params) -> None:
    if params.get("DBClusterIdentifier"):
        return
    user = params.get("MasterUsername")
    if not user:
        raise wrong("The parameter MasterUsername must be provided and must not be blank.")
    engine = ENGINES.get(str(params.get("Engine")))
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,62}", user):
        raise wrong("The parameter MasterUsername is not a valid identifier.")
    if engine and user.lower() in engine.reserved:
        raise wrong(f"MasterUsername {user} cannot be used as it is a reserved word used by the engine")
    _password(params, managed=False, wanted=True)


def _password(params: Params, *, managed: bool, wanted: bool = False) -> None:
    managed = bool(params.get("ManageMasterUserPassword", managed))
    password = params.get("MasterUserPassword")
    if managed and password:
        raise apart("You can't specify MasterUserPassword when ManageMasterUserPassword is set to true.")
    if params.get("MasterUserSecretKmsKeyId") and not managed:
        raise apart(
            "You can't specify MasterUserSecretKmsKeyId unless ManageMasterUserPassword is set to true."
        )
    if not managed and wanted and not password:
        raise wrong("The parameter MasterUserPassword must be provided and must not be blank.")
    if password is None:
        return
    engine = ENGINES.get(str(params.get("Engine")))
    if not 8 <= len(password) <= (engine.password if engine else 128):
        raise wrong(
            "The parameter MasterUserPassword is not a valid password because it is of a wrong length."
        )
    if re.search(r"[^!-~]|[/@\"]", password):
        raise wrong(
            "The parameter MasterUserPassword is not a valid password. "
            "Only printable ASCII characters besides '/', '@', '\"', ' ' may be used."
        )


def _names(params: Params) -> None:
    name = params.get("DBName")
    if name is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", name):
        raise wrong("DBName must begin with a letter and contain only alphanumeric characters.")


def _engine(params: Params, new: Params) -> None:
    name, wanted = str(params["Engine"]), params.get("EngineVersion")
    engine = ENGINES[name]
    if new.get("EngineVersion") and not engine.full(wanted):
        raise apart(f"Cannot find version {wanted} for {name}")
    logs = new.get("EnableCloudwatchLogsExports") or []
    logs = [*logs, *((new.get("CloudwatchLogsExportConfiguration") or {}).get("EnableLogTypes") or [])]
    unknown = [log for log in logs if log not in engine.logs]
    if unknown:
        raise apart(
            f"You cannot use the log types '{', '.join(unknown)}' with engine version {name} "
            f"{engine.full(wanted)}. For supported log types, see the documentation."
        )


def _upgrade(params: Params, before: Any) -> None:
    engine, wanted = ENGINES.get(before.engine), params.get("EngineVersion")
    if engine is None or not wanted:
        return
    full = engine.full(wanted)
    if not full:
        raise apart(f"Cannot find version {wanted} for {before.engine}")
    numbers = [[int(part) for part in version.split(".")] for version in (before.engine_version, full)]
    if numbers[1] < numbers[0]:
        raise apart(f"Cannot upgrade {before.engine} from {before.engine_version} to {full}")
    if engine.major(full) != engine.major(before.engine_version) and not params.get(
        "AllowMajorVersionUpgrade"
    ):
        raise apart(
            "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version."
        )


def _storage(params: Params, new: Params) -> None:
    engine, kind = str(params["Engine"]), str(params.get("StorageType") or "gp2")
    size = params.get("AllocatedStorage")
    least, most = STORAGE.get(kind, (5, 3072))
    if size is None:
        raise wrong("The parameter AllocatedStorage must be provided and must not be blank.")
    if not least <= size <= most:
        raise wrong(
            f"Invalid storage size for engine name {engine} and storage type {kind}: {size}. "
            f"It must be between {least} and {most} GiB."
        )
    top = new.get("MaxAllocatedStorage")
    if top is not None and top != size and top < size * _ROOM:
        raise apart(
            "Max storage size must be greater than storage size: it is to be at least 10% more than "
            f"{size} GiB, got {top}"
        )
    if kind.startswith("io") and not params.get("Iops"):
        raise apart(f"You must specify iops for storage type {kind}.")
    small = size < ENGINES[engine].many_volumes
    if kind == "gp3" and small and (new.get("Iops") or new.get("StorageThroughput")):
        raise apart(
            f"You can't specify IOPS or storage throughput for engine {engine} and a storage size less than "
            f"{ENGINES[engine].many_volumes}."
        )
    if kind in ("gp2", "standard") and new.get("Iops"):
        raise apart(f"You can't specify IOPS for storage type {kind}.")


def _class(params: Params, new: Params) -> None:
    wanted = new.get("DBInstanceClass")
    if wanted and not rds.offered(wanted):
        engine = ENGINES.get(str(params.get("Engine")))
        raise apart(
            "RDS does not support creating a DB instance with the following combination: "
            f"DBInstanceClass={wanted}, Engine={params.get('Engine')}, "
            f"EngineVersion={engine.full(params.get('EngineVersion')) if engine else ''}, "
            f"LicenseModel={engine.license if engine else ''}. For supported combinations of instance class "
            "and database engine version, see the documentation."
        )


def _network(params: Params, state: MotoState) -> None:
    if params.get("MultiAZ") and params.get("AvailabilityZone"):
        raise apart("Requesting a specific availability zone is not valid for Multi-AZ instances.")
    named = params.get("DBSubnetGroupName")
    vpc = subnet_group(state, named).vpc_id if named else getattr(state.ec2.default_vpc, "id", "")
    groups = state.groups()
    for id in params.get("VpcSecurityGroupIds") or []:
        if id not in groups:
            raise wrong(f"Invalid security group , groupId= {id}, groupName=.")
        if groups[id].vpc_id != vpc:
            raise apart(
                "The DB instance and EC2 security group are in different VPCs. The DB instance is in "
                f"{vpc} and the EC2 security group is in {groups[id].vpc_id}"
            )
    if params.get("PubliclyAccessible") and not any(
        internet_gateway.vpc and internet_gateway.vpc.id == vpc
        for internet_gateway in state.ec2.internet_gateways.values()
    ):
        raise Refusal(
            "InvalidVPCNetworkStateFault",
            f"Cannot create a publicly accessible DBInstance. The specified VPC {vpc} has no internet "
            "gateway "
            "attached. Update the VPC and then try again",
        )


def _key(params: Params, new: Params, state: MotoState) -> None:
    if new.get("KmsKeyId") and not params.get("StorageEncrypted"):
        raise apart("KmsKeyId can be specified only when StorageEncrypted is set to true.")
    for name in ("KmsKeyId", "MasterUserSecretKmsKeyId", "PerformanceInsightsKMSKeyId"):
        named = new.get(name)
        key = state.key(named) if named else None
        if named and not named.endswith("alias/aws/rds") and (key is None or not key.enabled):
            raise Refusal(
                "KMSKeyNotAccessibleFault",
                f"The specified KMS key [{named}] does not exist, is not enabled or you do not have "
                "permissions "
                "to access it.",
            )


def _group(params: Params, new: Params, state: MotoState) -> None:
    named, engine = new.get("DBParameterGroupName"), ENGINES.get(str(params.get("Engine")))
    if not named or str(named).startswith("default."):
        return
    group = parameter_group(state, named)
    if engine is None:
        return
    family = f"{params['Engine']}{engine.major(engine.full(params.get('EngineVersion')))}"
    if group.family != family:
        raise apart(
            f"The parameter group with DBParameterGroupFamily {group.family} can't be used for this "
            "instance. "
            f"Please use a parameter group with DBParameterGroupFamily {family}."
        )


def _watched(params: Params, new: Params, state: MotoState) -> None:
    certificate = new.get("CACertificateIdentifier")
    if certificate and certificate not in CERTIFICATES:
        raise Refusal("CertificateNotFound", f"Certificate not found: {certificate}", 404)
    days = new.get("PerformanceInsightsRetentionPeriod")
    if days is not None and days not in INSIGHTS:
        raise wrong(
            f"Invalid Performance Insights retention period: {days}. Valid values are 7, 731, n * 31."
        )
    if (days or new.get("PerformanceInsightsKMSKeyId")) and not params.get("EnablePerformanceInsights"):
        raise apart("You must set EnablePerformanceInsights to true for its retention period or KMS key.")
    if params.get("DatabaseInsightsMode") == "advanced" and (
        not params.get("EnablePerformanceInsights")
        or (params.get("PerformanceInsightsRetentionPeriod") or 0) < 465
    ):
        raise apart(
            "To enable the Advanced mode of Database Insights, enable Performance Insights and set its "
            "retention period to at least 465 days"
        )
    seconds, role = params.get("MonitoringInterval") or 0, params.get("MonitoringRoleArn")
    if seconds not in MONITORING:
        raise wrong(
            f"Invalid monitoring interval: {seconds}. Valid values are {', '.join(map(str, MONITORING))}."
        )
    if seconds and not role:
        raise apart(
            "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0."
        )
    if seconds and service_roles.by("monitoring.rds.amazonaws.com", str(role), state) is None:
        raise wrong(
            "IAM role ARN value is invalid or does not include the required permissions for: "
            "ENHANCED_MONITORING"
        )


def _as_given(database: Any) -> Params:
    """An instance's parameters, as creating it took them."""
    return {
        "Engine": database.engine,
        "EngineVersion": database.engine_version,
        "AllocatedStorage": database.allocated_storage,
        "StorageType": database.storage_type,
        "Iops": database.iops,
        "StorageEncrypted": database.storage_encrypted,
        "VpcSecurityGroupIds": database.vpc_security_group_ids,
        "DBSubnetGroupName": database.db_subnet_group.name if hasattr(database, "db_subnet_group") else None,
        "PubliclyAccessible": database.publicly_accessible,
        "EnablePerformanceInsights": getattr(database, "performance_insights_enabled", False),
        "PerformanceInsightsRetentionPeriod": getattr(
            database, "performance_insights_retention_period", None
        ),
        "DatabaseInsightsMode": getattr(database, "database_insights_mode", None),
        "MonitoringInterval": database.monitoring_interval,
        "MonitoringRoleArn": database.monitoring_role_arn,
    }


def instance(state: MotoState, name: Any) -> Any:
    """An instance, or RDS's refusal."""
    return require(
        backend(state).databases, name, "DBInstanceNotFound", f"DBInstance {str(name).lower()} not found."
    )


RULES: Final = {
    "CreateDBInstance": create_instance,
    "ModifyDBInstance": modify_instance,
    "DeleteDBInstance": delete_instance,
}
