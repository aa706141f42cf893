"""Every policy against its spec."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from policies.pack.discovery import find
from policies.pack.judging import Court, Judged
from policies.pack.policy import PROFILES, Policy
from policies.pack.strictness import option_faults, read_strictness
from tests.policies.spec import UNKNOWN, Spec, Stack, Subject

POLICIES = find()
STRICTNESS = read_strictness(POLICIES)
every_policy = pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.id)


def spec_of(policy: Policy) -> Spec:
    name = f"tests.policies.{policy.id}"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError:
        pytest.fail(f"{policy.id} has no spec: write {name.replace('.', '/')}.py with SPEC = Spec(...)")
    return module.SPEC


def judged(policy: Policy, subject: Subject, options: Any = None) -> Judged:
    """What the policy says, were it mandatory everywhere."""
    court = Court(
        [policy], STRICTNESS, overrides={policy.id: "mandatory"}, options={policy.id: dict(options or {})}
    )
    told = court.judge_stack(subject) if isinstance(subject, Stack) else court.judge(subject)
    broken = [verdict.problem for verdict in told.verdicts if verdict.failed]
    assert not broken, broken
    return told


@every_policy
def test_its_metadata_is_whole(policy: Policy) -> None:
    topic, _, name = policy.id.partition(".")
    assert "_" in name, f"{policy.id}: a policy is called by a verb and a noun"
    for words in (policy.title, policy.description, policy.remediation):
        assert words.strip(), f"{policy.id} explains itself"
    assert policy.title[-1] != "."
    assert policy.description.endswith("."), f"{policy.id}: description in sentences"
    assert policy.remediation.endswith("."), f"{policy.id}: remediation in sentences"
    assert policy.severity in ("low", "medium", "high", "critical")
    assert set(policy.levels) <= set(PROFILES)
    defaults = {key: option.default for key, option in policy.options.items()}
    assert not option_faults(policy.id, policy, defaults), "its own defaults fit its own schemas"
    assert topic


@every_policy
def test_its_spec_has_every_kind_of_case(policy: Policy) -> None:
    spec = spec_of(policy)
    assert spec.passes, f"{policy.id}: something passes"
    assert spec.fails, f"{policy.id}: something fails, or it cannot fire"
    assert spec.unknown, f"{policy.id}: something is not known in a preview"
    assert bool(spec.configured) is bool(policy.options), (
        f"{policy.id}: options have cases, and cases options"
    )


@every_policy
def test_what_is_right_passes(policy: Policy) -> None:
    for name, subject in spec_of(policy).passes.items():
        told = judged(policy, subject)
        assert not told.verdicts, f"{policy.id}: {name}"


@every_policy
def test_what_is_wrong_is_found_where_it_is(policy: Policy) -> None:
    for name, case in spec_of(policy).fails.items():
        told = judged(policy, case.subject).verdicts
        assert len(told) == case.count, f"{policy.id}: {name}: {[each.problem for each in told]}"
        there = [each for each in told if each.path == case.path and case.of in ("", each.name)]
        paths = [(each.name, each.path) for each in told]
        assert there, f"{policy.id}: {name}: told of {paths}, expected {case.path}"
        assert any(case.says in each.problem for each in there), f"{policy.id}: {name}: {there[0].problem}"
        assert not any(each.problem.endswith(".") for each in told), f"{policy.id}: no full stop in a problem"


@every_policy
def test_what_is_unknown_in_a_preview_is_no_fault_and_no_pass(policy: Policy) -> None:
    for name, subject in spec_of(policy).unknown.items():
        told = judged(policy, subject)
        assert not told.verdicts, f"{policy.id}: {name}: accused before it is known"
        assert told.undecided, f"{policy.id}: {name}: nobody is told that it was not judged"


@every_policy
def test_no_value_that_is_not_known_yet_makes_it_fail(policy: Policy) -> None:
    """`judged` refuses a policy that raises. An entry of a list may be an output, and a key below it, too."""
    spec = spec_of(policy)
    for subject in (*spec.passes.values(), *(case.subject for case in spec.fails.values())):
        for changed in _with_an_unknown(subject):
            judged(policy, changed)


def _with_an_unknown(subject: Subject) -> Iterator[Subject]:
    """The same, with UNKNOWN in the place of one value after the other."""
    if isinstance(subject, Stack):
        for index, each in enumerate(subject.resources):
            for props in _unknowns(each.props):
                others = list(subject.resources)
                others[index] = replace(each, props=props)
                yield Stack(others)
    else:
        yield from (replace(subject, props=props) for props in _unknowns(subject.props))


def _unknowns(node: Any) -> Iterator[Any]:
    if isinstance(node, Mapping):
        said = cast("Mapping[str, Any]", node)
        for key, value in said.items():
            yield from ({**said, key: changed} for changed in (UNKNOWN, *_unknowns(value)))
    elif isinstance(node, list):
        entries = cast("list[Any]", node)
        for index, value in enumerate(entries):
            for changed in (UNKNOWN, *_unknowns(value)):
                yield [*entries[:index], changed, *entries[index + 1 :]]


@every_policy
def test_its_configuration_decides(policy: Policy) -> None:
    for name, case in spec_of(policy).configured.items():
        assert not option_faults(policy.id, policy, case.options), f"{policy.id}: {name}"
        assert bool(judged(policy, case.subject, case.options).verdicts) is case.fails, f"{policy.id}: {name}"
        assert bool(judged(policy, case.subject).verdicts) is not case.fails, (
            f"{policy.id}: {name}: the same without the configuration"
        )


def test_no_spec_is_left_over() -> None:
    from tests.policies import spec

    folder = Path(spec.__file__).parent
    specs = {f"{each.parent.name}.{each.stem}" for each in folder.glob("*/*.py") if each.stem != "__init__"}
    assert specs == {policy.id for policy in POLICIES}, "a spec without a policy tests nothing"
