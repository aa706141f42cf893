"""Policies and their specs use only types and properties of the clouds' SDKs: a misspelt one never matches,
and its spec would pass."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from policies.framework.discovery import files, find
from policies.framework.policy import Policy
from tests.policies.evaluating import spec_of
from tests.policies.spec import UNKNOWN, Resource, Stack
from twin import provider_interface
from twin.checks.check import check
from twin.checks.sdk import Sdk, sdk

_TOKEN = re.compile(r'"((aws|gcp):[a-z0-9]+/[A-Za-z0-9]+:[A-Za-z0-9]+)"')


def _sdks() -> Mapping[str, Sdk]:
    return {"aws": sdk("pulumi_aws"), "gcp": sdk("pulumi_gcp")}


@pytest.mark.parametrize("file", files(), ids=lambda file: f"{file.parent.name}.{file.stem}")
def test_every_type_in_a_policy_exists(file: Path) -> None:
    sdks = _sdks()
    unknown = [
        token for token, cloud in _TOKEN.findall(file.read_text()) if sdks[cloud].resource(token) is None
    ]
    assert unknown == [], "no such type exists"


@pytest.mark.parametrize("policy", find(), ids=lambda policy: policy.id)
def test_every_property_in_a_spec_belongs_to_its_type(policy: Policy) -> None:
    problems = [
        f"{name}: {subject.type}.{failure.path}: {failure.reason}"
        for name, subject in _subjects(policy)
        for failure in _failures(subject)
        # A spec sets only the properties of its case.
        if not failure.reason.startswith("missing")
    ]
    assert problems == [], "\n".join(problems)


def _subjects(policy: Policy) -> Iterator[tuple[str, Resource]]:
    """Yield every resource of a spec, with the name of its case."""
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


def _failures(resource: Resource) -> list[provider_interface.Failure]:
    package = _sdks().get(resource.type.partition(":")[0])
    schema = package.resource(resource.type) if package else None
    if package is None or schema is None:
        return []
    # In a stack a resource also has the properties that the cloud computes.
    inputs = {
        key: _plain(value)
        for key, value in resource.props.items()
        if key in schema.inputs or key not in schema.outputs
    }
    return check(package, resource.type, schema.inputs, inputs)


def _plain(value: Any) -> Any:
    """Return the value with the twin's marker for unknown values."""
    if value is UNKNOWN:
        return provider_interface.UNKNOWN
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in cast("list[Any]", value)]
    return value
