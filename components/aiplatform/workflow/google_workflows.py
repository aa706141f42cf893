"""Checks of a definition in the syntax of Google's Workflows.

Google has no library that checks a definition; the service does when it is deployed. What is checked here
follows the pages on steps, jumps, calls, retries and limits of its documentation: the actions of steps, the
targets of jumps, steps that nothing leads to, calls of what the arguments list, and the handling of errors.
Expressions are not parsed, except for the environment variables in them.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

from aiplatform._shared.args import Problem, got, nearest
from aiplatform.workflow.calls import DEAD_LETTER, Callees
from aiplatform.workflow.workflows_syntax import JUMPS, Object, blocks, every, misshapen

LARGEST: Final = 128 * 1024
"""Bytes of a definition (Workflows API, sourceContents)."""
LONGEST_REQUEST: Final = 1800
"""Seconds of a request ("Make an HTTP request": timeout)."""
LONGEST_OPERATION: Final = 365 * 24 * 3600
"""Seconds that a connector waits: those of an execution ("Quotas and limits": a year)."""
MAIN: Final = "main"
_REQUEST: Final = re.compile(r"http\.(request|get|post|put|patch|delete)")
_RUN_JOB: Final = "googleapis.run.v2.projects.locations.jobs.run"
_PUBLISH: Final = "googleapis.pubsub.v1.projects.topics.publish"
_WITHOUT_RIGHTS: Final = re.compile(r"(base64|events|hash|json|list|map|math|retry|sys|text|time|uuid)\.\w+")
"""Functions of the standard library that need no right on another resource ("Standard library overview")."""
_NAME: Final = re.compile(r"sys\.get_env\(\s*[\"']([^\"']*)[\"']")
_WHOLE: Final = re.compile(r"\$\{\s*sys\.get_env\(\s*[\"']([^\"']*)[\"']\s*\)\s*\}")
_BEGINS: Final = re.compile(r"\$\{\s*sys\.get_env\(\s*[\"']([^\"']*)[\"']\s*\)\s*(\+\s*\"/[^\"]*\".*)?\}")
_BUILT_IN: Final = re.compile(r"GOOGLE_CLOUD_\w+")
_SUPPORTED: Final = (
    f"http.post or another request, {_RUN_JOB}, {_PUBLISH}, a subworkflow or the standard library"
)
_HINT: Final = "or require_error_handling: false"


def problems(definition: Object, callees: Callees) -> Iterator[Problem]:
    """Yield what is wrong with a definition."""
    size = len(json.dumps(definition).encode())
    if size > LARGEST:
        yield Problem("definition", f"of {size} bytes; expected at most {LARGEST}")
        return
    wrong = list(misshapen(definition))
    yield from wrong
    if wrong:
        return
    check = _Check(definition, callees)
    for name, workflow in definition.items():
        steps: list[Object] = workflow["steps"]
        contents = list(every(steps))
        names = frozenset(step for step, _ in contents if step)
        jumps = frozenset(str(body["next"]) for _, body in contents if "next" in body)
        yield from check.steps(f"definition.{name}.steps", steps, _Block(names, jumps))
    yield from check.names("definition", definition)
    yield from callees.unused(check.called)


@dataclass(frozen=True)
class _Block:
    """Steps, and what is around them. names: of all steps of the workflow. jumps: the targets of its jumps.
    retried, caught: whether a step around them handles errors of their calls."""

    names: frozenset[str]
    jumps: frozenset[str]
    in_loop: bool = False
    retried: bool = False
    caught: bool = False


@dataclass
class _Check:
    definition: Object
    callees: Callees
    called: dict[str, str] = field(default_factory=dict[str, str])
    """Name -> where it is called."""

    def steps(self, path: str, steps: Sequence[Object], block: _Block) -> Iterator[Problem]:
        """Yield the problems of steps that follow each other."""
        is_reached = True
        for step in steps:
            for name, body in step.items():
                place = f"{path}.{name}"
                is_reached = is_reached or name in block.jumps
                if not is_reached:
                    yield Problem(place, "which no step leads to; expected a step that does")
                yield from self._step(place, body, block)
                is_reached = not any(key in body for key in ("next", "raise", "return"))

    def _step(self, path: str, body: Object, block: _Block) -> Iterator[Problem]:
        yield from _jump(path, body, block)
        if "call" in body:
            yield from self._call(path, str(body["call"]), body.get("args", {}), block)
        for index, case in enumerate(body.get("switch", ())):
            yield from self._step(f"{path}.switch[{index}]", case, block)
        tried = block
        if "try" in body:
            yield from _retry(f"{path}.retry", body.get("retry"))
            tried = replace(
                block,
                retried=block.retried or "retry" in body,
                caught=block.caught or self._publishes(body.get("except", {}).get("steps", ())),
            )
            if "steps" not in body["try"]:
                yield from self._step(f"{path}.try", body["try"], tried)
        for key, inner in blocks(body):
            around = tried if key == "try.steps" else block
            in_loop = around.in_loop or key.endswith("for.steps")
            yield from self.steps(f"{path}.{key}", inner, replace(around, in_loop=in_loop))

    def _publishes(self, steps: Sequence[Object], seen: frozenset[str] = frozenset()) -> bool:
        """Return whether steps publish to the dead-letter topic, or call a subworkflow that does."""
        for _, body in every(steps):
            call = str(body.get("call"))
            if call == _PUBLISH:
                return True
            if call in self.definition and call not in seen:
                inner: Sequence[Object] = self.definition[call]["steps"]
                if self._publishes(inner, seen | {call}):
                    return True
        return False

    def _call(self, path: str, call: str, args: Object, block: _Block) -> Iterator[Problem]:
        if _REQUEST.fullmatch(call):
            yield from self._named(f"{path}.args.url", args.get("url"), "functions", _BEGINS)
            if cast("Object", args.get("auth") or {}).get("type") != "OIDC":
                yield Problem(
                    f"{path}.args.auth.type",
                    "expected OIDC: a service of Cloud Run refuses requests without it",
                )
            yield from self._time(f"{path}.args.timeout", args.get("timeout"), LONGEST_REQUEST)
        elif call == _RUN_JOB:
            yield from self._named(f"{path}.args.name", args.get("name"), "jobs", _WHOLE)
            if "overrides" in cast("Object", args.get("body") or {}):
                yield Problem(
                    f"{path}.args.body.overrides",
                    "for which the account has no right; expected a job of Cloud Run with these arguments",
                )
            seconds = cast("Object", args.get("connector_params") or {}).get("timeout")
            yield from self._time(f"{path}.args.connector_params.timeout", seconds, LONGEST_OPERATION)
        else:
            yield from self._other(path, call, args)
            return
        if not self.callees.handled:
            return
        if not block.retried:
            yield Problem(f"{path}.call", f"outside of a try with retry; expected one around it, {_HINT}")
        if not block.caught:
            yield Problem(
                f"{path}.call",
                "outside of a try with an except that publishes to the dead-letter topic; expected one "
                f"around it, {_HINT}",
            )

    def _other(self, path: str, call: str, args: Object) -> Iterator[Problem]:
        """Yield the problem of a call of neither a function nor a job."""
        if call == _PUBLISH:
            topic = args.get("topic")
            named = _WHOLE.fullmatch(topic) if isinstance(topic, str) else None
            if named is None or named[1] != DEAD_LETTER:
                yield Problem(
                    f"{path}.args.topic",
                    f'{_quoted(topic)}; expected ${{sys.get_env("{DEAD_LETTER}")}}: the workflow has no '
                    "right to publish to another topic",
                )
        elif not _WITHOUT_RIGHTS.fullmatch(call) and (call == MAIN or call not in self.definition):
            subworkflows = [name for name in self.definition if name != MAIN]
            yield Problem(
                f"{path}.call",
                f"{got(call)}, no subworkflow, and nothing that the workflow has a right to; expected "
                f"{_SUPPORTED}{nearest(call, subworkflows)}",
            )

    def _named(self, path: str, value: Any, kind: str, pattern: re.Pattern[str]) -> Iterator[Problem]:
        match = pattern.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            yield Problem(
                path,
                f'{_quoted(value)}; expected ${{sys.get_env("NAME")}} with a name of `{kind}`: the workflow '
                "has no right to call anything else",
            )
        else:
            yield from self.callees.unknown(path, match[1], kind)
            self.called[match[1]] = path

    def _time(self, path: str, value: Any, longest: int) -> Iterator[Problem]:
        if value is None and self.callees.handled:
            yield Problem(path, f"missing; expected seconds, 1 to {longest}, {_HINT}")
        # An expression is known in an execution.
        elif value is not None and not isinstance(value, str) and not 1 <= value <= longest:
            yield Problem(path, f"got {value}; expected 1 to {longest} seconds")

    def names(self, path: str, value: Any) -> Iterator[Problem]:
        """Yield the environment variables that the workflow does not have, of those that no call reported."""
        if isinstance(value, Mapping):
            for key, entry in cast("Object", value).items():
                yield from self.names(f"{path}.{key}", entry)
        elif isinstance(value, list):
            for index, entry in enumerate(cast("list[Any]", value)):
                yield from self.names(f"{path}[{index}]", entry)
        elif isinstance(value, str):
            for name in _NAME.findall(value):
                if name not in (*self.callees.names, *self.called) and not _BUILT_IN.fullmatch(name):
                    known = self.callees.names
                    yield Problem(
                        path,
                        f"with the environment variable {name!r}; expected one of {', '.join(known)}"
                        f"{nearest(name, known)}",
                    )


def _jump(path: str, body: Object, block: _Block) -> Iterator[Problem]:
    target = body.get("next")
    if target is None or target == "end" or target in block.names:
        return
    if target in JUMPS:
        if not block.in_loop:
            yield Problem(f"{path}.next", f"{got(target)} outside of a loop; expected a step, or end")
        return
    near = nearest(str(target), sorted(block.names))
    yield Problem(
        f"{path}.next", f"{got(target)}, and the workflow has no such step; expected a step, or end{near}"
    )


def _retry(path: str, value: Any) -> Iterator[Problem]:
    """Yield the problem of a retry, an expression (`${http.default_retry}`) or an object ("Retry steps")."""
    if value is None or (isinstance(value, str) and value.startswith("${")):
        return
    if not isinstance(value, Mapping):
        yield Problem(path, f"{got(value)}; expected ${{http.default_retry}}, or an object with max_retries")
        return
    policy = cast("Object", value)
    for key in policy:
        if key not in ("backoff", "max_retries", "predicate"):
            yield Problem(f"{path}.{key}", "unknown key; expected backoff, max_retries or predicate")
    for key in ("max_retries", "backoff"):
        if key not in policy:
            yield Problem(f"{path}.{key}", "missing; expected it in a retry")


def _quoted(value: Any) -> str:
    return "missing" if value is None else got(value)
