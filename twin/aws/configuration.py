"""From a provider's configuration to a context: region, credentials, roles, allowed accounts.

Rules and words are those of the AWS provider: https://www.pulumi.com/registry/packages/aws/api-docs/provider/
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from twin.aws.api_server.errors import words
from twin.aws.context import AwsContext, Clients, Tags, client_config, default_region, session
from twin.aws.validation.parameters import loader
from twin.provider_interface import UNKNOWN, CloudError, Failure, Props

_ACCOUNT: Final = re.compile(r"\d{12}")


def check(config: Props) -> list[Failure]:
    """What can be reported of a configuration without a call."""
    settings = decoded(config)
    failures = _check_region(settings)
    for key in ("allowedAccountIds", "forbiddenAccountIds"):
        failures += [
            Failure(f"{key}[{i}]", f"{value!r} is not an AWS account ID: it has 12 digits")
            for i, value in enumerate(settings.get(key) or [])
            if value is not UNKNOWN and not _ACCOUNT.fullmatch(str(value))
        ]
    if settings.get("allowedAccountIds") and settings.get("forbiddenAccountIds"):
        failures.append(
            Failure("allowedAccountIds", '"allowedAccountIds": conflicts with forbiddenAccountIds')
        )
    return failures


def configure(config: Props) -> AwsContext:
    """A context for this configuration. CloudError where AWS or the configuration refuses it."""
    settings = decoded(config)
    failures = check(config)
    if failures:
        raise CloudError(failures[0].reason, path=failures[0].path)
    region = _region(settings)
    endpoints = _endpoints(settings)
    clients = _clients(settings, region, endpoints)
    partition, suffix = _partition(region)
    caller = _caller(clients, region, settings)
    account = caller.get("Account", "")
    _check_account(account, settings)
    return AwsContext(
        region=region,
        account=account,
        partition=partition,
        clients=clients,
        tags=_tags(settings),
        caller_arn=caller.get("Arn", ""),
        caller_id=caller.get("UserId", ""),
        url_suffix=suffix,
    )


def decoded(config: Props) -> Props:
    """The engine hands nested values of a provider's configuration over as JSON text."""
    return {key: _decode(value) for key, value in config.items() if value is not None and value != ""}


def _decode(value: Any) -> Any:
    if (isinstance(value, str) and value[:1] in ("{", "[")) or value in ("true", "false"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _region(settings: Props) -> str:
    region = settings.get("region") or default_region(settings.get("profile"))
    if not isinstance(region, str):
        raise CloudError(
            "missing region configuration: set aws:region, the provider's region or AWS_REGION", path="region"
        )
    return region


def _check_region(settings: Props) -> list[Failure]:
    region = settings.get("region")
    if not isinstance(region, str) or settings.get("skipRegionValidation") or region in regions():
        return []
    return [Failure("region", f"Invalid AWS Region: {region}")]


@cache
def regions() -> frozenset[str]:
    """Every region of every partition."""
    known = loader().load_data("partitions")["partitions"]
    return frozenset(name for partition in known for name in partition["regions"])


def _partition(region: str) -> tuple[str, str]:
    for partition in loader().load_data("partitions")["partitions"]:
        if region in partition["regions"]:
            return partition["id"], partition["outputs"]["dnsSuffix"]
    return "aws", "amazonaws.com"


def _endpoints(settings: Props) -> dict[str, str]:
    # A list of maps, each from a service to its URL. AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_<SERVICE> are
    # read by botocore itself.
    return {
        service: url
        for block in settings.get("endpoints") or []
        for service, url in block.items()
        if isinstance(url, str) and url
    }


def _clients(settings: Props, region: str, endpoints: dict[str, str]) -> Clients:
    attempts = settings.get("maxRetries")
    config = client_config(
        int(attempts) + 1 if attempts is not None else None,
        path_style=bool(settings.get("s3UsePathStyle")),
    )
    session_ = session(
        profile=settings.get("profile"),
        access_key=settings.get("accessKey"),
        secret_key=settings.get("secretKey"),
        token=settings.get("token"),
        region=region,
    )
    clients = Clients(session_, endpoints, config)
    for role in settings.get("assumeRoles") or []:
        credentials = _assume(clients, region, role)
        session_ = session(
            access_key=credentials["AccessKeyId"],
            secret_key=credentials["SecretAccessKey"],
            token=credentials["SessionToken"],
            region=region,
        )
        clients = Clients(session_, endpoints, config)
    return clients


def _assume(clients: Clients, region: str, role: Props) -> dict[str, str]:
    names = {
        "roleArn": "RoleArn",
        "externalId": "ExternalId",
        "policy": "Policy",
        "sourceIdentity": "SourceIdentity",
    }
    params = {api: role[name] for name, api in names.items() if role.get(name)}
    params["RoleSessionName"] = role.get("sessionName") or "pulumi-resource-aws"
    if role.get("duration"):
        params["DurationSeconds"] = _seconds(role["duration"])
    try:
        return clients.get("sts", region).assume_role(**params)["Credentials"]
    except (ClientError, BotoCoreError) as error:
        raise CloudError(
            f"Cannot assume IAM Role. IAM Role ({role.get('roleArn')}) cannot be assumed: "
            f"{words('sts', error)}",
            path="assumeRoles",
        ) from error


def _seconds(duration: str) -> int:
    parts = re.findall(r"(\d+)([hms])", duration)
    return sum(int(number) * {"h": 3600, "m": 60, "s": 1}[unit] for number, unit in parts)


def _caller(clients: Clients, region: str, settings: Props) -> dict[str, str]:
    if settings.get("skipRequestingAccountId") and not settings.get("allowedAccountIds"):
        return {}
    try:
        return clients.get("sts", region).get_caller_identity()
    except (ClientError, BotoCoreError) as error:
        raise CloudError(
            f"validating provider credentials: retrieving caller identity from STS: {words('sts', error)}"
        ) from error


def _check_account(account: str, settings: Props) -> None:
    allowed: Sequence[str] = [str(a) for a in settings.get("allowedAccountIds") or []]
    forbidden: Sequence[str] = [str(a) for a in settings.get("forbiddenAccountIds") or []]
    if (allowed and account not in allowed) or account in forbidden:
        raise CloudError(
            f"AWS account ID not allowed: {account}",
            path="allowedAccountIds" if allowed else "forbiddenAccountIds",
        )


def _tags(settings: Props) -> Tags:
    ignore = settings.get("ignoreTags") or {}
    default = (settings.get("defaultTags") or {}).get("tags") or {}
    return Tags(
        default={key: value for key, value in default.items() if isinstance(value, str)},
        ignored=frozenset(ignore.get("keys") or []),
        ignored_prefixes=tuple(ignore.get("keyPrefixes") or []),
    )
