"""Identities of server and setup, the secrets of accounts, and policies on AWS."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import pulumi
from pulumi import Input, Output
from pulumi_aws import iam, secretsmanager

from aiplatform._shared.aws.keys import Key
from aiplatform._shared.aws.policy_documents import Statement, allow, document
from aiplatform.model_registry.args import SERVER, SETUP, SIGNING_KEY
from aiplatform.model_registry.aws.context import ARTIFACTS, Context
from aiplatform.model_registry.aws.database import DatabaseServer
from aiplatform.workload_identity import WorkloadIdentity

FOLDER: Final = "runs"
"""MLflow's folder in the bucket."""
_READ: Final = ("secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret")


@dataclass(frozen=True)
class Identities:
    """The workload identities of the server and of the setup Jobs."""

    server: WorkloadIdentity
    setup: WorkloadIdentity


def create_identities(context: Context) -> Identities:
    """Create the workload identities."""
    server, setup = (_identity(context, account) for account in (SERVER, SETUP))
    return Identities(server, setup)


def _identity(context: Context, account: str) -> WorkloadIdentity:
    settings = context.settings
    return WorkloadIdentity(
        f"{context.name}-{account}",
        {
            "prefix": settings.prefix,
            "name": account,
            "cluster": cast(Any, settings.cluster),
            "namespace": settings.namespace,
            "service_account": account,
            "tags": settings.tags,
        },
        context.options(),
    )


@dataclass(frozen=True)
class Secrets:
    """Secrets without values, which are generated at run time. ready: what their users depend on."""

    signing_key: secretsmanager.Secret
    accounts: Mapping[str, secretsmanager.Secret]
    ready: Sequence[pulumi.Resource]


def create_secrets(context: Context, key: Key) -> Secrets:
    """Create a secret for each account, which its principals may read, and one for the server's signing
    key."""
    signing_key = _secret(
        context,
        key,
        "signing-key",
        SIGNING_KEY.of(context.settings.prefix),
        "Signs sessions of the model registry",
    )
    accounts = {
        account: _secret(
            context,
            key,
            f"account-{account}",
            f"{context.settings.prefix}/mlflow/accounts/{account}",
            f"The account {account} of the model registry",
        )
        for account in context.settings.account_names
    }
    policies = [
        secretsmanager.SecretPolicy(
            f"{context.name}-account-{account}",
            secret_arn=accounts[account].arn,
            policy=Output.all(*declared.principals).apply(
                lambda known: _read_policy(cast("list[str]", known))
            ),
            block_public_policy=True,
            opts=context.options(data=True),
        )
        for account, declared in context.settings.accounts.items()
        if declared.principals
    ]
    return Secrets(signing_key, accounts, [signing_key, *accounts.values(), *policies])


def _secret(context: Context, key: Key, logical: str, name: str, description: str) -> secretsmanager.Secret:
    return secretsmanager.Secret(
        f"{context.name}-{logical}",
        name=name,
        description=description,
        kms_key_id=key.arn,
        # The name of a secret cannot be used again until its recovery window ends.
        recovery_window_in_days=0 if context.settings.force_destroy else 30,
        tags=context.settings.tags,
        opts=context.options(data=True, delete_before_replace=True),
    )


def _read_policy(principals: Sequence[str]) -> str:
    return document(
        {
            "Sid": "BeTheAccount",
            "Effect": "Allow",
            "Principal": {"AWS": sorted(principals)},
            "Action": list(_READ),
            "Resource": "*",  # of a secret's policy: this secret
        }
    )


def grant_permissions(
    context: Context, identities: Identities, key: Key, database: DatabaseServer, secrets: Secrets
) -> list[pulumi.Resource]:
    """Put the policies of server and setup on their roles; returns them."""
    known = Output.all(
        key=key.arn,
        user=Output.concat(database.resource_id, "/", database.user),
        signing=secrets.signing_key.arn,
        master=database.master_secret,
        master_key=database.master_key,
        accounts=Output.all(*(secret.arn for secret in secrets.accounts.values())),
    )
    return [
        _policy(
            context,
            SERVER,
            identities.server.role_name,
            known.apply(lambda arns: _server_policy(context, arns)),
        ),
        _policy(
            context,
            SETUP,
            identities.setup.role_name,
            known.apply(lambda arns: _setup_policy(context, arns)),
        ),
    ]


def _policy(context: Context, account: str, role: Output[str | None], policy: Input[str]) -> pulumi.Resource:
    return iam.RolePolicy(
        f"{context.name}-{account}",
        name="model-registry",
        role=role.apply(lambda name: name or ""),
        policy=policy,
        opts=context.options(),
    )


def _server_policy(context: Context, arns: Mapping[str, Any]) -> str:
    """Files of the bucket, its database user, its signing key; not the passwords of accounts."""
    return document(
        allow(
            [
                "s3:AbortMultipartUpload",
                "s3:DeleteObject",
                "s3:GetObject",
                "s3:ListMultipartUploadParts",
                "s3:PutObject",
            ],
            context.bucket_arn(ARTIFACTS, f"/{FOLDER}/*"),
            sid="Files",
        ),
        allow(
            ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
            context.bucket_arn(ARTIFACTS),
            sid="FindFiles",
        ),
        _use_of_key(context, arns["key"], ["kms:Decrypt", "kms:GenerateDataKey"], "s3"),
        _sign_in(context, arns["user"]),
        allow(_READ, arns["signing"], sid="Sign"),
        _use_of_key(context, arns["key"], ["kms:Decrypt"], "secretsmanager"),
    )


def _setup_policy(context: Context, arns: Mapping[str, Any]) -> str:
    """The master's password, the server's user for migrations, passwords of accounts."""
    return document(
        allow(_READ, arns["master"], sid="BeMaster"),
        *_key_of_master(context, arns["master_key"]),
        allow(
            [*_READ, "secretsmanager:PutSecretValue"],
            [arns["signing"], *arns["accounts"]],
            sid="MakePasswords",
        ),
        _use_of_key(context, arns["key"], ["kms:Decrypt", "kms:GenerateDataKey"], "secretsmanager"),
        _sign_in(context, arns["user"]),
    )


def _key_of_master(context: Context, key: str | None) -> Iterator[Statement]:
    if key is not None:
        yield _use_of_key(context, key, ["kms:Decrypt"], "secretsmanager", "KeyOfMaster")


def _sign_in(context: Context, user: str) -> Statement:
    """As one user of one server (RDS user guide, "Creating and using an IAM policy for IAM database access").
    user: resource id and name."""
    return allow(["rds-db:connect"], context.account.arn("rds-db", f"dbuser:{user}"), sid="SignIn")


def _use_of_key(
    context: Context, key: str, actions: Sequence[str], service: str, sid: str | None = None
) -> Statement:
    sid = sid or {"s3": "KeyOfFiles", "secretsmanager": "KeyOfSecrets"}[service]
    return allow(actions, key, {"StringEquals": {"kms:ViaService": context.via_service(service)}}, sid=sid)
