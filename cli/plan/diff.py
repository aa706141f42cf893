"""Differences between two plans, one line each, for the person who approved one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cli.plan.load import Operation, Plan


def differences(approved: Plan, now: Plan) -> list[str]:
    """Return what only one of the plans contains: operations, changes, violations and policies."""
    return [*_operations(approved, now), *_violations(approved, now), *_policies(approved, now)]


def lines(plan: Plan) -> Iterator[str]:
    """Yield a plan as text."""
    for operation in plan.operations:
        yield f"{operation.op} {operation.urn}"
        yield from (f"    {path}: {kind}" for path, kind in sorted(operation.diff.items()))
    for violation in plan.violations:
        yield f"{violation['enforcement']} {_violation(violation)}"
    mandatory = len(plan.mandatory)
    advisory = len(plan.violations) - mandatory
    yield (
        f"{len(plan.operations)} operation(s); {mandatory} mandatory and {advisory} advisory violation(s) "
        f"by {len(plan.policies)} policies"
    )


def _operations(approved: Plan, now: Plan) -> Iterator[str]:
    before, after = _steps(approved), _steps(now)
    for step in sorted(before.keys() | after.keys()):
        urn, op = step
        if step not in after:
            yield f"{urn}: `{op}` was approved, and is not planned now"
        elif step not in before:
            yield f"{urn}: `{op}` was not approved"
        else:
            yield from _within(f"{urn}: {op}", before[step], after[step])


def _within(where: str, approved: Operation, now: Operation) -> Iterator[str]:
    for path in sorted(approved.diff.keys() | now.diff.keys()):
        was, becomes = approved.diff.get(path, "no change"), now.diff.get(path, "no change")
        if was != becomes:
            yield f"{where}: {path}: {was} was approved, {becomes} is planned now"
    for name in sorted(approved.inputs.keys() | now.inputs.keys()):
        if approved.inputs.get(name) != now.inputs.get(name):
            yield f"{where}: {name}: another value than approved"


def _violations(approved: Plan, now: Plan) -> Iterator[str]:
    before = {tuple(sorted(violation.items())): violation for violation in approved.violations}
    after = {tuple(sorted(violation.items())): violation for violation in now.violations}
    for key in sorted(after.keys() - before.keys()):
        yield f"new: {after[key]['enforcement']} {_violation(after[key])}"
    for key in sorted(before.keys() - after.keys()):
        yield f"gone: {before[key]['enforcement']} {_violation(before[key])}"


def _policies(approved: Plan, now: Plan) -> Iterator[str]:
    missing = sorted(set(approved.policies) - set(now.policies))
    if missing:
        yield f"evaluated before, and not now, by: {', '.join(missing)}"
    added = sorted(set(now.policies) - set(approved.policies))
    if added:
        yield f"evaluated now, and not before, by: {', '.join(added)}"


def _steps(plan: Plan) -> dict[tuple[str, str], Operation]:
    return {(operation.urn, operation.op): operation for operation in plan.operations}


def _violation(violation: Mapping[str, str]) -> str:
    where = f"{violation['urn']} {violation['path']}".rstrip()
    return f"{violation['policy']}: {where}: {violation['problem']}"
