"""Cloud Billing: budgets of a billing account. Nothing is spent on the twin, so that none sends a message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.fields import Field
from twin.provider_interface import UNKNOWN, Failure, Props


def _lists(labels: Any) -> Any:
    """Return labels as the API has them: a list with one value."""
    if labels is None or labels is UNKNOWN:
        return labels
    return {key: [value] for key, value in labels.items()}


def _values(labels: Any) -> Any:
    if labels is None:
        return None
    return {key: value[-1] if isinstance(value, list) else value for key, value in labels.items()}


class Budget(GcpResource):
    token = "gcp:billing/budget:Budget"
    fields = {
        "budgetFilter.labels": Field(encode=_lists, decode=_values),
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        labels: Any = (inputs.get("budgetFilter") or {}).get("labels")
        if isinstance(labels, dict) and len(labels) > 1:
            yield Failure("budgetFilter.labels", f"expected a single label, got {len(labels)}")
