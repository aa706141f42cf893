"""Which messages state that a budget is spent."""

from __future__ import annotations

import pytest
from conftest import BUDGET, BUDGET_ID, TEXT, of_pubsub, of_sns

from cost_control import alerts

ATTRIBUTES = {"billingAccountId": "01AB23-45CD67-89EF01", "budgetId": BUDGET_ID, "schemaVersion": "1.0"}


def test_text_of_aws_states_month_and_amounts() -> None:
    alert = alerts.of_aws(of_sns(), BUDGET)
    assert alert is not None
    assert alert.month == "2026-11"
    assert alert.reason.startswith(f"budget {BUDGET}; Budgeted Amount: $500.00; Alert Type: ACTUAL")
    assert "ACTUAL Amount: $512.37" in alert.reason


@pytest.mark.parametrize("name", ["acme-dev-environmental", "other-acme-dev-environment"])
def test_text_about_another_budget_is_no_alert(name: str) -> None:
    assert alerts.of_aws(of_sns(TEXT.replace(BUDGET, name)), BUDGET) is None


def test_reason_is_no_longer_than_an_annotation_should_be() -> None:
    long = TEXT + "\n".join(f"Alert Threshold: {n}" for n in range(100))
    alert = alerts.of_aws(of_sns(long), BUDGET)
    assert alert is not None
    assert len(alert.reason) == 500


@pytest.mark.parametrize(
    "text", ["spent", "[]", "{}", of_sns(moment="today"), of_sns(moment="2026-13-01T00:00:00Z")]
)
def test_message_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|Expecting"):
        alerts.of_aws(text, BUDGET)


@pytest.mark.parametrize(
    ("cost", "percent", "holds"),
    [(499.99, 100, False), (500.0, 100, True), (512.0, 100, True), (449.0, 90, False), (450.0, 90, True)],
)
def test_budget_of_google_holds_from_its_threshold_on(cost: float, percent: int, holds: bool) -> None:
    alert = alerts.of_google(of_pubsub(costAmount=cost), ATTRIBUTES, BUDGET_ID, percent)
    assert (alert is not None) == holds


def test_month_of_google_is_that_of_the_interval() -> None:
    alert = alerts.of_google(of_pubsub(), ATTRIBUTES, BUDGET_ID, 100)
    assert alert is not None
    assert (alert.month, alert.reason) == ("2026-11", f"budget {BUDGET}; 512.37 of 500.00 EUR are spent")


def test_another_budget_of_the_topic_is_no_alert() -> None:
    other = {**ATTRIBUTES, "budgetId": "of a team"}
    assert alerts.of_google(of_pubsub(), other, BUDGET_ID, 100) is None
    assert alerts.of_google("{}", other, BUDGET_ID, 100) is None


@pytest.mark.parametrize("text", ["spent", "[]", "{}", of_pubsub(budgetAmount=0), of_pubsub(costAmount="1")])
def test_state_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|Expecting"):
        alerts.of_google(text, ATTRIBUTES, BUDGET_ID, 100)
