"""Checks of a definition in the Amazon States Language.

statelint checks it by the language: fields of each type of state, states that are missing or that nothing
leads to, retriers and catchers. What follows is what Step Functions and the rights of the component's role
require beyond it: sizes, times, the handling of errors, and calls of what the arguments list.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from aiplatform._shared.args import Problem, got, nearest
from aiplatform.workflow.calls import DEAD_LETTER, Callees

LARGEST: Final = 1024 * 1024
"""Bytes of a definition (Step Functions API, CreateStateMachine)."""
LONGEST_EXECUTION: Final = 365 * 24 * 3600
"""Seconds of an execution ("Service quotas for Step Functions": a year)."""
LONGEST_TASK: Final = 99_999_999
"""Seconds ("Task workflow state")."""
LONGEST_FUNCTION: Final = 900
"""Seconds of a run of a function ("Lambda quotas")."""
NAME: Final = re.compile(r"\$\{([A-Za-z_]\w*)\}")
"""A name of the arguments in a definition, in place of the value."""
_INVOKE: Final = re.compile(r"arn:aws[a-z-]*:states:::lambda:invoke")
_GLUE: Final = re.compile(r"arn:aws[a-z-]*:states:::glue:startJobRun\.sync")
_SEND: Final = re.compile(r"arn:aws[a-z-]*:states:::sqs:sendMessage")
_SUPPORTED: Final = (
    "a function's name as ${NAME}, or arn:aws:states:::lambda:invoke, glue:startJobRun.sync or "
    "sqs:sendMessage to ${dead_letter}"
)

_Object = Mapping[str, Any]


def substituted(definition: _Object, values: Mapping[str, str]) -> str:
    """Return the text of a definition with the values of the names in it."""

    def value(name: re.Match[str]) -> str:
        # Inside of a text of JSON.
        return json.dumps(values[name[1]])[1:-1] if name[1] in values else name[0]

    return NAME.sub(value, json.dumps(definition))


def problems(definition: _Object, callees: Callees) -> Iterator[Problem]:
    """Yield what is wrong with a definition."""
    size = len(json.dumps(definition).encode())
    if size > LARGEST:
        yield Problem("definition", f"of {size} bytes; expected at most {LARGEST}")
        return
    wrong = list(_by_language(definition))
    yield from wrong
    if wrong:
        return
    called: dict[str, str] = {}
    yield from _machine(_Scope("definition", definition, callees, called))
    yield from _unknown_names("definition", definition, callees, called)
    yield from _total_time(definition, callees)
    yield from callees.unused(called)


def _by_language(definition: _Object) -> Iterator[Problem]:
    # Imported late: only this component needs it.
    from statelint.config import Config  # pyright: ignore[reportMissingTypeStubs]
    from statelint.linter import Linter  # pyright: ignore[reportMissingTypeStubs]
    from statelint.problem import ProblemType  # pyright: ignore[reportMissingTypeStubs]

    # A name in place of a value is no URI, and the service accepts whole numbers for all others.
    named = substituted(definition, _Everything())
    for message in Linter.validate(json.loads(named), Config(ignored_problem_types={ProblemType.FLOAT})):
        text = message.replace("State Machine.", "").replace("State Machine", "its top level")
        yield Problem("definition", f"which is no state machine: {text}; expected a valid definition")


class _Everything(dict[str, str]):
    """A value for every name."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return f"arn:aws:lambda:us-east-1:111122223333:function:{name}"


@dataclass(frozen=True)
class _Scope:
    """A state machine, or a branch in one. retried, caught: whether a state around it handles its errors."""

    path: str
    machine: _Object
    callees: Callees
    called: dict[str, str]
    retried: bool = False
    caught: bool = False

    @property
    def states(self) -> Mapping[str, _Object]:
        return self.machine["States"]

    def reached(self, start: str) -> set[str]:
        """Return the states that an execution may come to from a state, with itself."""
        seen, pending = {start}, [start]
        while pending:
            for target in _targets(self.states[pending.pop()]):
                if target not in seen:
                    seen.add(target)
                    pending.append(target)
        return seen

    def catches(self, state: _Object) -> bool:
        """Return whether every error of a state leads to the dead-letter queue."""
        return any(
            "States.ALL" in catcher["ErrorEquals"]
            and any(_sends(self.states[name]) for name in self.reached(catcher["Next"]))
            for catcher in state.get("Catch", ())
        )


def _targets(state: _Object) -> Iterator[str]:
    for entry in (state, *state.get("Choices", ()), *state.get("Catch", ())):
        if "Next" in entry:
            yield entry["Next"]
    if "Default" in state:
        yield state["Default"]


def _sends(state: _Object) -> bool:
    """Return whether a state sends to the dead-letter queue."""
    return state["Type"] == "Task" and _SEND.fullmatch(state["Resource"]) is not None


def _machine(scope: _Scope) -> Iterator[Problem]:
    for name, state in scope.states.items():
        path = f"{scope.path}.States.{name}"
        if state["Type"] == "Task":
            yield from _task(path, state, scope)
        inner = replace(
            scope,
            retried=scope.retried or bool(state.get("Retry")),
            caught=scope.caught or scope.catches(state),
        )
        if state["Type"] == "Parallel":
            for index, branch in enumerate(state["Branches"]):
                yield from _machine(replace(inner, path=f"{path}.Branches[{index}]", machine=branch))
        if state["Type"] == "Map":
            yield from _map(path, state, inner)


def _map(path: str, state: _Object, inner: _Scope) -> Iterator[Problem]:
    key = "ItemProcessor" if "ItemProcessor" in state else "Iterator"
    processor: _Object = state[key]
    if processor.get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED":
        yield Problem(
            f"{path}.{key}.ProcessorConfig.Mode",
            "got 'DISTRIBUTED', for which the role has no rights; expected INLINE",
        )
    for part in ("ItemReader", "ResultWriter"):
        if part in state:
            yield Problem(f"{path}.{part}", "for which the role has no rights; expected none")
    yield from _machine(replace(inner, path=f"{path}.{key}", machine=processor))


def _task(path: str, state: _Object, scope: _Scope) -> Iterator[Problem]:
    if "Credentials" in state:
        yield Problem(f"{path}.Credentials", "a role that the workflow has no right to assume; expected none")
    if _sends(state):
        yield from _parameter(path, state, "QueueUrl", scope, None)
        return
    resource: str = state["Resource"]
    direct, invoke = NAME.fullmatch(resource), _INVOKE.fullmatch(resource)
    if direct is not None:
        yield from _call(f"{path}.Resource", direct[1], "functions", scope)
    elif invoke is not None:
        yield from _parameter(path, state, "FunctionName", scope, "functions")
        place = _place(state)
        if "Qualifier" in (state.get(place) or {}):
            yield Problem(
                f"{path}.{place}.Qualifier",
                "which the role has no right to; expected the arn of the alias in `functions`",
            )
    elif _GLUE.fullmatch(resource):
        yield from _parameter(path, state, "JobName", scope, "jobs")
    else:
        yield Problem(
            f"{path}.Resource", f"{got(resource)}, for which the role has no right; expected {_SUPPORTED}"
        )
        return
    is_function = direct is not None or invoke is not None
    yield from _time(path, state, LONGEST_FUNCTION if is_function else LONGEST_TASK)
    if scope.callees.handled:
        yield from _unhandled(path, state, scope)


def _place(state: _Object) -> str:
    """Return where a task has its parameters: with JSONata they are called arguments."""
    return "Parameters" if "Parameters" in state else "Arguments"


def _parameter(path: str, state: _Object, key: str, scope: _Scope, kind: str | None) -> Iterator[Problem]:
    """Yield the problem of what a task names: a function or job, or the dead-letter queue."""
    place = _place(state)
    parameters = state.get(place)
    value = cast("_Object", parameters).get(key) if isinstance(parameters, Mapping) else None
    name = NAME.fullmatch(value) if isinstance(value, str) else None
    wanted = "${dead_letter}" if kind is None else f"a name of `{kind}` as ${{NAME}}"
    if name is None or (kind is None and name[1] != DEAD_LETTER):
        stated = "missing" if value is None else got(value)
        yield Problem(f"{path}.{place}.{key}", f"{stated}; expected {wanted}: the role has no other right")
    elif kind is not None:
        yield from _call(f"{path}.{place}.{key}", name[1], kind, scope)


def _call(path: str, name: str, kind: str, scope: _Scope) -> Iterator[Problem]:
    yield from scope.callees.unknown(path, name, kind)
    scope.called[name] = path


def _time(path: str, state: _Object, longest: int) -> Iterator[Problem]:
    seconds = state.get("TimeoutSeconds")
    # An expression of JSONata is known in an execution.
    if seconds is not None and not isinstance(seconds, str) and not 1 <= seconds <= longest:
        yield Problem(f"{path}.TimeoutSeconds", f"got {seconds}; expected 1 to {longest} seconds")


def _unhandled(path: str, state: _Object, scope: _Scope) -> Iterator[Problem]:
    hint = "or require_error_handling: false"
    if not state.get("Retry") and not scope.retried:
        yield Problem(f"{path}.Retry", f"missing; expected a retrier, {hint}")
    if not scope.caught and not scope.catches(state):
        problem = "got none that does so" if state.get("Catch") else "missing"
        yield Problem(
            f"{path}.Catch",
            f"{problem}; expected a catcher of States.ALL that leads to a Task that sends to "
            f"${{dead_letter}}, {hint}",
        )
    if "TimeoutSeconds" not in state and "TimeoutSecondsPath" not in state:
        yield Problem(
            f"{path}.TimeoutSeconds", f"missing, and its default is three years; expected one, {hint}"
        )


def _total_time(definition: _Object, callees: Callees) -> Iterator[Problem]:
    if "TimeoutSeconds" in definition:
        yield from _time("definition", definition, LONGEST_EXECUTION)
    elif callees.handled:
        yield Problem(
            "definition.TimeoutSeconds",
            "missing; expected the longest time of an execution, or require_error_handling: false",
        )


def _unknown_names(path: str, value: Any, callees: Callees, called: Mapping[str, str]) -> Iterator[Problem]:
    """Yield names in place of values that the arguments do not have, of those that no call reported."""
    if isinstance(value, Mapping):
        for key, entry in cast("_Object", value).items():
            yield from _unknown_names(f"{path}.{key}", entry, callees, called)
    elif isinstance(value, list):
        for index, entry in enumerate(cast("list[Any]", value)):
            yield from _unknown_names(f"{path}[{index}]", entry, callees, called)
    elif isinstance(value, str):
        known = callees.names
        for name in NAME.findall(value):
            if name not in (*known, *called):
                yield Problem(
                    path, f"with ${{{name}}}; expected one of {', '.join(known)}{nearest(name, known)}"
                )
