"""Statements of policies about the export of costs: of the key, Lake Formation's role, and principals."""

from collections.abc import Sequence
from typing import Final

from aiplatform._shared.aws.policy_documents import Statement, allow
from aiplatform.lakehouse.aws.context import BILLING, Context

TABLE: Final = "costs"
"""The table, and the folder of its files."""
SERVICES: Final = ("bcm-data-exports.amazonaws.com", "billingreports.amazonaws.com")
"""Both write exports (AWS Data Exports user guide, "Setting up an Amazon S3 bucket for data exports")."""


def exports_may_use_key(context: Context) -> Statement:
    """Return the statement of the key's policy by which Data Exports writes encrypted files."""
    return {
        "Sid": "ExportsEncrypt",
        "Effect": "Allow",
        "Principal": {"Service": list(SERVICES)},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": context.account.account_id}},
    }


def client_statement(context: Context, actions: Sequence[str]) -> Statement:
    """Return what IAM must allow a principal that reads costs. actions: to read the catalog."""
    arns = [
        context.account.arn("glue", "catalog"),
        context.account.arn("glue", f"database/{context.billing_database}"),
        context.account.arn("glue", f"table/{context.billing_database}/*"),
    ]
    return allow(actions, arns, sid="Costs")


def lake_formation_statements(context: Context) -> list[Statement]:
    """Return what Lake Formation's role needs to read the files."""
    return [
        allow(["s3:GetObject"], context.bucket_arn(BILLING, f"/{TABLE}/*"), sid="FilesOfCosts"),
        allow(["s3:GetBucketLocation", "s3:ListBucket"], context.bucket_arn(BILLING), sid="FindFilesOfCosts"),
    ]


def billing_purposes(context: Context) -> list[str]:
    """Return the purposes of further buckets whose access is logged."""
    return [BILLING] if context.settings.billing_export is not None else []
