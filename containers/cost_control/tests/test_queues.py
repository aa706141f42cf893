"""The stopPolicy that follows from the reasons of a hold."""

from __future__ import annotations

import pytest
from conftest import owned, queue

from cost_control import queues
from cost_control.queues import Held

OTHER = "pulumi-kubernetes"


def test_queue_that_nothing_holds_admits() -> None:
    state = queues.held(queue())
    assert (state, state.policy) == (Held(), "None")


def test_budget_holds_and_a_schedule_drains() -> None:
    held = Held().by_budget("2026-11", "spent")
    assert (held.budget, held.policy) == ("2026-11: spent", "Hold")
    both = held.by_schedule("nights")
    assert both.policy == "HoldAndDrain"
    assert both.by_schedule("").policy == "Hold", "the morning does not release what the budget holds"
    assert Held().by_schedule("nights").by_schedule("").policy == "None"


def test_release_applies_to_its_month_alone() -> None:
    released = Held(released="2026-11")
    assert released.by_budget("2026-11", "spent") == released
    assert released.by_budget("2026-12", "spent").policy == "Hold"


def test_reason_of_a_hold_stays_that_of_its_first_alert() -> None:
    held = Held().by_budget("2026-11", "first")
    assert held.by_budget("2026-11", "second") == held


@pytest.mark.parametrize("policy", ["Hold", "HoldAndDrain"])
def test_queue_that_something_else_has_stopped_keeps_its_policy(policy: str) -> None:
    state = queues.held(owned(queue(policy=policy), OTHER))
    assert state.foreign == policy
    assert state.by_budget("2026-11", "spent").policy == policy, "the same value is no conflict"
    assert state.by_schedule("nights").policy == "None", "nothing is applied"


def test_hold_of_ours_is_not_that_of_something_else() -> None:
    item = owned(queue(policy="Hold", budget="2026-11: spent"), queues.MANAGER)
    assert queues.held(item).foreign == "None"
    assert queues.held(owned(item, OTHER)).foreign == "Hold", "the drain of a pool holds it, too"


def test_queue_that_a_user_has_let_go_by_hand_is_not_held() -> None:
    state = queues.held(queue(budget="2026-11: spent", schedule="nights", released="2026-10"))
    assert state == Held(released="2026-10")


def test_all_fields_of_the_manager_are_applied_at_once() -> None:
    item = queue("shared", budget="old")
    body = queues.applied(item, Held(budget="2026-11: spent"))
    assert body["spec"] == {"stopPolicy": "Hold"}
    assert body["metadata"]["annotations"] == {queues.BUDGET_HOLD: "2026-11: spent"}
    assert body["metadata"]["resourceVersion"] == "7", "a change meanwhile is a conflict"
    nothing = queues.applied(item, Held(released="2026-11"))
    assert nothing["spec"] == {}, "a field that is left out is given up"
    assert nothing["metadata"]["annotations"] == {queues.BUDGET_RELEASED: "2026-11"}
