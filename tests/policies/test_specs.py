"""Every policy against its spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from policies.framework.discovery import find
from policies.framework.enforcement import option_problems
from policies.framework.policy import PROFILES, Policy
from tests.policies.evaluating import evaluate, spec_of
from tests.policies.spec import UNKNOWN, Stack, Subject

POLICIES = find()
every_policy = pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.id)


@every_policy
def test_metadata_is_complete(policy: Policy) -> None:
    topic, _, name = policy.id.partition(".")
    assert "_" in name, f"{policy.id}: the name of a policy is a verb and a noun"
    for text in (policy.title, policy.description, policy.remediation):
        assert text.strip(), f"{policy.id} explains itself"
    assert policy.title[-1] != "."
    assert policy.description.endswith("."), f"{policy.id}: description in sentences"
    assert policy.remediation.endswith("."), f"{policy.id}: remediation in sentences"
    assert policy.severity in ("low", "medium", "high", "critical")
    assert set(policy.levels) <= set(PROFILES)
    defaults = {key: option.default for key, option in policy.options.items()}
    assert not option_problems(policy.id, policy, defaults), "the defaults match their schemas"
    assert topic


@every_policy
def test_spec_has_every_kind_of_case(policy: Policy) -> None:
    spec = spec_of(policy)
    assert spec.passes, f"{policy.id}: no case passes"
    assert spec.fails, f"{policy.id}: no case fails"
    assert spec.unknown, f"{policy.id}: no case has an unknown value"
    assert bool(spec.configured) is bool(policy.options), (
        f"{policy.id}: options have cases, and cases options"
    )


@every_policy
def test_compliant_subject_passes(policy: Policy) -> None:
    for name, subject in spec_of(policy).passes.items():
        diagnostics = evaluate(policy, subject).diagnostics
        assert not diagnostics, f"{policy.id}: {name}: {[entry.problem for entry in diagnostics]}"


@every_policy
def test_violation_is_reported_with_its_property_path(policy: Policy) -> None:
    for name, case in spec_of(policy).fails.items():
        diagnostics = evaluate(policy, case.subject).diagnostics
        problems = [diagnostic.problem for diagnostic in diagnostics]
        assert len(diagnostics) == case.count, f"{policy.id}: {name}: {problems}"
        matching = [
            diagnostic
            for diagnostic in diagnostics
            if diagnostic.path == case.path and case.of in ("", diagnostic.name)
        ]
        paths = [(diagnostic.name, diagnostic.path) for diagnostic in diagnostics]
        assert matching, f"{policy.id}: {name}: reported {paths}, expected {case.path}"
        assert any(case.says in diagnostic.problem for diagnostic in matching), (
            f"{policy.id}: {name}: {matching[0].problem}"
        )
        assert not any(problem.endswith(".") for problem in problems), (
            f"{policy.id}: no full stop in a problem"
        )


@every_policy
def test_unknown_value_is_deferred_and_is_no_violation(policy: Policy) -> None:
    for name, subject in spec_of(policy).unknown.items():
        evaluation = evaluate(policy, subject)
        assert not evaluation.diagnostics, f"{policy.id}: {name}: reported before the value is known"
        assert evaluation.deferred, f"{policy.id}: {name}: counts as passed before the value is known"


@every_policy
def test_unknown_value_in_any_property_does_not_raise(policy: Policy) -> None:
    """`evaluate` rejects a policy that raises."""
    for _, subject in _compliant_and_violating(policy):
        for changed in _with_one_unknown(subject):
            evaluate(policy, changed)


@every_policy
def test_violation_with_an_unknown_value_is_reported_or_deferred(policy: Policy) -> None:
    """A preview never counts as passed what `up` would refuse."""
    for name, case in spec_of(policy).fails.items():
        for changed in _with_one_unknown(case.subject):
            evaluation = evaluate(policy, changed)
            assert evaluation.diagnostics or evaluation.deferred, f"{policy.id}: {name}: passes: {changed}"


def _compliant_and_violating(policy: Policy) -> Iterator[tuple[str, Subject]]:
    spec = spec_of(policy)
    yield from spec.passes.items()
    yield from ((name, case.subject) for name, case in spec.fails.items())


def _with_one_unknown(subject: Subject) -> Iterator[Subject]:
    """Yield the subject with UNKNOWN in the place of one value, for each value."""
    if isinstance(subject, Stack):
        for index, member in enumerate(subject.resources):
            for props in _unknowns(member.props):
                members = list(subject.resources)
                members[index] = replace(member, props=props)
                yield Stack(members)
    else:
        yield from (replace(subject, props=props) for props in _unknowns(subject.props))


def _unknowns(node: Any) -> Iterator[Any]:
    if isinstance(node, Mapping):
        mapping = cast("Mapping[str, Any]", node)
        for key, value in mapping.items():
            yield from ({**mapping, key: changed} for changed in (UNKNOWN, *_unknowns(value)))
    elif isinstance(node, list):
        entries = cast("list[Any]", node)
        for index, value in enumerate(entries):
            for changed in (UNKNOWN, *_unknowns(value)):
                yield [*entries[:index], changed, *entries[index + 1 :]]


@every_policy
def test_options_decide(policy: Policy) -> None:
    for name, case in spec_of(policy).configured.items():
        assert not option_problems(policy.id, policy, case.options), f"{policy.id}: {name}"
        configured = evaluate(policy, case.subject, case.options).diagnostics
        assert bool(configured) is case.fails, f"{policy.id}: {name}"
        assert bool(evaluate(policy, case.subject).diagnostics) is not case.fails, (
            f"{policy.id}: {name}: the same without the options"
        )


def test_every_spec_belongs_to_a_policy() -> None:
    from tests.policies import spec

    folder = Path(spec.__file__).parent
    specs = {f"{file.parent.name}.{file.stem}" for file in folder.glob("*/*.py") if file.stem != "__init__"}
    assert specs == {policy.id for policy in POLICIES}, "a spec without a policy tests nothing"
