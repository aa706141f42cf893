"""Where two plans differ, in lines for the person who approved one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cli.plan.reading import Operation, Plan


def differences(approved: Plan, now: Plan) -> list[str]:
    """What the plan of now would do, or is judged by, that the approved one did not say, and the reverse."""
    return [*_operations(approved, now), *_violations(approved, now), *_policies(approved, now)]


def lines(plan: Plan) -> Iterator[str]:
    """A plan for people."""
    for each in plan.operations:
        yield f"{each.op} {each.urn}"
        yield from (f"    {path}: {kind}" for path, kind in sorted(each.diff.items()))
    for fault in plan.violations:
        yield f"{fault['enforcement']} {_fault(fault)}"
    mandatory = len(plan.mandatory)
    advisory = len(plan.violations) - mandatory
    yield (
        f"{len(plan.operations)} operation(s); {mandatory} mandatory and {advisory} advisory fault(s) "
        f"by {len(plan.policies)} policies"
    )


def _operations(approved: Plan, now: Plan) -> Iterator[str]:
    before, after = _steps(approved), _steps(now)
    for step in sorted(before.keys() | after.keys()):
        urn, op = step
        if step not in after:
            yield f"{urn}: `{op}` was approved, and would not be done now"
        elif step not in before:
            yield f"{urn}: `{op}` was not approved"
        else:
            yield from _within(f"{urn}: {op}", before[step], after[step])


def _within(where: str, approved: Operation, now: Operation) -> Iterator[str]:
    for path in sorted(approved.diff.keys() | now.diff.keys()):
        was, becomes = approved.diff.get(path, "no change"), now.diff.get(path, "no change")
        if was != becomes:
            yield f"{where}: {path}: {was} was approved, now it is {becomes}"
    for name in sorted(approved.inputs.keys() | now.inputs.keys()):
        if approved.inputs.get(name) != now.inputs.get(name):
            yield f"{where}: {name}: not the value that was approved"


def _violations(approved: Plan, now: Plan) -> Iterator[str]:
    before = {tuple(sorted(each.items())): each for each in approved.violations}
    after = {tuple(sorted(each.items())): each for each in now.violations}
    for key in sorted(after.keys() - before.keys()):
        yield f"new: {after[key]['enforcement']} {_fault(after[key])}"
    for key in sorted(before.keys() - after.keys()):
        yield f"gone: {before[key]['enforcement']} {_fault(before[key])}"


def _policies(approved: Plan, now: Plan) -> Iterator[str]:
    missing = sorted(set(approved.policies) - set(now.policies))
    if missing:
        yield f"judged before, and not now, by: {', '.join(missing)}"
    added = sorted(set(now.policies) - set(approved.policies))
    if added:
        yield f"judged now, and not before, by: {', '.join(added)}"


def _steps(plan: Plan) -> dict[tuple[str, str], Operation]:
    return {(each.urn, each.op): each for each in plan.operations}


def _fault(fault: Mapping[str, str]) -> str:
    where = f"{fault['urn']} {fault['path']}".rstrip()
    return f"{fault['policy']}: {where}: {fault['problem']}"
