"""The service's published model: enumerations, patterns, lengths, ranges and what is required."""

from __future__ import annotations

from typing import Final

from twin.aws.api_server.request import Call, Refusal
from twin.aws.validation.error_codes import CODES
from twin.aws.validation.parameters import violations

SERVICES: Final = {
    **CODES,
    "ec2": "InvalidParameterValue",
    "iam": "ValidationError",
    "autoscaling": "ValidationError",
    "kms": "ValidationException",
    "logs": "InvalidParameterException",
    "ssm": "ValidationException",
    "codebuild": "InvalidInputException",
    "glue": "InvalidInputException",
    "lakeformation": "InvalidInputException",
    "athena": "InvalidRequestException",
    "budgets": "InvalidParameterException",
    "bcm-data-exports": "ValidationException",
    "ce": "ValidationException",
    "events": "ValidationException",
    "sts": "ValidationError",
}
"""The code by which a service refuses what breaks its model."""


def check(call: Call) -> None:
    """Refuse parameters that break the model, in the words of AWS's validation."""
    if not call.params and not call.operation:
        return
    try:
        errors = violations(call.model_name, call.operation, call.params)
    except KeyError:
        return
    if not errors:
        return
    path, why = errors[0]
    if call.service == "ec2" and "must not be null" in why:
        raise Refusal("MissingParameter", f"The request must contain the parameter {path}")
    if call.service == "ec2":
        raise Refusal(SERVICES["ec2"], f"Invalid value for parameter {path}: {why}")
    plural = "error" if len(errors) == 1 else "errors"
    text = "; ".join(_at(path, why) for path, why in errors)
    raise Refusal(SERVICES[call.service], f"{len(errors)} validation {plural} detected: {text}")


def _at(path: str, why: str) -> str:
    # "Value 'x' failed to satisfy constraint: ..." becomes "Value 'x' at 'path' failed to satisfy ...".
    member = ".".join(part[:1].lower() + part[1:] for part in path.split("."))
    if " failed to satisfy constraint: " in why:
        value, _, rest = why.partition(" failed to satisfy constraint: ")
        return f"{value} at '{member}' failed to satisfy constraint: {rest}"
    return f"Value at '{member}' failed to satisfy constraint: {why}"
