"""Identities of server and setup, and the secrets of accounts on Google Cloud."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import pulumi
from pulumi import Input, Output
from pulumi_gcp import secretmanager

from aiplatform._shared.gcp.context import DataKey
from aiplatform._shared.principals import members, renamed
from aiplatform.model_registry.args import SERVER, SETUP
from aiplatform.model_registry.gcp.context import Context
from aiplatform.workload_identity import WorkloadIdentity

_READER: Final = "roles/secretmanager.secretAccessor"
_WRITER: Final = "roles/secretmanager.secretVersionAdder"


Identities = Mapping[str, WorkloadIdentity]
"""A service account, SERVER or SETUP -> its workload identity."""


def create_identities(context: Context) -> Identities:
    """Create the workload identities of the two service accounts."""
    settings = context.settings
    return {
        account: WorkloadIdentity(
            f"{context.name}-{account}",
            {
                "prefix": settings.prefix,
                "name": account,
                "cluster": cast(Any, settings.cluster),
                "namespace": settings.namespace,
                "service_account": account,
                # No tags: Google's service accounts have no labels.
            },
            context.options(),
        )
        for account in (SERVER, SETUP)
    }


@dataclass(frozen=True)
class Secrets:
    """Secrets without values, which are generated at run time. ready: the roles on them."""

    signing_key: Output[str]
    accounts: Mapping[str, Output[str]]
    ready: Sequence[pulumi.Resource]


def create_secrets(context: Context, key: DataKey, identities: Identities) -> Secrets:
    """Create a secret for each account, which its principals may read, and one for the server's signing
    key."""
    signing_key = _secret(context, key, "signing-key", "mlflow-signing-key")
    accounts = {
        account: _secret(context, key, f"account-{account}", f"mlflow-account-{account}")
        for account in context.settings.account_names
    }
    setup = identities[SETUP].principal
    roles = [
        _grant(context, signing_key, "signing-key", "server", _READER, identities[SERVER].principal),
        _grant(context, signing_key, "signing-key", "setup", _READER, setup),
        _grant(context, signing_key, "signing-key", "setup-writes", _WRITER, setup),
    ]
    for account, secret in accounts.items():
        logical = f"account-{account}"
        roles += [
            _grant(context, secret, logical, "setup", _READER, setup),
            _grant(context, secret, logical, "setup-writes", _WRITER, setup),
        ]
        declared = context.settings.accounts.get(account)
        for member in members(declared.principals if declared else []):
            roles.append(
                _grant(context, secret, logical, member.key, _READER, member.principal, member.former)
            )
    return Secrets(signing_key.name, {account: secret.name for account, secret in accounts.items()}, [*roles])


def _secret(context: Context, key: DataKey, logical: str, name: str) -> secretmanager.Secret:
    """Create a secret that is stored only in the registry's region, encrypted by its key."""
    encryption = secretmanager.SecretReplicationUserManagedReplicaCustomerManagedEncryptionArgs(
        kms_key_name=key.key.id
    )
    return secretmanager.Secret(
        f"{context.name}-{logical}",
        project=context.project,
        secret_id=f"{context.settings.prefix}-{name}",
        replication=secretmanager.SecretReplicationArgs(
            user_managed=secretmanager.SecretReplicationUserManagedArgs(
                replicas=[
                    secretmanager.SecretReplicationUserManagedReplicaArgs(
                        location=context.region, customer_managed_encryption=encryption
                    )
                ]
            )
        ),
        labels=context.labels,
        opts=context.options(
            context.apis["secretmanager"], *key.grants, data=True, delete_before_replace=True
        ),
    )


def _grant(
    context: Context,
    secret: secretmanager.Secret,
    logical: str,
    purpose: str,
    role: str,
    member: Input[str],
    former_purpose: str | None = None,
) -> pulumi.Resource:
    return secretmanager.SecretIamMember(
        f"{context.name}-{logical}-{purpose}",
        project=context.project,
        secret_id=secret.secret_id,
        role=role,
        member=member,
        opts=context.options(
            former_names=[f"{context.name}-{logical}-{former}" for former in renamed(purpose, former_purpose)]
        ),
    )
