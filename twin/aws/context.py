"""One configured AWS provider: clients against the endpoint, the identity, and what all resources share."""

from __future__ import annotations

import json
import os
import threading
import uuid
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, Final

import boto3
import botocore.session
from botocore import xform_name
from botocore.config import Config

from twin.aws.validation.parameters import loader, operation_model
from twin.provider_interface import UNKNOWN, Context, Props

INTENT_HEADER: Final = "X-Twin-Intent"
ATTEMPTS: Final = 8
"""Calls are tried this often by default (botocore's standard mode: about 15 s of waiting in all)."""

_intent: ContextVar[str] = ContextVar("intent", default="")
_NAMESPACE: Final = uuid.UUID("5f3c1f4e-5a0b-4a63-9d3e-6a3f0e0d4c11")


@dataclass(frozen=True)
class Tags:
    """What default_tags and ignore_tags of the provider's configuration say."""

    default: Mapping[str, str] = field(default_factory=dict[str, str])
    ignored: frozenset[str] = frozenset()
    ignored_prefixes: tuple[str, ...] = ()

    def merged(self, tags: Any) -> Any:
        """`tagsAll`: the default tags, overridden by the resource's own."""
        return UNKNOWN if tags is UNKNOWN else {**self.default, **(tags or {})}

    def seen(self, remote: Mapping[str, str]) -> dict[str, str]:
        """The tags that the provider looks at: neither AWS's own nor ignored ones."""
        return {
            key: value
            for key, value in remote.items()
            if not key.startswith("aws:")
            and key not in self.ignored
            and not key.startswith(self.ignored_prefixes or ("\0",))
        }

    def of_resource(self, remote: Mapping[str, str], known: Any) -> dict[str, str]:
        """`tags` of a resource: what is seen, without the default tags that the resource does not repeat."""
        repeated = known if isinstance(known, dict) else {}
        return {
            key: value
            for key, value in self.seen(remote).items()
            if key in repeated or self.default.get(key) != value
        }


class Clients:
    """boto3 clients by service and region. Making one costs tens of milliseconds; they are thread-safe."""

    def __init__(self, session: boto3.session.Session, endpoints: Mapping[str, str], config: Config) -> None:
        self._session = session
        self._endpoints = endpoints
        self._config = config
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def get(self, service: str, region: str) -> Any:
        """The client of a service in a region."""
        client = self._clients.get((service, region))
        if client is None:
            with self._lock:
                client = self._clients.get((service, region)) or self._make(service, region)
                self._clients[service, region] = client
        return client

    def _make(self, service: str, region: str) -> Any:
        make: Any = self._session.client  # typed by service name, which is not known here
        client = make(
            service, region_name=region, endpoint_url=self._endpoints.get(service), config=self._config
        )
        client.meta.events.register("before-call", _add_intent)
        return client


@dataclass(frozen=True)
class AwsContext(Context):
    """A configured provider.

    account: 12 digits, from STS. partition: `aws`, `aws-cn`, `aws-us-gov`. timeout: seconds that a wait
    for a state may take (the resource's customTimeouts), None for the type's own.
    """

    region: str
    account: str
    partition: str
    clients: Clients
    tags: Tags = Tags()
    caller_arn: str = ""
    caller_id: str = ""
    intent: str = ""
    timeout: float | None = None
    url_suffix: str = "amazonaws.com"

    def with_intent(self, intent: str) -> AwsContext:
        return replace(self, intent=intent)

    def with_timeout(self, seconds: float | None) -> AwsContext:
        """The same, with the resource's custom timeout."""
        return replace(self, timeout=seconds)

    def in_region(self, region: Any) -> AwsContext:
        """The same in another region: a resource may name its own."""
        return replace(self, region=region) if isinstance(region, str) and region else self

    def call(self, service: str, operation: str, params: Props) -> Props:
        """Call an operation by its API name. Raises botocore's ClientError and BotoCoreError.

        Idempotency tokens come from the intent: the same call under the same intent has the same body.
        """
        # Maps come from the engine in an order that differs from process to process, and the body with them.
        params = _ordered(params)
        client = self.clients.get(service, self.region)
        token = _intent.set(self.intent)
        try:
            answer = getattr(client, xform_name(operation))(**self._with_token(service, operation, params))
        finally:
            _intent.reset(token)
        return answer

    def pages(self, service: str, operation: str, params: Props, member: str) -> list[Any]:
        """What a member of the answers has on all pages of a listing. Raises as `call` does."""
        paginator = self.clients.get(service, self.region).get_paginator(xform_name(operation))
        return [item for page in paginator.paginate(**params) for item in page.get(member) or ()]

    def _with_token(self, service: str, operation: str, params: Props) -> Props:
        if not self.intent:
            return params
        absent = [
            name for name in operation_model(service, operation).idempotent_members if name not in params
        ]
        if not absent:
            return params
        seed = json.dumps([self.intent, operation, params], sort_keys=True, default=str)
        return {**params, **dict.fromkeys(absent, str(uuid.uuid5(_NAMESPACE, seed)))}


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value)}
    return [_ordered(item) for item in value] if isinstance(value, list) else value


def _add_intent(params: dict[str, Any], **_: Any) -> None:
    intent = _intent.get()
    if intent:
        params["headers"][INTENT_HEADER] = intent


def session(
    *,
    profile: str | None = None,
    access_key: str | None = None,
    secret_key: str | None = None,
    token: str | None = None,
    region: str | None = None,
) -> boto3.session.Session:
    """A boto3 session that shares the parsed service models with all others of the process."""
    session = botocore.session.Session(profile=profile)
    session.register_component("data_loader", loader())
    return boto3.session.Session(
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        aws_session_token=token,
        region_name=region,
        botocore_session=session,
    )


def client_config(attempts: int | None = None, *, path_style: bool = False) -> Config:
    """How clients behave: retries in standard mode, a pool for as many calls as the engine makes at once."""
    return Config(
        retries={"mode": "standard", "max_attempts": attempts or ATTEMPTS},
        max_pool_connections=64,
        connect_timeout=10,
        read_timeout=60,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        user_agent_extra="pulumi-resource-aws",
        s3={"addressing_style": "path"} if path_style else None,
    )


def default_region(profile: str | None = None) -> str | None:
    """The region that the environment names, as the AWS SDKs read it."""
    return (
        os.environ.get("AWS_REGION")
        or os.environ.get("AWS_DEFAULT_REGION")
        or botocore.session.Session(profile=profile).get_config_variable("region")
    )
