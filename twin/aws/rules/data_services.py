"""The services of the data side together: rules, and the operations that moto lacks or does otherwise."""

from __future__ import annotations

from typing import Any, Final

from twin.aws.rules import (
    catalogs,
    dms,
    dms_calls,
    dynamodb,
    ecr,
    elasticache,
    elasticache_calls,
    etl,
    etl_calls,
    federated,
    firehose,
    lambdas,
    rds,
    rds_groups,
    rds_mends,
    s3tables,
    s3tables_calls,
    secretsmanager,
    secretsmanager_calls,
)

RULES: Final[dict[str, dict[str, Any]]] = {
    "rds": {**rds.RULES, **rds_groups.RULES},
    "secretsmanager": secretsmanager.RULES,
    "dynamodb": dynamodb.RULES,
    "ecr": ecr.RULES,
    "s3tables": s3tables.RULES,
    "elasticache": elasticache.RULES,
    "dms": dms.RULES,
    "firehose": firehose.RULES,
    "lambda": lambdas.RULES,
}
EXTENSIONS: Final[dict[str, dict[str, Any]]] = {
    "rds": rds_mends.OPERATIONS,
    "secretsmanager": secretsmanager_calls.OPERATIONS,
    "dynamodb": dynamodb.OPERATIONS,
    "ecr": ecr.OPERATIONS,
    "firehose": firehose.OPERATIONS,
    "s3tables": s3tables_calls.OPERATIONS,
    "elasticache": elasticache_calls.OPERATIONS,
    "dms": dms_calls.OPERATIONS,
    "lambda": lambdas.OPERATIONS,
}
GLUE_RULES: Final[dict[str, Any]] = {**etl.RULES, **catalogs.RULES}
GLUE_OPERATIONS: Final[dict[str, Any]] = {
    **etl_calls.OPERATIONS,
    **catalogs.OPERATIONS,
    **federated.OPERATIONS,
}
"""Of Glue, whose catalog has rules of its own."""
