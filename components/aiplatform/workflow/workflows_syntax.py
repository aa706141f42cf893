"""The shape of a definition in the syntax of Google's Workflows, and the steps in it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from aiplatform._shared.args import Problem, got, nearest

ACTIONS: Final = ("assign", "call", "for", "next", "parallel", "raise", "return", "steps", "switch", "try")
JUMPS: Final = ("break", "continue", "end")
"""Targets of `next` that are no steps; the first two inside of a loop."""
_KEYS: Final = (*ACTIONS, "args", "except", "result", "retry")
_SHAPES: Final[Mapping[str, tuple[type, str]]] = {
    "args": (Mapping, "an object"),
    "except": (Mapping, "an object with as and steps"),
    "for": (Mapping, "an object with value, in or range, and steps"),
    "parallel": (Mapping, "an object with branches or for"),
    "switch": (list, "a list of objects with condition"),
    "try": (Mapping, "an object with a call or steps"),
}
Object = Mapping[str, Any]


def misshapen(definition: Object) -> Iterator[Problem]:
    """Yield what makes a definition unreadable; without any, the functions below read it."""
    if "main" not in definition:
        yield Problem(
            "definition",
            f"with {', '.join(sorted(definition))}; expected `main`, the workflow that is executed"
            f"{', and no state machine of Step Functions' if 'StartAt' in definition else ''}",
        )
        # Its keys may be no workflows at all.
        return
    for name, workflow in definition.items():
        path = f"definition.{name}"
        if not isinstance(workflow, Mapping):
            yield Problem(
                path, f"{got(workflow)}; expected an object with steps, and with params if it has any"
            )
            continue
        for key in cast("Object", workflow):
            if key not in ("params", "steps"):
                yield Problem(f"{path}.{key}", "unknown key; expected params or steps")
        yield from _steps(f"{path}.steps", cast("Object", workflow).get("steps"))


def blocks(body: Object) -> Iterator[tuple[str, Any]]:
    """Yield the lists of steps in a step, by their paths in it."""
    if "steps" in body:
        yield "steps", body["steps"]
    if "for" in body:
        yield "for.steps", body["for"].get("steps")
    parallel: Object = body.get("parallel", {})
    if "for" in parallel:
        yield "parallel.for.steps", parallel["for"].get("steps")
    for index, branch in enumerate(parallel.get("branches", ())):
        for name, inner in branch.items():
            yield f"parallel.branches[{index}].{name}.steps", inner.get("steps")
    for key in ("try", "except"):
        if "steps" in body.get(key, {}):
            yield f"{key}.steps", body[key]["steps"]


def every(steps: Sequence[Object]) -> Iterator[tuple[str, Object]]:
    """Yield name and content of every step and of the steps in it; conditions of a `switch` and the single
    call of a `try` have no name."""
    for step in steps:
        for name, body in step.items():
            yield from _inside(name, body)


def _inside(name: str, body: Object) -> Iterator[tuple[str, Object]]:
    yield name, body
    tried: Object = body.get("try", {})
    if tried and "steps" not in tried:
        yield from _inside("", tried)
    for case in body.get("switch", ()):
        yield from _inside("", case)
    for _, inner in blocks(body):
        yield from every(inner)


def _steps(path: str, steps: Any) -> Iterator[Problem]:
    if not isinstance(steps, list) or not steps:
        yield Problem(path, f"{got(cast(object, steps))}; expected a list of steps")
        return
    names: set[str] = set()
    for index, step in enumerate(cast("list[Any]", steps)):
        if not isinstance(step, Mapping) or len(cast("Object", step)) != 1:
            yield Problem(f"{path}[{index}]", "expected an object with the name of the step as its only key")
            continue
        [(name, body)] = cast("Object", step).items()
        place = f"{path}.{name}"
        if name in names:
            yield Problem(place, "which the step has that another one has; expected names of steps once")
        if name in JUMPS:
            yield Problem(place, f"a reserved word; expected a name other than {', '.join(JUMPS)}")
        names.add(name)
        if isinstance(body, Mapping):
            yield from _body(place, cast("Object", body))
        else:
            yield Problem(place, f"{got(body)}; expected an object with one of {', '.join(ACTIONS)}")


def _body(path: str, body: Object, more: Sequence[str] = ()) -> Iterator[Problem]:
    wrong = list(_keys(path, body, more))
    yield from wrong
    if wrong:
        return
    for index, case in enumerate(body.get("switch", ())):
        place = f"{path}.switch[{index}]"
        if isinstance(case, Mapping) and "condition" in case:
            yield from _body(place, cast("Object", case), ("condition",))
        else:
            yield Problem(place, "expected an object with condition")
    tried: Object = body.get("try", {})
    if tried and "steps" not in tried:
        yield from _body(f"{path}.try", tried)
    for key, inner in blocks(body):
        yield from _steps(f"{path}.{key}", inner)


def _keys(path: str, body: Object, more: Sequence[str]) -> Iterator[Problem]:
    for key, value in body.items():
        kind, words = _SHAPES.get(key, (object, ""))
        if key not in (*_KEYS, *more):
            yield Problem(
                f"{path}.{key}", f"unknown key{nearest(key, _KEYS)}; expected one of {', '.join(_KEYS)}"
            )
        elif not isinstance(value, kind):
            yield Problem(f"{path}.{key}", f"{got(value)}; expected {words}")
    if not any(action in body for action in ACTIONS):
        yield Problem(path, f"without an action; expected one of {', '.join(ACTIONS)}")
    for key in ("except", "retry"):
        if key in body and "try" not in body:
            yield Problem(f"{path}.{key}", "without try; expected both")
    handler = body.get("except")
    if isinstance(handler, Mapping) and not {"as", "steps"} <= cast("Object", handler).keys():
        yield Problem(f"{path}.except", "expected an object with as and steps")
    for loop in (body.get("for"), _part(body.get("parallel"), "for")):
        if loop is not None and not isinstance(loop, Mapping):
            yield Problem(f"{path}.for", f"{got(loop)}; expected an object with steps")
    branches = _part(body.get("parallel"), "branches")
    if branches is not None and not _are_branches(branches):
        yield Problem(f"{path}.parallel.branches", "expected a list of objects, each a name with its steps")


def _part(value: Any, key: str) -> Any:
    return cast("Object", value).get(key) if isinstance(value, Mapping) else None


def _are_branches(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(branch, Mapping)
        and len(cast("Object", branch)) == 1
        and isinstance(next(iter(cast("Object", branch).values())), Mapping)
        for branch in cast("list[Any]", value)
    )
