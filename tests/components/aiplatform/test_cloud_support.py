"""Every argument says what it becomes on each cloud: docs/clouds.md is made of it, and refusals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pulumi.provider.experimental.util import camel_case

from aiplatform._plugin import COMPONENTS
from aiplatform._shared.cloud_support import CLOUDS, Refused, SupportTable
from tests.generating.cloud_support import arguments, support

BLOCKS = ("aws", "eks", "gcp", "gke")
"""Blocks of arguments of one cloud."""

every_component = pytest.mark.parametrize("component", COMPONENTS, ids=lambda item: item.__name__)


def _has_entry(table: SupportTable, path: str) -> bool:
    """Return whether a table has an entry for an argument, an object that contains it, or the component."""
    while path and path not in table:
        path = path.rpartition(".")[0]
    return path in table


@every_component
def test_every_argument_has_a_meaning_and_every_meaning_an_argument(component: type) -> None:
    table, known = support(component), list(arguments(component))
    assert [path for path in known if not _has_entry(table, path)] == [], "say what it becomes, or refuse it"
    assert [path for path in table if path and path not in known] == [], "of arguments that there are not"


@every_component
def test_no_meaning_is_empty(component: type) -> None:
    for path, on in support(component).items():
        for cloud in CLOUDS:
            meaning = getattr(on, cloud)
            text = meaning.reason if isinstance(meaning, Refused) else meaning
            assert text.strip(), f"{path} on {cloud}"


@every_component
def test_no_argument_is_refused_everywhere(component: type) -> None:
    nowhere = [path for path, on in support(component).items() if isinstance(on.aws, Refused)]
    nowhere = [path for path in nowhere if isinstance(support(component)[path].gcp, Refused)]
    assert not nowhere, "an argument that no cloud takes does nothing"


@every_component
def test_the_schema_has_no_default_of_an_argument_that_a_cloud_refuses(component: type) -> None:
    schema = json.loads(Path("components/schema.json").read_text())
    # Accepted on the cloud that refuses the argument: `false`, or the default that has no effect there.
    refused = {
        path: next(entry.default for entry in (on.aws, on.gcp) if isinstance(entry, Refused))
        for path, on in support(component).items()
        # A block of one cloud gets defaults only where a program states the block.
        if path and path.partition(".")[0] not in BLOCKS and Refused in (type(on.aws), type(on.gcp))
    }
    with_default = [
        path
        for path, accepted in refused.items()
        if (default := _property(schema, component, path).get("default")) and default != accepted
    ]
    assert not with_default, "an SDK would send it to that cloud, although the program does not state it"


def _property(schema: Mapping[str, Any], component: type, path: str) -> Mapping[str, Any]:
    """Return the property of the schema that an argument of a component is, `streams.buffer_mib`."""
    properties = schema["resources"][f"aiplatform:index:{component.__name__}"]["inputProperties"]
    prop: Mapping[str, Any] = {}
    for key in path.split("."):
        prop = properties[camel_case(key)]
        entry = prop.get("items") or prop.get("additionalProperties") or prop
        reference = str(entry.get("$ref", "")).removeprefix("#/types/")
        properties = schema["types"].get(reference, {}).get("properties", {})
    return prop
