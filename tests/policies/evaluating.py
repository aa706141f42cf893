"""Evaluate the cases of a policy's spec, for its tests and for its page in docs/policies/."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

import pytest

from policies.framework.discovery import find
from policies.framework.enforcement import Enforcement, read_enforcement
from policies.framework.evaluation import Evaluation, Evaluator
from policies.framework.policy import Policy
from tests.policies.spec import Spec, Stack, Subject


@cache
def _enforcement() -> Enforcement:
    return read_enforcement(find())


def spec_of(policy: Policy) -> Spec:
    """Return the cases of a policy; a policy without them fails the test."""
    name = f"tests.policies.{policy.id}"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError:
        pytest.fail(f"{policy.id} has no spec: write {name.replace('.', '/')}.py with SPEC = Spec(...)")
    return module.SPEC


def evaluate(policy: Policy, subject: Subject, options: Any = None) -> Evaluation:
    """Return the evaluation with the policy mandatory in every profile."""
    evaluator = Evaluator(
        [policy], _enforcement(), overrides={policy.id: "mandatory"}, options={policy.id: dict(options or {})}
    )
    if isinstance(subject, Stack):
        evaluation = evaluator.evaluate_stack(subject)
    else:
        evaluation = evaluator.evaluate(subject)
    failures = [diagnostic.problem for diagnostic in evaluation.diagnostics if diagnostic.failed]
    assert not failures, failures
    return evaluation
