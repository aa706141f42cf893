"""DMS: the databases that it reads and the buckets that it writes."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call
from twin.aws.resources.fields import Field, kept, pascal, reads, to_api
from twin.aws.services.dms.resources.replications import ACTIVE, NOT_FOUND, tagging, where
from twin.aws.services.dms.validation import SECRETS
from twin.provider_interface import Failure, Props

_DELETE: Final = Call("DeleteEndpoint", {"EndpointArn": "{endpointArn}"})
_BUSY: Final = frozenset({"InvalidResourceStateFault"})
_PATHS: Final = {
    "ResourceAlreadyExistsFault": "endpointId",
    "InvalidParameterValueException": "endpointId",
    "KMSKeyNotAccessibleFault": "kmsKeyArn",
    "ResourceNotFoundFault: Certificate": "certificateArn",
}
_ELSEWHERE: Final = (
    *("elasticsearchSettings", "kafkaSettings", "kinesisSettings", "mongodbSettings", "mysqlSettings"),
    *("oracleSettings", "postgresSettings", "redisSettings", "redshiftSettings"),
)
_DIRECT: Final = ("databaseName", "password", "port", "serverName", "username")


class Endpoint(AwsResource):
    token = "aws:dms/endpoint:Endpoint"
    service = "dms"
    title = "DMS Endpoint"
    fields = {
        "endpointId": Field("EndpointIdentifier"),
        "endpointType": Field("EndpointType", decode=lambda value: str(value).lower()),
        **pascal("certificateArn", "engineName", "port", "serverName", "sslMode", "username"),
        "databaseName": Field("DatabaseName", read=""),
        "extraConnectionAttributes": Field("ExtraConnectionAttributes"),
        "kmsKeyArn": Field("KmsKeyId"),
        "password": Field("Password", read=""),
        "serviceAccessRole": Field("ServiceAccessRoleArn"),
        "secretsManagerArn": Field(read=""),
        "secretsManagerAccessRoleArn": Field(read=""),
        **kept(*_ELSEWHERE, "pauseReplicationTasks"),
        **reads(endpointArn="EndpointArn"),
    }
    create_call = Call("CreateEndpoint")
    id_path = "Endpoint.EndpointIdentifier"
    read_call = Call("DescribeEndpoints", where("endpoint-id"))
    item = "Endpoints[0]"
    not_found = NOT_FOUND
    created = ACTIVE
    delete_call = _DELETE
    busy = _BUSY
    tagging = tagging("endpointArn")
    secrets = frozenset({"password"})
    paths = {
        **_PATHS,
        "ResourceNotFoundFault: Secret": "secretsManagerArn",
        "AccessDeniedFault": "secretsManagerAccessRoleArn",
        "InvalidParameterCombinationException: SSL": "sslMode",
        "InvalidParameterCombinationException": "secretsManagerArn",
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        engine = inputs.get("engineName")
        if isinstance(engine, str) and engine not in SECRETS:
            yield Failure(
                "engineName", f"the twin has endpoints of {', '.join(SECRETS)} and S3 alone, not of {engine}"
            )
        for name in _ELSEWHERE:
            if inputs.get(name) is not None:
                yield Failure(name, f"{name} is not in the twin")
        if inputs.get("secretsManagerArn"):
            for name in ("password", "port", "serverName", "username"):
                if inputs.get(name) is not None:
                    yield Failure(name, f'"secrets_manager_arn": conflicts with {name}')
        if bool(inputs.get("secretsManagerArn")) != bool(inputs.get("secretsManagerAccessRoleArn")):
            yield Failure(
                "secretsManagerArn", "secrets_manager_arn and secrets_manager_access_role_arn go together"
            )

    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        params = super().create_params(context, inputs)
        member = SECRETS.get(str(inputs.get("engineName")))
        if member and inputs.get("secretsManagerArn"):
            params[member] = _secret(inputs, member)
        return params

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        member = SECRETS.get(str(item.get("EngineName")), "")
        settings = item.get(member) or {}
        found: Props = {}
        for name, api in (
            ("secretsManagerArn", "SecretsManagerSecretId"),
            ("secretsManagerAccessRoleArn", "SecretsManagerAccessRoleArn"),
        ):
            if settings.get(api):
                found[name] = settings[api]
        of = settings.get("DatabaseName") or item.get("DatabaseName")
        return {**found, **({"databaseName": of} if of else {})}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            left_out = ("EndpointIdentifier", "KmsKeyId", "Tags")
            params = {
                name: value
                for name, value in self.create_params(context, new).items()
                if name not in left_out
            }
            context.call("dms", "ModifyEndpoint", {"EndpointArn": old["endpointArn"], **params})

    def describe(self, props: Props, id: str = "") -> str:
        return id or str(props.get("endpointId") or "")


def _secret(inputs: Props, member: str) -> Props:
    made: Props = {
        "SecretsManagerSecretId": inputs["secretsManagerArn"],
        "SecretsManagerAccessRoleArn": inputs.get("secretsManagerAccessRoleArn"),
    }
    if member == "PostgreSQLSettings" and inputs.get("databaseName"):
        made["DatabaseName"] = inputs["databaseName"]
    return made


def _api_mode(value: Any) -> Any:
    return value.lower().replace("_", "-") if isinstance(value, str) else value


def _mode(value: Any) -> str:
    return str(value).upper().replace("-", "_")


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


_BUCKET: Final = {
    **pascal("addColumnName", "addTrailingPaddingCharacter", "bucketFolder", "bucketName", "cdcInsertsOnly"),
    **pascal("cannedAclForObjects", "cdcInsertsAndUpdates", "cdcMaxBatchInterval", "cdcMinFileSize"),
    **pascal("cdcPath", "csvDelimiter", "csvNoSupValue", "csvNullValue", "csvRowDelimiter", "dataFormat"),
    **pascal("dataPageSize", "datePartitionDelimiter", "datePartitionEnabled", "datePartitionSequence"),
    **pascal("datePartitionTimezone", "dictPageSizeLimit", "enableStatistics", "encodingType"),
    **pascal("expectedBucketOwner", "externalTableDefinition", "glueCatalogGeneration"),
    **pascal("ignoreHeaderRows", "includeOpForFullLoad", "maxFileSize", "parquetTimestampInMillisecond"),
    **pascal("parquetVersion", "preserveTransactions", "rfc4180", "rowGroupLength"),
    **pascal("serverSideEncryptionKmsKeyId", "serviceAccessRoleArn", "timestampColumnName"),
    **pascal("useCsvNoSupValue", "useTaskStartTimeForFullLoadTimestamp"),
    "compressionType": Field("CompressionType", encode=_lower, decode=_mode),
    "encryptionMode": Field("EncryptionMode", encode=_api_mode, decode=_mode),
}


class S3Endpoint(AwsResource):
    token = "aws:dms/s3Endpoint:S3Endpoint"
    service = "dms"
    title = "DMS S3 Endpoint"
    fields = {
        "endpointId": Field("EndpointIdentifier"),
        "endpointType": Field("EndpointType", decode=_lower),
        **pascal("certificateArn", "sslMode"),
        "kmsKeyArn": Field("KmsKeyId"),
        **{
            name: Field(f"S3Settings.{each.api}", encode=each.encode, decode=each.decode)
            for name, each in _BUCKET.items()
        },
        **kept("detachTargetOnLobLookupFailureParquet"),
        **reads(
            endpointArn="EndpointArn",
            engineDisplayName="EngineDisplayName",
            externalId="ExternalId",
            status="Status",
        ),
    }
    create_call = Call("CreateEndpoint", {"EngineName": "s3"})
    id_path = "Endpoint.EndpointIdentifier"
    read_call = Call("DescribeEndpoints", where("endpoint-id"))
    item = "Endpoints[0]"
    not_found = NOT_FOUND
    created = ACTIVE
    delete_call = _DELETE
    busy = _BUSY
    tagging = tagging("endpointArn")
    paths = {
        **_PATHS,
        "AccessDeniedFault": "serviceAccessRoleArn",
        "S3ResourceNotFoundFault": "bucketName",
        "InvalidParameterCombinationException: ServerSideEncryptionKmsKeyId": "serverSideEncryptionKmsKeyId",
        "InvalidParameterCombinationException: Cdc": "cdcInsertsOnly",
    }

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            params = to_api(self.fields, new)
            params = {k: v for k, v in params.items() if k not in ("EndpointIdentifier", "KmsKeyId")}
            given = {"EndpointArn": old["endpointArn"], "EngineName": "s3", "ExactSettings": True, **params}
            context.call("dms", "ModifyEndpoint", given)

    def describe(self, props: Props, id: str = "") -> str:
        return id or str(props.get("endpointId") or "")
