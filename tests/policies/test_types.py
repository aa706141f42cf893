"""Policies and their specs speak of types and properties that the clouds' SDKs have: what is misspelt never
fires, and its spec would not tell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from policies.pack.discovery import files, find
from policies.pack.policy import Policy
from tests.policies.spec import UNKNOWN, Resource, Stack
from tests.policies.test_specs import spec_of
from twin import resource as twin
from twin.checks.check import check
from twin.checks.sdk import Sdk, sdk

_TOKEN = re.compile(r'"((aws|gcp):[a-z0-9]+/[A-Za-z0-9]+:[A-Za-z0-9]+)"')


def _sdks() -> Mapping[str, Sdk]:
    return {"aws": sdk("pulumi_aws"), "gcp": sdk("pulumi_gcp")}


@pytest.mark.parametrize("file", files(), ids=lambda file: f"{file.parent.name}.{file.stem}")
def test_every_type_that_a_policy_names_exists(file: Path) -> None:
    sdks = _sdks()
    unknown = [
        token for token, cloud in _TOKEN.findall(file.read_text()) if sdks[cloud].resource(token) is None
    ]
    assert unknown == [], "no resource of such a type is ever made"


@pytest.mark.parametrize("policy", find(), ids=lambda policy: policy.id)
def test_every_property_of_a_spec_is_one_of_its_type(policy: Policy) -> None:
    faults = [
        f"{name}: {subject.type}.{failure.path}: {failure.reason}"
        for name, subject in _subjects(policy)
        for failure in _failures(subject)
        # A spec says what its case is about and no more.
        if not failure.reason.startswith("missing")
    ]
    assert faults == [], "\n".join(faults)


def _subjects(policy: Policy) -> Iterator[tuple[str, Resource]]:
    """Every resource of a spec, by the name of its case."""
    spec = spec_of(policy)
    cases = [
        *spec.passes.items(),
        *((name, case.subject) for name, case in spec.fails.items()),
        *spec.unknown.items(),
        *((name, case.subject) for name, case in spec.configured.items()),
    ]
    for name, subject in cases:
        for resource in subject.resources if isinstance(subject, Stack) else (subject,):
            yield name, resource


def _failures(resource: Resource) -> list[twin.Failure]:
    package = _sdks().get(resource.type.partition(":")[0])
    schema = package.resource(resource.type) if package else None
    if package is None or schema is None:
        return []
    # In a stack a resource has what the cloud computes, too.
    inputs = {
        key: _plain(value)
        for key, value in resource.props.items()
        if key in schema.inputs or key not in schema.outputs
    }
    return check(package, resource.type, schema.inputs, inputs)


def _plain(value: Any) -> Any:
    """With the twin's word for what is not known."""
    if value is UNKNOWN:
        return twin.UNKNOWN
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in cast("list[Any]", value)]
    return value
