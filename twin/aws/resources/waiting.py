"""What the base of the table needs next to it: calls to validate, waits and their words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twin.provider_interface import CloudError, Props


@dataclass(frozen=True)
class Checked:
    """A call to validate, and the property to blame where the parameter alone does not report."""

    operation: str
    params: Props
    blame: str = ""


class FailedStateError(CloudError):
    """The resource exists and is in a state that it will not leave on its own (`CREATE_FAILED`)."""


def issues_text(issues: Any) -> str:
    """A failed resource's issues as the provider prints them: EKS's list, or another service's text."""
    if not isinstance(issues, list):
        return str(issues)
    return "; ".join(
        f"{', '.join(issue.get('resourceIds', []))}: {issue.get('code')}: {issue.get('message')}"
        if isinstance(issue, Mapping)
        else str(issue)
        for issue in issues
    )
