"""DMS: subnet groups, certificates, endpoints and serverless replications. Nothing is replicated here.

Sources: the API Reference of CreateEndpoint, CreateReplicationConfig, CreateReplicationSubnetGroup and
ImportCertificate; "Creating the IAM roles to use with AWS DMS", "Using secrets to access endpoints",
"Using SSL with AWS Database Migration Service" and "AWS DMS Serverless components" in the User Guide.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.iam import service_roles
from twin.aws.services.secretsmanager import validation as secretsmanager
from twin.aws.validation import extension_store, subnets
from twin.aws.validation.kinds import Kind
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]


def _kind(store: str, key: str, what: str) -> Kind:
    return Kind("dms", store, (key,), ("ResourceNotFoundFault", f"{what} {{}} not found.", 400))


SUBNETS: Final = _kind(
    "replication_subnet_groups", "ReplicationSubnetGroupIdentifier", "Replication subnet group"
)
CERTIFICATES: Final = _kind("certificates", "CertificateArn", "Certificate")
ENDPOINTS: Final = _kind("serverless_endpoints", "EndpointArn", "Endpoint")
CONFIGS: Final = _kind("replication_configs", "ReplicationConfigArn", "Replication config")
VPC_ROLE: Final = "dms-vpc-role"
"""The role by which DMS makes network interfaces: one for an account, of this name."""
UNITS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 192, 256, 384)
"""The capacities that a serverless replication may have; one is 2 GB of memory."""
SECRETS: Final = {
    "postgres": "PostgreSQLSettings",
    "aurora-postgresql": "PostgreSQLSettings",
    "mysql": "MySQLSettings",
    "mariadb": "MySQLSettings",
    "aurora": "MySQLSettings",
}
"""The engines that the twin knows, and the settings in which the API takes their secret."""
_IDENTIFIER: Final = re.compile(r"[A-Za-z](-?[A-Za-z0-9])*")
_RUNNING: Final = frozenset({"running", "starting"})


def invalid(words: str) -> Refusal:
    """DMS's answer to parameters that it does not take."""
    return Refusal("InvalidParameterValueException", words)


def apart(words: str) -> Refusal:
    """Parameters that do not go together."""
    return Refusal("InvalidParameterCombinationException", words)


def _identifier(kind: Kind, what: str, params: Params, state: MotoState) -> None:
    """Refuse a new thing's identifier that is none, or that another one has."""
    name = kind.key[0].replace("Arn", "Identifier")
    value = params.get(name)
    if not _IDENTIFIER.fullmatch(str(value)) or len(str(value)) > 255:
        raise invalid(
            f"The parameter {name} must be provided and must begin with a letter, contain only ASCII "
            "letters, "
            f"digits and hyphens, not end with a hyphen, and not contain two consecutive hyphens; got {value}"
        )
    if any(thing.description[name] == value for thing in kind.here(state).values()):
        raise Refusal("ResourceAlreadyExistsFault", f"{what} {value} already in use")


def subnet_group(params: Params, state: MotoState) -> None:
    """CreateReplicationSubnetGroup: a new name, two zones, and the account's role for interfaces."""
    name = str(params.get("ReplicationSubnetGroupIdentifier")).lower()
    if name == "default" or not re.fullmatch(r"[a-z0-9 ._-]{1,255}", name):
        raise invalid(f"The replication subnet group's name is not valid: {name}")
    if name in SUBNETS.here(state):
        raise Refusal("ResourceAlreadyExistsFault", f"The replication subnet group '{name}' already exists.")
    role = f"arn:aws:iam::{state.account}:role/{VPC_ROLE}"
    if service_roles.by("dms.amazonaws.com", role, state) is None:
        raise Refusal("AccessDeniedFault", f"The IAM Role {role} is not configured properly.")
    covered(params, state)


def _no_subnet(id: str) -> str:
    return f"The subnet ID '{id}' does not exist"


def covered(params: Params, state: MotoState) -> None:
    """ModifyReplicationSubnetGroup: of one VPC, in two zones."""
    there = subnets.of_one_network(params.get("SubnetIds"), state, _no_subnet, "a replication subnet group")
    zones = subnets.zones(there)
    if len(zones) < 2:
        raise Refusal(
            "ReplicationSubnetGroupDoesNotCoverEnoughAZs",
            "The Replication Subnet Group doesn't meet Availability Zone (AZ) coverage requirement. Current "
            "AZ "
            f"coverage: {', '.join(zones)}. Add subnets to cover at least 2 AZs.",
        )


def drop_subnet_group(params: Params, state: MotoState) -> None:
    """DeleteReplicationSubnetGroup."""
    name = SUBNETS.name(params)
    SUBNETS.present(params, state)
    for config in CONFIGS.here(state).values():
        if (config.description["ComputeConfig"].get("ReplicationSubnetGroupId") or "") == name:
            raise _in_use(
                f"The replication subnet group {name} is in use by "
                f"{config.description['ReplicationConfigIdentifier']}"
            )


def _in_use(words: str) -> Refusal:
    return Refusal("InvalidResourceStateFault", words)


def certificate(params: Params, state: MotoState) -> None:
    """ImportCertificate: one that is PEM."""
    _identifier(CERTIFICATES, "Certificate", params, state)
    text = params.get("CertificatePem")
    if text is None:
        return
    from cryptography import x509

    try:
        x509.load_pem_x509_certificates(str(text).encode())
    except ValueError as error:
        raise Refusal("InvalidCertificateFault", f"The certificate is not valid PEM: {error}") from None


def create_endpoint(params: Params, state: MotoState) -> None:
    """CreateEndpoint."""
    _identifier(ENDPOINTS, "Endpoint", params, state)
    _endpoint(params, state)


def modify_endpoint(params: Params, state: MotoState) -> None:
    """ModifyEndpoint."""
    description = ENDPOINTS.require(state, params.get("EndpointArn")).description
    # Its key stays as it is, and may be DMS's own.
    _endpoint({**description, **params, "KmsKeyId": None}, state)


def _endpoint(params: Params, state: MotoState) -> None:
    engine = str(params.get("EngineName"))
    if engine != "s3" and engine not in SECRETS:
        raise NotImplementedError(f"an endpoint of the engine {engine}: s3 and {', '.join(SECRETS)} are here")
    _key(params.get("KmsKeyId"), state)
    mode, certificate_arn = str(params.get("SslMode") or "none"), params.get("CertificateArn")
    if mode.startswith("verify") and not certificate_arn:
        raise apart(f"The SSL mode {mode} requires a certificate.")
    if certificate_arn:
        CERTIFICATES.require(state, certificate_arn)
    if engine == "s3":
        _s3(params.get("S3Settings") or {}, state)
    else:
        _source(params, params.get(SECRETS[engine]) or {}, state)


def _source(params: Params, settings: Params, state: MotoState) -> None:
    secret, role = settings.get("SecretsManagerSecretId"), settings.get("SecretsManagerAccessRoleArn")
    if bool(secret) != bool(role):
        raise apart("SecretsManagerSecretId and SecretsManagerAccessRoleArn go together.")
    direct = [name for name in ("ServerName", "Port", "Username", "Password") if params.get(name)]
    if secret and direct:
        raise apart(f"{', '.join(direct)} cannot be given with SecretsManagerSecretId.")
    if not secret and not direct:
        raise apart("An endpoint needs a server, or a secret that names it.")
    if secret is None:
        return
    if service_roles.by(f"dms.{state.region}.amazonaws.com", str(role), state) is None:
        raise Refusal("AccessDeniedFault", f"The IAM Role {role} is not configured properly.")
    if f":{state.account}:" in str(secret) or not str(secret).startswith("arn:"):
        try:
            secretsmanager.secret(state, secret)
        except Refusal:
            raise Refusal("ResourceNotFoundFault", f"Secret {secret} not found.") from None


def _s3(settings: Params, state: MotoState) -> None:
    role, bucket = settings.get("ServiceAccessRoleArn"), settings.get("BucketName")
    if service_roles.by("dms.amazonaws.com", str(role), state) is None:
        raise Refusal("AccessDeniedFault", f"The IAM Role {role} is not configured properly.")
    if bucket not in state.s3.buckets:
        raise Refusal("S3ResourceNotFoundFault", f"The S3 bucket {bucket} does not exist.")
    mode, key = settings.get("EncryptionMode"), settings.get("ServerSideEncryptionKmsKeyId")
    if (mode == "sse-kms") != bool(key):
        raise apart("ServerSideEncryptionKmsKeyId goes with the encryption mode SSE_KMS, and with it alone.")
    _key(key, state)
    if settings.get("CdcInsertsOnly") and settings.get("CdcInsertsAndUpdates"):
        raise apart("CdcInsertsOnly and CdcInsertsAndUpdates cannot both be true.")


def _key(named: Any, state: MotoState) -> None:
    key = state.key(str(named)) if named else None
    if named and (key is None or not key.enabled):
        raise Refusal("KMSKeyNotAccessibleFault", f"The KMS key {named} does not exist or is not enabled.")


def drop_endpoint(params: Params, state: MotoState) -> None:
    """DeleteEndpoint: none that a replication has."""
    arn = ENDPOINTS.name(params)
    ENDPOINTS.present(params, state)
    for config in CONFIGS.here(state).values():
        if arn in (config.description["SourceEndpointArn"], config.description["TargetEndpointArn"]):
            raise _in_use(f"Endpoint {arn} is part of {config.description['ReplicationConfigIdentifier']}.")


def drop_certificate(params: Params, state: MotoState) -> None:
    """DeleteCertificate: none that an endpoint has."""
    arn = CERTIFICATES.name(params)
    CERTIFICATES.present(params, state)
    if any(endpoint.description.get("CertificateArn") == arn for endpoint in ENDPOINTS.here(state).values()):
        raise _in_use(f"Certificate {arn} is in use by an endpoint.")


def create_config(params: Params, state: MotoState) -> None:
    """CreateReplicationConfig."""
    _identifier(CONFIGS, "Replication config", params, state)
    _config(params, state)


def modify_config(params: Params, state: MotoState) -> None:
    """ModifyReplicationConfig: of one that does not run."""
    existing = config(state, params)
    _stands(existing, "modify")
    before = existing.description
    compute = {**before["ComputeConfig"], **(params.get("ComputeConfig") or {})}
    _config({**before, **params, "ComputeConfig": compute}, state)


def _config(params: Params, state: MotoState) -> None:
    for member, kind in (("SourceEndpointArn", "SOURCE"), ("TargetEndpointArn", "TARGET")):
        endpoint = ENDPOINTS.require(state, params.get(member)).description
        if endpoint["EndpointType"] != kind:
            raise invalid(f"Endpoint {params[member]} is no {kind.lower()} endpoint")
    _mappings(str(params.get("TableMappings")))
    compute = params.get("ComputeConfig") or {}
    least, most = compute.get("MinCapacityUnits"), compute.get("MaxCapacityUnits")
    for units in (least, most):
        if units is not None and units not in UNITS:
            raise invalid(f"Capacity units must be one of {', '.join(map(str, UNITS))}; got {units}")
    if most is None:
        raise invalid("MaxCapacityUnits must be provided.")
    if least is not None and least > most:
        raise invalid(f"MinCapacityUnits {least} is more than MaxCapacityUnits {most}")
    if compute.get("MultiAZ") and compute.get("AvailabilityZone"):
        raise apart("AvailabilityZone cannot be given with MultiAZ.")
    _key(compute.get("KmsKeyId"), state)
    named = compute.get("ReplicationSubnetGroupId")
    vpc = SUBNETS.require(state, named).description["VpcId"] if named else state.ec2.default_vpc.id
    groups = state.groups()
    for id in compute.get("VpcSecurityGroupIds") or []:
        if id not in groups or groups[id].vpc_id != vpc:
            raise invalid(f"Security group {id} does not exist in {vpc}")


def _mappings(text: str) -> None:
    try:
        rules = json.loads(text)["rules"]
        kinds = [rule["rule-type"] for rule in rules]
    except (ValueError, KeyError, TypeError):
        raise invalid(
            "Table mappings must be a JSON object with rules, each of which has a rule-type"
        ) from None
    if "selection" not in kinds:
        raise invalid("Table mappings must have at least one selection rule")
    ids = [str(rule.get("rule-id")) for rule in rules]
    if len(set(ids)) != len(ids):
        raise invalid("Table mappings must have unique rule ids")


def stopped(params: Params, state: MotoState) -> None:
    """DeleteReplicationConfig: of one that does not run."""
    _stands(config(state, params), "delete")


def _stands(config: extension_store.Thing, what: str) -> None:
    if config.internal["status"] in _RUNNING:
        name = config.description["ReplicationConfigIdentifier"]
        raise Refusal(
            "InvalidResourceStateFault",
            f"Cannot {what} {name}: its replication is {config.internal['status']}.",
        )


def start(params: Params, state: MotoState) -> None:
    """StartReplication."""
    existing = config(state, params)
    if existing.internal["status"] in _RUNNING:
        raise Refusal("InvalidResourceStateFault", "Replication is already running.")


def stop(params: Params, state: MotoState) -> None:
    """StopReplication."""
    if config(state, params).internal["status"] not in _RUNNING:
        raise Refusal("InvalidResourceStateFault", "Replication is not running.")


def config(state: MotoState, params: Params) -> extension_store.Thing:
    """A replication's configuration, or the refusal."""
    return CONFIGS.require(state, params.get("ReplicationConfigArn"))


RULES: Final = {
    "CreateReplicationSubnetGroup": subnet_group,
    "ModifyReplicationSubnetGroup": covered,
    "DeleteReplicationSubnetGroup": drop_subnet_group,
    "ImportCertificate": certificate,
    "DeleteCertificate": drop_certificate,
    "CreateEndpoint": create_endpoint,
    "ModifyEndpoint": modify_endpoint,
    "DeleteEndpoint": drop_endpoint,
    "CreateReplicationConfig": create_config,
    "ModifyReplicationConfig": modify_config,
    "DeleteReplicationConfig": stopped,
    "StartReplication": start,
    "StopReplication": stop,
}
