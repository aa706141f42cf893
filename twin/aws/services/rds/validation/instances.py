"""RDS: instances; their groups are in rds_groups.py.

The words are those of the RDS API where they are known; sources are the API Reference's CreateDBInstance and
ModifyDBInstance, and the User Guide's "Amazon RDS DB instance storage", "Quotas and constraints", and
"Password management with Amazon RDS and AWS Secrets Manager".
"""

from __future__ import annotations

from typing import Any, Final

from twin.aws.iam import service_roles
from twin.aws.services.rds import data as rds
from twin.aws.services.rds.data import ENGINES, STORAGE
from twin.aws.services.rds.validation.groups import (
    apart,
    backend,
    parameter_group,
    subnet_group,
    wrong,
)
from twin.aws.validation import stated
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]
_ROOM: Final = 1.1
"""How much more than now the storage may at least grow to by itself."""
_MONITORING: Final = "monitoring.rds.amazonaws.com"


def create_instance(params: Params, state: MotoState) -> None:
    """CreateDBInstance."""
    engine = ENGINES.get(str(params.get("Engine")))
    reserved, longest = (sorted(engine.reserved), engine.password) if engine else ([], 128)
    if not params.get("DBClusterIdentifier"):
        stated.check(__name__, "user", {**params, "reserved": reserved}, state)
        stated.check(__name__, "password", {**params, "longest": longest}, state)
    _check(params, state)


def modify_instance(params: Params, state: MotoState) -> None:
    """ModifyDBInstance: the whole is checked again with what changes."""
    before = backend(state).databases[params["DBInstanceIdentifier"]]
    managed = {"ManageMasterUserPassword": bool(getattr(before, "manage_master_user_password", False))}
    stated.check(__name__, "password", {**managed, "longest": 128, **params}, state)
    size = params.get("AllocatedStorage")
    if size is not None and size < before.allocated_storage:
        raise apart(
            f"Invalid storage size: the allocated storage can't be reduced from {before.allocated_storage} "
            f"to {size} GiB."
        )
    _upgrade(params, before)
    _check({**_as_given(before), **params}, state, fresh=params)


def _check(params: Params, state: MotoState, fresh: Params | None = None) -> None:
    # fresh: what a modification changes; what stays was checked when it was given.
    new = params if fresh is None else fresh
    engine = str(params.get("Engine"))
    if engine in ENGINES:
        _engine(params, new)
        kind = str(params.get("StorageType") or "gp2")
        least, most = STORAGE.get(kind, (5, 3072))
        small = (params.get("AllocatedStorage") or 0) < ENGINES[engine].many_volumes
        facts = {"kind": kind, "least": least, "most": most, "small": small}
        facts["room"] = (params.get("AllocatedStorage") or 0) * _ROOM
        stated.check(__name__, "storage", {**params, **facts, "new": new}, state)
    _class(params, new)
    named = params.get("DBSubnetGroupName")
    vpc = subnet_group(state, named).vpc_id if named else getattr(state.ec2.default_vpc, "id", "")
    stated.check(__name__, "instance", {**params, "new": new, "vpc": vpc}, state)
    _group(params, new, state)
    role = params.get("MonitoringRoleArn")
    if params.get("MonitoringInterval") and service_roles.by(_MONITORING, str(role), state) is None:
        raise wrong(
            "IAM role ARN value is invalid or does not include the required permissions for: "
            "ENHANCED_MONITORING"
        )


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
            f"instance. Please use a parameter group with DBParameterGroupFamily {family}."
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


RULES: Final = stated.rules(
    __name__,
    {
        "CreateDBInstance": create_instance,
        "ModifyDBInstance": modify_instance,
    },
)
