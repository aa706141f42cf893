"""What moto's RDS forgets or does otherwise than RDS, put right in moto itself.

Performance Insights, full engine versions, resource ids and real passwords in the managed secret; changes
that
wait for the maintenance window; subnet groups that are there after they were changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from twin.aws.api_server.request import Answer, Call
from twin.aws.services.rds.data import ENGINES
from twin.aws.validation import extension_store

_LATER: Final = {
    "allocated_storage": "AllocatedStorage",
    "db_instance_class": "DBInstanceClass",
    "engine_version": "EngineVersion",
    "iops": "Iops",
    "multi_az": "MultiAZ",
    "storage_throughput": "StorageThroughput",
    "storage_type": "StorageType",
}
"""What waits for the maintenance window unless it is to be applied immediately."""
_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_SIGNS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&()*+,-.:;<=>?[]^_{|}~"
_PASSWORD: Final = 28


def install() -> None:
    """Put the repairs into moto, once."""
    from moto.rds import models

    kind: Any = models.DBInstance
    if hasattr(kind, "twin_init"):
        return
    kind.twin_init, kind.__init__ = kind.__init__, _init
    kind.twin_update, kind.update = kind.update, _update
    kind.twin_parameter_groups, kind.db_parameter_groups = kind.db_parameter_groups, _parameter_groups
    secret: Any = models.MasterUserSecret
    secret._generate_secret_string = _secret_string
    secret.twin_create_secret, secret._create_secret = secret._create_secret, _create_secret
    backend: Any = models.RDSBackend
    backend.twin_modify_subnet_group = backend.modify_db_subnet_group
    backend.modify_db_subnet_group = _modify_subnet_group


def _init(self: Any, backend: Any, *arguments: Any, **options: Any) -> None:
    engine = ENGINES.get(str(options.get("engine")))
    if engine:
        options["engine_version"] = engine.full(options.get("engine_version"))
        options.setdefault("license_model", engine.license)
    options.setdefault("ca_certificate_identifier", "rds-ca-rsa2048-g1")
    if options.get("storage_encrypted") and not options.get("kms_key_id"):
        options["kms_key_id"] = _own_key(backend)
    elif options.get("kms_key_id"):
        options["kms_key_id"] = backend._validate_kms_key(options["kms_key_id"])
    subnets = options.get("db_subnet_group_name")
    if subnets and not options.get("availability_zone") and subnets in backend.subnet_groups:
        zones = sorted(subnet.availability_zone for subnet in backend.subnet_groups[subnets]._subnets)
        options["availability_zone"] = zones[0]
        if options.get("multi_az"):
            self.secondary_availability_zone = zones[1]
    self.twin_init(backend, *arguments, **options)
    self.dbi_resource_id = f"db-{_drawn(26, _ALPHABET)}"
    self.upgrade_rollout_order = "second"
    self.network_type = options.get("network_type") or "IPV4"
    self.backup_target = options.get("backup_target") or "region"
    self.dedicated_log_volume = bool(options.get("dedicated_log_volume"))
    self.engine_lifecycle_support = (
        options.get("engine_lifecycle_support") or "open-source-rds-extended-support"
    )
    self.timezone = options.get("timezone")
    self.nchar_character_set_name = options.get("nchar_character_set_name")
    self.customer_owned_ip_enabled = bool(options.get("enable_customer_owned_ip"))
    _insights(self, options)
    self.database_insights_mode = options.get("database_insights_mode") or "standard"


def _insights(self: Any, options: Any) -> None:
    on = options.get("enable_performance_insights")
    if on is not None or not hasattr(self, "performance_insights_enabled"):
        self.performance_insights_enabled = bool(on)
    days, key = (options.get(f"performance_insights_{name}") for name in ("retention_period", "kms_key_id"))
    if not self.performance_insights_enabled:
        self.performance_insights_retention_period = self.performance_insights_kms_key_id = None
        return
    known = getattr(self, "performance_insights_retention_period", None)
    self.performance_insights_retention_period = days or known or 7
    current_key = getattr(self, "performance_insights_kms_key_id", None)
    self.performance_insights_kms_key_id = (
        self.backend._validate_kms_key(key) if key else current_key or _own_key(self.backend)
    )


def _own_key(backend: Any) -> str:
    # AWS's own key of the service, which comes to be when it is first needed.
    for key in backend.kms.keys.values():
        if "alias/aws/rds" in key.aliases:
            return key.arn
    created_key = backend.kms.create_key(
        None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "AWS's key for RDS", None
    )
    created_key.key_manager = "AWS"
    backend.kms.create_alias(created_key.id, "alias/aws/rds")
    return created_key.arn


def _update(self: Any, **options: Any) -> None:
    if not options.get("apply_immediately"):
        later = {name: options.pop(name) for name in _LATER if options.get(name) is not None}
        waiting = getattr(self, "pending_modified_values", None) or {}
        self.pending_modified_values = {
            **waiting,
            **{_LATER[name]: value for name, value in later.items() if value != getattr(self, name, None)},
        }
    engine = ENGINES.get(self.engine)
    if options.get("engine_version") and engine:
        options["engine_version"] = engine.full(options["engine_version"])
    if options.get("manage_master_user_password") and getattr(self, "manage_master_user_password", False):
        options.pop("manage_master_user_password")  # it has its secret
    if options.get("db_port_number"):
        self.port = options["db_port_number"]
    self.twin_update(**options)
    _insights(self, options)


def _parameter_groups(self: Any) -> list[Any]:
    # A default group is RDS's own: reading must not put it among the account's.
    before = set(self.backend.db_parameter_groups)
    groups = self.twin_parameter_groups()
    for name in set(self.backend.db_parameter_groups) - before:
        del self.backend.db_parameter_groups[name]
    return groups


def _secret_string(self: Any) -> str:
    return json.dumps({"username": self.resource.master_username, "password": password()})


def password() -> str:
    """A password as RDS makes it."""
    return _drawn(_PASSWORD, _SIGNS)


def _create_secret(self: Any, kms_key_id: str | None) -> Any:
    """The secret belongs to RDS, which rotates it each week."""
    secret = self.twin_create_secret(kms_key_id)
    secret.rotation_requested = secret.rotation_enabled = True
    secret.auto_rotate_after_days = 7
    secret.rotation_rules = {"AutomaticallyAfterDays": 7}
    return secret


def _modify_subnet_group(self: Any, subnet_name: str, description: str | None, subnets: list[Any]) -> Any:
    group = self.twin_modify_subnet_group(subnet_name, description, subnets)
    self.subnet_groups[subnet_name] = group  # moto takes it out and forgets to put it back
    return group


def _drawn(length: int, alphabet: str) -> str:
    from moto.moto_api._internal import mock_random

    return "".join(mock_random.choice(alphabet) for _ in range(length))


def reset_parameters(call: Call, backend: Any) -> Answer:
    """ResetDBParameterGroup, which moto lacks: the engine's own values again."""
    group = backend.db_parameter_groups[call.params["DBParameterGroupName"]]
    if call.params.get("ResetAllParameters"):
        group.parameters.clear()
    for parameter in call.params.get("Parameters") or []:
        group.parameters.pop(parameter["ParameterName"], None)
    return extension_store.respond(call, {"DBParameterGroupName": group.name})


def _mended(_: Call, __: Any) -> None:
    install()


OPERATIONS: Final[dict[str, Callable[[Call, Any], Answer | None]]] = {
    "CreateDBInstance": _mended,
    "DescribeDBInstances": _mended,
    "ModifyDBInstance": _mended,
    "ModifyDBSubnetGroup": _mended,
    "ResetDBParameterGroup": reset_parameters,
}
