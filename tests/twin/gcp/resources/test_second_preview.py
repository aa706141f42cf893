"""A second preview is empty for each of Google's resources in the program, whatever the server fills in.

The state is what the provider's schemas allow the server to answer: every property that it may fill in has a
value, names are links, sets come in another order. An input that conflicts, or that the real provider would
see changed in every preview, fails here without a cloud.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.components.recording import Registered
from tests.stacks.environments import STACKS, built
from twin.checks.sdk import objects, sdk
from twin.checks.types import ListOf, MapOf, ObjectOf, OneOf, Property, Scalar, Type
from twin.core.diff import compare
from twin.core.drift import inputs_now
from twin.core.messages import complete
from twin.gcp.context import GcpContext
from twin.gcp.resources import facts
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.table import table
from twin.resource import UNKNOWN

SDK = sdk("pulumi_gcp")
GOOGLE = [stack for stack in STACKS if stack.startswith("gcp-")]
LINKS = ("CompareSelfLinkOrResourceName", "CompareSelfLinkRelativePaths")
MADE_UP = re.compile(r"\b[a-z][\w-]*-[0-9a-f]{7,8}\b")
LINK = "https://www.googleapis.com/compute/v1/"


def registered() -> dict[str, list[Registered]]:
    """What the environments register, by token."""
    found: dict[str, list[Registered]] = {}
    for stack in GOOGLE:
        for each in built(stack).recording.resources:
            if each.type in table():
                found.setdefault(each.type, []).append(each)
    return found


def filled(type: Type, depth: int = 0) -> Any:
    """A value that nobody asked for."""
    if isinstance(type, OneOf):
        type = type.options[0]
    if isinstance(type, ListOf):
        return [filled(type.item, depth + 1)]
    if isinstance(type, MapOf):
        return {"filled": "in"}
    if isinstance(type, ObjectOf):
        inside = SDK.properties(type) if depth < 4 else {}
        return {name: filled(each.type, depth + 1) for name, each in inside.items()}
    if isinstance(type, Scalar):
        return {"boolean": True, "integer": 7, "number": 7.0}.get(type.name, "filled in")
    return "filled in"


def fill(
    properties: Mapping[str, Property], target: dict[str, Any], paths: frozenset[str], before: str
) -> None:
    """Fill in what the server may, where the object is that it is in."""
    for name, property in properties.items():
        path = f"{before}{name}"
        if target.get(name) is None:
            if path in paths:
                target[name] = filled(property.type)
            continue
        inner = next(iter(objects(property.type)), None)
        value = target[name]
        for each in value if isinstance(value, list) else [value]:
            if inner is not None and isinstance(each, dict):
                fill(SDK.properties(inner), each, paths, f"{path}.")


def rewritten(kind: GcpResource, value: Any, path: str = "") -> Any:
    """The value as the server would write it: names as links, sets in another order."""
    if isinstance(value, dict):
        return {
            name: rewritten(kind, each, f"{path}.{name}" if path else name) for name, each in value.items()
        }
    if isinstance(value, list):
        items = [rewritten(kind, each, path) for each in value]
        return items[::-1] if path in kind.sets else items
    if isinstance(value, str) and value and kind.suppressed.get(path) in LINKS and "//" not in value:
        return f"{LINK}{value}" if "/" in value else f"{LINK}projects/acme/global/things/{value}"
    if kind.suppressed.get(path) == "CaseDiffSuppress" and isinstance(value, str):
        return value.upper()
    return value


def known(value: Any) -> Any:
    """Inputs without values of the engine's own."""
    if isinstance(value, dict):
        return {name: known(each) for name, each in value.items() if each is not None}
    return [known(each) for each in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def everything() -> dict[str, list[Registered]]:
    return registered()


def resources(found: dict[str, list[Registered]]) -> Iterator[tuple[GcpResource, Registered]]:
    for token, each in sorted(found.items()):
        for one in each:
            yield table()[token], one


def test_a_second_preview_is_empty_with_what_the_server_may_answer(
    everything: dict[str, list[Registered]], shared_data: GcpContext
) -> None:
    changed: list[str] = []
    for kind, one in resources(everything):
        inputs = {**kind.defaults, **known(one.inputs)}
        state = rewritten(kind, copy.deepcopy(kind.prepared(shared_data, inputs)))
        fill(kind.sdk_schema.inputs, state, kind.server, "")
        state = complete(kind.sdk_schema, {}, state)
        refreshed = inputs_now(SDK, kind, kind.sdk_schema.inputs, inputs, state, state)
        for when, before in (("", inputs), (" after a refresh", refreshed)):
            found = compare(kind, before, state, inputs).changes
            changed += [f"{one.type} {one.name}{when}: {change.shown}" for change in found]
    assert not changed, "\n".join(sorted(set(changed)))


def test_no_input_of_the_program_is_refused_by_the_schemas(
    everything: dict[str, list[Registered]], shared_data: GcpContext
) -> None:
    refused: list[str] = []
    for kind, one in resources(everything):
        inputs = {**kind.defaults, **known(one.inputs)}
        if kind.autoname:
            inputs.setdefault(kind.autoname.property, "filled-in")
        for failure in kind.check(shared_data, inputs):
            # An id that the recording engine made up has no form of Google's.
            if not MADE_UP.search(failure.reason):
                refused.append(f"{one.type} {one.name}: {failure.path}: {failure.reason}")
    assert not refused, "\n".join(sorted(set(refused)))


def test_every_type_that_the_program_registers_has_facts(everything: dict[str, list[Registered]]) -> None:
    missing = set(everything) - set(facts.every())
    assert missing <= {"gcp:storage/notification:Notification"}, (
        "python -m tools.provider_facts extracts them"
    )


def test_unknown_values_pass() -> None:
    kind = table()["gcp:compute/subnetwork:Subnetwork"]
    assert not list(kind.unasked({"name": "a", "network": "b"}, {"name": "a", "network": UNKNOWN}))
