"""Secrets of a team's namespace that External Secrets takes from the cloud's secret manager."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Output
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.meta import v1 as meta

from aiplatform._shared.secret_names import google_id
from aiplatform.teams.args import STORE
from aiplatform.teams.context import TeamsContext

_VERSION: Final = "external-secrets.io/v1"
_REFRESH: Final = "15m"
"""How long a changed secret takes to arrive. Each look costs a call of the secret manager."""


@dataclass(frozen=True)
class SecretStore:
    """The SecretStore of a team. role_arn: AWS: the role that it assumes."""

    resource: pulumi.Resource
    role_arn: Output[str] | None = None


def secret_store(
    context: TeamsContext,
    team: str,
    provider: Mapping[str, Any],
    depends_on: Sequence[pulumi.Resource],
) -> pulumi.Resource:
    """Create the SecretStore of a team. provider: its part for the cloud."""
    return CustomResource(
        f"{context.name}-{team}-secret-store",
        api_version=_VERSION,
        kind="SecretStore",
        metadata=meta.ObjectMetaArgs(name=STORE, namespace=context.settings.namespace(team)),
        spec={"provider": dict(provider)},
        opts=context.custom_resource_options(*depends_on),
    )


def external_secrets(context: TeamsContext, team: str, store: SecretStore) -> None:
    """Create an ExternalSecret for each declared secret of a team."""
    for name, declared in context.settings.teams[team].secrets.items():
        # On Google Cloud a secret's id in the project of the SecretStore.
        key = declared.secret if context.settings.cloud == "aws" else google_id(declared.secret)
        CustomResource(
            f"{context.name}-{team}-secret-{name}",
            api_version=_VERSION,
            kind="ExternalSecret",
            metadata=meta.ObjectMetaArgs(name=name, namespace=context.settings.namespace(team)),
            spec={
                "refreshInterval": _REFRESH,
                "secretStoreRef": {"kind": "SecretStore", "name": STORE},
                # Owner: the Secret goes with the ExternalSecret.
                "target": {"name": name, "creationPolicy": "Owner"},
                "data": [
                    {"secretKey": target, "remoteRef": {"key": key, "property": source}}
                    for target, source in declared.keys.items()
                ],
            },
            opts=context.custom_resource_options(store.resource),
        )
