"""docs/bring-your-own.md: its arguments exist, it has every key, and its snippet works with Pulumi's SDK.
Its tables of what keys have to allow: tests/test_bring_your_own_keys.py."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import pulumi
import pytest
from google.protobuf import json_format
from pulumi.runtime import _callbacks
from pulumi.runtime.proto import resource_pb2

from aiplatform._plugin import COMPONENTS
from tests.components.test_existing_keys import ARN, AWS
from tests.generating.components import entity

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = (ROOT / "docs" / "bring-your-own.md").read_text()
NAMES: Final[Mapping[str, str]] = {component.__name__: entity(component) for component in COMPONENTS}
"""Component -> its folder."""
_CODE: Final = re.compile(r"`([a-z_.]+)`")


def rows(heading: str, columns: int) -> Iterator[list[str]]:
    """Yield the cells of the table below a heading. A row without a first cell has that of the row before."""
    first = ""
    for line in PAGE.partition(heading)[2].partition("\n#")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == columns and cells[0] != "---":
            first = cells[0] or first
            yield [first, *cells[1:]]


@cache
def _arguments() -> Mapping[str, frozenset[str]]:
    """Component -> the arguments that the page lists for it."""
    by_component: dict[str, frozenset[str]] = {}
    for names, _, arguments in rows("# Bring your own", 3):
        for name in names.split(", "):
            by_component[name] = by_component.get(name, frozenset()) | frozenset(_CODE.findall(arguments))
    return {name: arguments for name, arguments in by_component.items() if name in NAMES}


@cache
def _keys_of(folder: str) -> frozenset[str]:
    source = (ROOT / "components" / "aiplatform" / folder / "inputs.py").read_text()
    return frozenset(re.findall(r"^    (\w+): ", source, re.MULTILINE))


def test_the_page_lists_only_components_and_arguments_that_exist() -> None:
    assert len(_arguments()) > 20, "the table is read"
    for name, arguments in _arguments().items():
        for argument in arguments:
            wrong = [part for part in argument.split(".") if part not in _keys_of(NAMES[name])]
            assert not wrong, f"{name} has no argument {argument}"


@pytest.mark.parametrize("component", NAMES)
def test_the_page_has_every_argument_for_a_key_of_a_component(component: str) -> None:
    source = (ROOT / "components" / "aiplatform" / NAMES[component] / "inputs.py").read_text()
    definition = source.partition(f"class {component}Args(TypedDict")[2].partition("\nclass ")[0]
    for key in re.findall(r"^    (\w*kms_key): ", definition, re.MULTILINE):
        assert key in _arguments().get(component, ()), f"{component} takes {key}"


def _transforms(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Run the page's snippet; return what it registers."""
    registered: list[Any] = []
    monkeypatch.setattr(pulumi.runtime, "register_resource_transform", registered.append)
    (snippet,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(snippet, "docs/bring-your-own.md", "exec"), {})  # noqa: S102 - the page's own text
    return registered


def test_transforms_of_the_page_change_roles_and_buckets_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    transforms = _transforms(monkeypatch)
    resources = [r for r in AWS["model_registry"](kms_key=ARN).resources if r.custom]
    kinds = {resource.type for resource in resources}
    assert {"aws:iam/role:Role", "aws:s3/bucket:Bucket", "aws:rds/instance:Instance"} <= kinds

    async def transformed(resource: Any) -> dict[str, Any]:
        """Ask the SDK's server, as the engine does for each resource."""
        servicer = _callbacks._CallbackServicer(cast(Any, None))
        properties = resource_pb2.TransformRequest().properties
        properties.update(resource.inputs)
        for transform in transforms:
            token = servicer.register_transform(transform).token
            request = resource_pb2.TransformRequest(
                type=resource.type, name=resource.name, custom=True, properties=properties
            )
            response: Any = await servicer._callbacks[token](request.SerializeToString())
            properties = response.properties
        return json_format.MessageToDict(properties)

    for resource in resources:
        before = json_format.MessageToDict(_struct(resource.inputs))
        after = asyncio.run(transformed(resource))
        if resource.type == "aws:iam/role:Role":
            boundary = after.pop("permissionsBoundary")
            assert boundary == "arn:aws:iam::111122223333:policy/platform-boundary"
        if resource.type == "aws:s3/bucket:Bucket":
            assert after["tags"].pop("data-classification") == "internal"
        assert after == before, f"{resource.type} {resource.name} is as the component declares it"


def _struct(inputs: Mapping[str, Any]) -> Any:
    properties = resource_pb2.TransformRequest().properties
    properties.update(inputs)
    return properties
