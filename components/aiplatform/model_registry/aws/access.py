"""Who may do what on AWS: the secrets of accounts, and the rights of server and setup."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import pulumi
from pulumi import Input, Output
from pulumi_aws import iam, kms, rds, secretsmanager

from aiplatform._shared.aws.policy_documents import Statement, allow, document
from aiplatform.model_registry.args import SERVER, SETUP, SIGNING_KEY
from aiplatform.model_registry.aws.context import ARTIFACTS, Context
from aiplatform.model_registry.aws.database import USER, master_secret
from aiplatform.workload_identity import WorkloadIdentity

FOLDER: Final = "runs"
"""The folder of the bucket that MLflow has."""
_READ: Final = ("secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret")


@dataclass(frozen=True)
class Identities:
    """Who the server is, and who sets it up."""

    server: WorkloadIdentity
    setup: WorkloadIdentity


def identities(context: Context) -> Identities:
    """Workload identities of the two service accounts."""
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
    """Secrets, without their values: these are made at run time. ready: their policies, too."""

    signing_key: secretsmanager.Secret
    accounts: Mapping[str, secretsmanager.Secret]
    ready: Sequence[pulumi.Resource]


def secrets(context: Context, key: kms.Key) -> Secrets:
    """One secret an account, which its principals may read, and the server's signing key."""
    signing = _secret(
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
        for account in context.accounts
    }
    policies = [
        secretsmanager.SecretPolicy(
            f"{context.name}-account-{account}",
            secret_arn=accounts[account].arn,
            policy=Output.all(*given.principals).apply(lambda known: _readable(cast("list[str]", known))),
            block_public_policy=True,
            opts=context.options(data=True),
        )
        for account, given in context.settings.accounts.items()
        if given.principals
    ]
    return Secrets(signing, accounts, [signing, *accounts.values(), *policies])


def _secret(
    context: Context, key: kms.Key, logical: str, name: str, description: str
) -> secretsmanager.Secret:
    return secretsmanager.Secret(
        f"{context.name}-{logical}",
        name=name,
        description=description,
        kms_key_id=key.arn,
        # The name of a secret that waits to be deleted is taken.
        recovery_window_in_days=0 if context.settings.force_destroy else 30,
        tags=context.settings.tags,
        opts=context.options(data=True, delete_before_replace=True),
    )


def _readable(principals: Sequence[str]) -> str:
    return document(
        {
            "Sid": "BeTheAccount",
            "Effect": "Allow",
            "Principal": {"AWS": sorted(principals)},
            "Action": list(_READ),
            "Resource": "*",  # of a secret's policy: this secret
        }
    )


def rights(
    context: Context, who: Identities, key: kms.Key, database: rds.Instance, kept: Secrets
) -> list[pulumi.Resource]:
    """What server and setup may do; answers what must stand before they work."""
    known = Output.all(
        key=key.arn,
        instance=database.resource_id,
        signing=kept.signing_key.arn,
        master=master_secret(database),
        accounts=Output.all(*(secret.arn for secret in kept.accounts.values())),
    )
    return [
        _policy(context, SERVER, who.server.role_name, known.apply(lambda each: _server(context, each))),
        _policy(context, SETUP, who.setup.role_name, known.apply(lambda each: _setup(context, each))),
    ]


def _policy(context: Context, account: str, role: Output[str | None], policy: Input[str]) -> pulumi.Resource:
    return iam.RolePolicy(
        f"{context.name}-{account}",
        name="model-registry",
        role=role.apply(lambda name: name or ""),
        policy=policy,
        opts=context.options(),
    )


def _server(context: Context, known: Mapping[str, Any]) -> str:
    """Files of the bucket, its own database user, its signing key: no account's password."""
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
        _use_of_key(context, known["key"], ["kms:Decrypt", "kms:GenerateDataKey"], "s3"),
        _sign_in(context, known["instance"]),
        allow(_READ, known["signing"], sid="Sign"),
        _use_of_key(context, known["key"], ["kms:Decrypt"], "secretsmanager"),
    )


def _setup(context: Context, known: Mapping[str, Any]) -> str:
    """The master's password while it works, the server's user for migrations, passwords of accounts."""
    return document(
        allow(_READ, known["master"], sid="BeMaster"),
        allow(
            [*_READ, "secretsmanager:PutSecretValue"],
            [known["signing"], *known["accounts"]],
            sid="MakePasswords",
        ),
        _use_of_key(context, known["key"], ["kms:Decrypt", "kms:GenerateDataKey"], "secretsmanager"),
        _sign_in(context, known["instance"]),
    )


def _sign_in(context: Context, instance: str) -> Statement:
    """As one user of one instance (RDS user guide, "Creating and using an IAM policy for IAM database
    access")."""
    return allow(["rds-db:connect"], context.place.arn("rds-db", f"dbuser:{instance}/{USER}"), sid="SignIn")


def _use_of_key(context: Context, key: str, actions: Sequence[str], service: str) -> Statement:
    via = f"{service}.{context.place.region}.{context.place.dns_suffix}"
    sid = {"s3": "KeyOfFiles", "secretsmanager": "KeyOfSecrets"}[service]
    return allow(actions, key, {"StringEquals": {"kms:ViaService": via}}, sid=sid)
