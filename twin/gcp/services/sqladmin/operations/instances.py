"""Cloud SQL: instances."""

from __future__ import annotations

import ipaddress
import re
import secrets
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server import initial_state, operations
from twin.gcp.api_server.errors import GoogleError, invalid, not_found
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.iam.policy import etag
from twin.gcp.methods import generic, handles
from twin.gcp.services.compute import capacity
from twin.gcp.services.compute.operations.generic import merge
from twin.gcp.services.sqladmin import validation as sqladmin

_NAME: Final = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?")
_LONGEST: Final = 98
"""Characters of `project:instance`. Source: "Create instances: Name of the instance"."""
_WEEK: Final = 7 * 86400
_ROOT: Final = "https://sqladmin.googleapis.com/sql/v1beta4"


def row_of(call: Call, instance: str = "") -> str:
    """The row of an instance; of the path's by default."""
    return f"sqladmin/projects/{call.project}/instances/{instance or call.parameters['instance']}"


@handles("sql.instances.get")
def instance_of(call: Call) -> Body:
    """The path's instance. Raises 404 and 403 as Cloud SQL does for one that is not there."""
    instance = call.state.get(row_of(call))
    if instance is None:
        raise GoogleError(404, "NOT_FOUND", "The Cloud SQL instance does not exist.", "instanceDoesNotExist")
    return instance


def operation(call: Call, kind: str, instance: str) -> Body:
    """An operation on an instance."""
    name = str(uuid.uuid4())
    operation: Body = {
        "kind": "sql#operation",
        "name": name,
        "operationType": kind,
        "status": "DONE",
        "user": call.principal.partition(":")[2],
        "insertTime": call.timestamp,
        "startTime": call.timestamp,
        "endTime": call.timestamp,
        "targetId": instance,
        "targetProject": call.project,
        "targetLink": f"{_ROOT}/projects/{call.project}/instances/{instance}",
        "selfLink": f"{_ROOT}/projects/{call.project}/operations/{name}",
    }
    return operations.begin(call, f"sqladmin/projects/{call.project}/operations/{name}", operation)


@handles("sql.operations.get")
def get_operation(call: Call) -> dict[str, Any]:
    """An operation by name."""
    name = call.parameters["operation"]
    operation = call.state.operation(f"sqladmin/projects/{call.project}/operations/{name}")
    if operation is None:
        raise not_found(f"Operation {name} does not exist.")
    return operation


@handles("sql.instances.insert")
def insert(call: Call) -> dict[str, Any]:
    """An instance, which runs when this answers."""
    name = str(call.body.get("name") or "")
    if not _NAME.fullmatch(name) or len(f"{call.project}:{name}") > _LONGEST:
        raise invalid(f"Invalid request: instance name ({name}): lower-case letters, digits and hyphens, a "
                      f"letter first; with the project's id at most {_LONGEST} characters.")  # fmt: skip
    gone = float(call.state.meta(f"sqladmin-gone/{name}", lambda: "0"))
    if call.state.get(row_of(call, name)) is not None or gone > call.at - _WEEK:
        raise GoogleError(
            409,
            "ALREADY_EXISTS",
            "The Cloud SQL instance already exists. When you delete an instance, you can't reuse the name of "
            "the deleted instance until one week from the deletion date.",
            "instanceAlreadyExists",
        )
    instance: Body = {**call.body, "kind": "sql#instance", "name": name, "project": call.project}
    instance.pop("rootPassword", None)
    region = instance.setdefault("region", "us-central1")
    if not capacity.is_region(region):
        raise invalid(f"Invalid request: Invalid region: {region}.")
    sqladmin.check_version(instance)
    _defaults(instance)
    sqladmin.check(call, instance)
    _complete(call, instance)
    call.state.put(row_of(call, name), _sealed(instance))
    if sqladmin.postgres(instance):
        call.state.put(f"{row_of(call, name)}/databases/postgres", database(instance, "postgres"))
    user = {"kind": "sql#user", "project": call.project, "instance": name, "host": ""}
    root = {"POSTGRES": "postgres", "MYSQL_8_": "root"}.get(instance["databaseVersion"][:8])
    if root:
        call.state.put(f"{row_of(call, name)}/users/{root}", {**user, "name": root, "type": "BUILT_IN"})
    return operation(call, "CREATE", name)


def database(instance: Body, name: str) -> Body:
    """A database of an instance that states nothing of it."""
    postgres = sqladmin.postgres(instance)
    return {
        "charset": "UTF8" if postgres else "utf8mb3",
        "collation": "en_US.UTF8" if postgres else "utf8mb3_general_ci",
        "kind": "sql#database",
        "project": instance["project"],
        "instance": instance["name"],
        "name": name,
        "selfLink": f"{instance['selfLink']}/databases/{name}",
    }


def _defaults(instance: Body) -> None:
    settings: Body = instance.setdefault("settings", {})
    settings["kind"] = "sql#settings"
    settings["edition"] = sqladmin.edition_of(instance)
    generic.complete(settings, services.tables("sqladmin")["settings"], inside=False)
    backup: Body = settings.setdefault("backupConfiguration", {})
    backup["kind"] = "sql#backupConfiguration"
    if backup.get("enabled"):
        backup.setdefault("startTime", "04:00")
        backup.setdefault("backupRetentionSettings", {"retainedBackups": 7, "retentionUnit": "COUNT"})
        backup.setdefault("transactionLogRetentionDays", 7)
    config: Body = settings.setdefault("ipConfiguration", {})
    config.setdefault("ipv4Enabled", True)
    config.setdefault("sslMode", "ALLOW_UNENCRYPTED_AND_ENCRYPTED")
    config.setdefault("requireSsl", config["sslMode"] == "TRUSTED_CLIENT_CERTIFICATE_REQUIRED")
    config.setdefault("serverCaMode", "GOOGLE_MANAGED_INTERNAL_CA")
    settings.setdefault("locationPreference", {"kind": "sql#locationPreference"})


def _complete(call: Call, instance: Body) -> None:
    """What only Google writes."""
    name, region = instance["name"], instance["region"]
    email = f"p{call.project_number}-{secrets.token_hex(3)}@gcp-sa-cloud-sql.iam.gserviceaccount.com"
    initial_state.agent(call.state, call.project, email, "Cloud SQL instance")
    zones = capacity.zones(region)
    instance |= {
        "state": "RUNNABLE",
        "backendType": "SECOND_GEN",
        "instanceType": instance.get("instanceType") or "CLOUD_SQL_INSTANCE",
        "connectionName": f"{call.project}:{region}:{name}",
        "selfLink": f"{_ROOT}/projects/{call.project}/instances/{name}",
        "createTime": call.timestamp,
        "gceZone": instance["settings"]["locationPreference"].get("zone") or zones[0],
        "serviceAccountEmailAddress": email,
        "databaseInstalledVersion": f"{instance['databaseVersion']}_0",
        "maintenanceVersion": f"{instance['databaseVersion']}.R20261001.00_00",
        "sqlNetworkArchitecture": "NEW_NETWORK_ARCHITECTURE",
        "serverCaCert": _authority(call, name),
        "ipAddresses": _addresses(call, instance),
    }
    instance["settings"]["settingsVersion"] = "1"
    if instance["settings"]["availabilityType"] == "REGIONAL" and len(zones) > 1:
        instance["secondaryGceZone"] = next(zone for zone in zones if zone != instance["gceZone"])
    key = (instance.get("diskEncryptionConfiguration") or {}).get("kmsKeyName")
    if key:
        instance["diskEncryptionConfiguration"]["kind"] = "sql#diskEncryptionConfiguration"
        instance["diskEncryptionStatus"] = {
            "kind": "sql#diskEncryptionStatus",
            "kmsKeyVersionName": f"{key}/cryptoKeyVersions/1",
        }


def _addresses(call: Call, instance: Body) -> list[Body]:
    config = instance["settings"]["ipConfiguration"]
    addresses: list[Body] = []
    if config.get("ipv4Enabled"):
        addresses.append(
            {"type": "PRIMARY", "ipAddress": f"34.{secrets.randbelow(200) + 20}.{secrets.randbelow(250)}.7"}
        )
    network = config.get("privateNetwork")
    if network:
        addresses.append(
            {"type": "PRIVATE", "ipAddress": _private(call, network, config.get("allocatedIpRange"))}
        )
    return addresses


def _private(call: Call, network: str, wanted: str | None) -> str:
    """A free address of the private connection's ranges."""
    name = network.rsplit("/", 1)[-1]
    link = call.need(f"servicenetworking/networks/{name}/connections/servicenetworking-googleapis-com")
    taken = {
        ip_address["ipAddress"]
        for _, body in call.state.of("sqladmin.instances", f"sqladmin/projects/{call.project}/")
        for ip_address in body.get("ipAddresses", ())
    }
    for range_name in [wanted] if wanted else link["reservedPeeringRanges"]:
        body = call.need(f"compute/projects/{call.project}/global/addresses/{range_name}")
        ip_range = ipaddress.IPv4Network(f"{body['address']}/{body['prefixLength']}")
        for offset in range(3, min(ip_range.num_addresses - 1, 4096)):
            address = str(ip_range[offset])
            if address not in taken:
                return address
    raise invalid("Failed to create subnetwork. Couldn't find free blocks in allocated IP ranges.")


def _authority(call: Call, instance: str) -> Body:
    """The instance's own certificate authority."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.fromtimestamp(call.at, UTC)
    common = f"C=US,O=Google\\, Inc,CN=Google Cloud SQL Server CA,dnQualifier={uuid.uuid4()}"
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "Google Cloud SQL Server CA"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Google, Inc"),
            x509.NameAttribute(NameOID.DN_QUALIFIER, instance[:60]),
        ]
    )
    until = now + timedelta(days=3650)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return {
        "kind": "sql#sslCert",
        "cert": certificate.public_bytes(serialization.Encoding.PEM).decode().strip(),
        "certSerialNumber": "0",
        "commonName": common,
        "createTime": call.timestamp,
        "expirationTime": until.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "sha1Fingerprint": certificate.fingerprint(hashes.SHA1()).hex(),  # noqa: S303 - a name, no seal
        "instance": instance,
    }


@handles("sql.instances.list")
def listing(call: Call) -> dict[str, Any]:
    """The project's instances."""
    page = generic.list_page(call, f"sqladmin/projects/{call.project}/instances/", "sqladmin.instances")
    return {"kind": "sql#instancesList", **page}


@handles("sql.instances.patch", "sql.instances.update")
def change(call: Call) -> dict[str, Any]:
    """What can change of an instance; the settings' version must be the current one."""
    before = instance_of(call)
    settings_version = (call.body.get("settings") or {}).get("settingsVersion")
    if settings_version and str(settings_version) != before["settings"]["settingsVersion"]:
        raise GoogleError(412, "FAILED_PRECONDITION", "Condition does not match.", "staleData")
    if call.method.verb == "PATCH":
        changed = merge(before, call.body)
    else:
        changed = {**before, **{key: value for key, value in call.body.items() if value is not None}}
    changed["name"], changed["kind"] = before["name"], before["kind"]
    changed.pop("rootPassword", None)
    if changed.get("diskEncryptionConfiguration") and before.get("diskEncryptionConfiguration"):
        changed["diskEncryptionConfiguration"]["kind"] = before["diskEncryptionConfiguration"]["kind"]
    sqladmin.check_version(changed)
    for setting in ("dataDiskSizeGb", "dataDiskType", "edition", "locationPreference"):
        if setting in before["settings"]:
            changed["settings"].setdefault(setting, before["settings"][setting])
    _defaults(changed)
    sqladmin.check_change(before, changed)
    sqladmin.check(call, changed)
    if (before["settings"].get("ipConfiguration") or {}) != changed["settings"]["ipConfiguration"]:
        _readdress(call, before, changed)
    changed["settings"]["settingsVersion"] = str(int(before["settings"]["settingsVersion"]) + 1)
    call.state.put(row_of(call), _sealed(changed))
    return operation(call, "UPDATE", changed["name"])


def _readdress(call: Call, before: Body, changed: Body) -> None:
    """Addresses that stay, and new ones for what is new."""
    addresses = {ip_address["type"]: ip_address for ip_address in before["ipAddresses"]}
    fresh = {address["type"]: address for address in _addresses(call, changed)}
    changed["ipAddresses"] = [addresses.get(kind, value) for kind, value in fresh.items()]


def _sealed(instance: Body) -> Body:
    instance["etag"] = etag(instance)
    return instance


@handles("sql.instances.delete")
def delete(call: Call) -> dict[str, Any]:
    """An instance goes; its name stays taken for a week."""
    body = instance_of(call)
    if body["settings"].get("deletionProtectionEnabled"):
        raise sqladmin.protected()
    call.state.delete(row_of(call))
    call.state.set_meta(f"sqladmin-gone/{body['name']}", str(call.at))
    return operation(call, "DELETE", body["name"])
