"""Messages of budgets: which of them state that a budget is spent.

AWS Budgets publishes a text to a topic of SNS, once for a threshold and month. The topic of this queue has
the alerts of one threshold alone, so that each of them holds; its name has to be in the text. Cloud Billing
publishes the state of each budget several times a day, as JSON ("Set up programmatic notifications").
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])(?=-)")
_LONGEST: Final = 500
"""Characters of a reason, which is an annotation."""


@dataclass(frozen=True)
class Alert:
    """A budget that is spent. month: `2026-11`, that it counts. reason: for people."""

    month: str
    reason: str


def of_aws(text: str, budget: str) -> Alert | None:
    """Return the alert of a message of SQS, with the envelope of SNS; None for one that is not about the
    budget. Raises ValueError for one that has no such envelope."""
    envelope = _object(text)
    message, moment = envelope.get("Message"), envelope.get("Timestamp")
    if not isinstance(message, str) or not isinstance(moment, str):
        raise ValueError("a message without Message and Timestamp; expected the envelope of SNS")  # noqa: TRY004 - of its content
    named = re.search(rf"(?<![\w-]){re.escape(budget)}(?![\w-])", message)
    if named is None:
        return None
    lines = [line.strip() for line in message.splitlines()]
    stated = [
        line
        for line in lines
        if re.match(r"(Budgeted Amount|Alert Type|Alert Threshold|ACTUAL Amount)", line)
    ]
    return Alert(_month(moment), _shortened("; ".join([f"budget {budget}", *stated])))


def of_google(text: str, attributes: Mapping[str, str], budget: str, percent: int) -> Alert | None:
    """Return the alert of a message of Pub/Sub; None for another budget, and for one that is not spent.

    budget: its id, the last part of its name. percent: what has to be spent of its amount.
    """
    state = _object(text)
    if attributes.get("budgetId") != budget:
        return None
    cost, amount = state.get("costAmount"), state.get("budgetAmount")
    if not isinstance(cost, (int, float)) or not isinstance(amount, (int, float)) or amount <= 0:
        raise ValueError("a message without costAmount and budgetAmount; expected the state of a budget")
    if cost * 100 < amount * percent:
        return None
    currency = str(state.get("currencyCode", ""))
    name = str(state.get("budgetDisplayName", budget))
    return Alert(
        _month(str(state.get("costIntervalStart"))),
        _shortened(f"budget {name}; {cost:.2f} of {amount:.2f} {currency} are spent"),
    )


def _object(text: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("a message that is no object; expected the alert of a budget")  # noqa: TRY004 - of its content
    return value


def _month(moment: str) -> str:
    found = _MONTH.match(moment)
    if found is None:
        raise ValueError(f"a message of {moment!r}; expected a moment such as 2026-11-29T08:00:00Z")
    return found[0]


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
