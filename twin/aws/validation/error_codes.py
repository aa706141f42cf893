"""The code by which each service of the data side refuses what breaks its published model."""

from __future__ import annotations

from typing import Final

CODES: Final = {
    "rds": "InvalidParameterValue",
    "secretsmanager": "ValidationException",
    "dms": "InvalidParameterValueException",
    "ecr": "InvalidParameterException",
    "dynamodb": "ValidationException",
    "elasticache": "InvalidParameterValue",
    "lambda": "ValidationException",
    "firehose": "InvalidArgumentException",
    "s3tables": "BadRequestException",
    "scheduler": "ValidationException",
    "sqs": "InvalidParameterValue",
    "sns": "InvalidParameter",
}
