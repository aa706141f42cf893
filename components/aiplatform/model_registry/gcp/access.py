"""Who may do what on Google Cloud: identities, and the secrets of accounts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import pulumi
from pulumi import Input, Output
from pulumi_gcp import secretmanager

from aiplatform._shared.principals import members, renamed
from aiplatform.model_registry.args import SERVER, SETUP
from aiplatform.model_registry.gcp.context import Context
from aiplatform.model_registry.gcp.storage import Key
from aiplatform.workload_identity import WorkloadIdentity

_READER: Final = "roles/secretmanager.secretAccessor"
_WRITER: Final = "roles/secretmanager.secretVersionAdder"


def identities(context: Context) -> Mapping[str, WorkloadIdentity]:
    """Workload identities of the two service accounts."""
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
    """Secrets, without their values: these are made at run time. ready: the rights on them, too."""

    signing_key: Output[str]
    accounts: Mapping[str, Output[str]]
    ready: Sequence[pulumi.Resource]


def secrets(context: Context, key: Key, who: Mapping[str, WorkloadIdentity]) -> Secrets:
    """One secret an account, which its principals may read, and the server's signing key."""
    signing = _secret(context, key, "signing-key", "mlflow-signing-key")
    accounts = {
        account: _secret(context, key, f"account-{account}", f"mlflow-account-{account}")
        for account in context.accounts
    }
    setup = who[SETUP].principal
    rights = [
        _may(context, signing, "signing-key", "server", _READER, who[SERVER].principal),
        _may(context, signing, "signing-key", "setup", _READER, setup),
        _may(context, signing, "signing-key", "setup-writes", _WRITER, setup),
    ]
    for account, secret in accounts.items():
        logical = f"account-{account}"
        rights += [
            _may(context, secret, logical, "setup", _READER, setup),
            _may(context, secret, logical, "setup-writes", _WRITER, setup),
        ]
        given = context.settings.accounts.get(account)
        for member in members(given.principals if given else []):
            rights.append(
                _may(context, secret, logical, member.key, _READER, member.principal, former=member.former)
            )
    return Secrets(signing.name, {account: secret.name for account, secret in accounts.items()}, [*rights])


def _secret(context: Context, key: Key, logical: str, called: str) -> secretmanager.Secret:
    """In the registry's region alone, under its key."""
    encryption = secretmanager.SecretReplicationUserManagedReplicaCustomerManagedEncryptionArgs(
        kms_key_name=key.key.id
    )
    return secretmanager.Secret(
        f"{context.name}-{logical}",
        project=context.project,
        secret_id=f"{context.settings.prefix}-{called}",
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
            context.apis["secretmanager"], *key.users, data=True, delete_before_replace=True
        ),
    )


def _may(
    context: Context,
    secret: secretmanager.Secret,
    logical: str,
    who: str,
    role: str,
    member: Input[str],
    former: str | None = None,
) -> pulumi.Resource:
    return secretmanager.SecretIamMember(
        f"{context.name}-{logical}-{who}",
        project=context.project,
        secret_id=secret.secret_id,
        role=role,
        member=member,
        opts=context.options(formerly=[f"{context.name}-{logical}-{each}" for each in renamed(who, former)]),
    )
