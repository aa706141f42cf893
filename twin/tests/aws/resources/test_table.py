"""The table is consistent with the SDK, and holds what the components use."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from twin.aws import services
from twin.aws.provider import AwsCloud
from twin.aws.resources import entries
from twin.aws.resources.base import AwsResource
from twin.aws.resources.entry import FACTS
from twin.aws.resources.fields import Field, Fields, names
from twin.aws.resources.function import table as functions
from twin.aws.resources.table import table
from twin.aws.validation.parameters import operation_model
from twin.checks.sdk import Property, objects, sdk
from twin.core.schema_facts import every

ROOT = Path(__file__).parents[4]
TOKENS = sorted(table())


def used_types() -> dict[str, set[str]]:
    """`aws.ec2.Vpc(...)` in components/ and stacks/: token -> files. Functions in snake case too."""
    import pulumi_aws

    tokens: dict[str, set[str]] = {}
    for folder in ("components", "stacks"):
        for file in (ROOT / folder).rglob("*.py"):
            text = file.read_text()
            if not re.search(r"\b(?:pulumi_)?aws\.", text):
                continue
            for node in ast.walk(ast.parse(text)):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                    continue
                parts = ast.unparse(node.func).split(".")
                if parts[0] not in ("aws", "pulumi_aws"):
                    continue
                target = pulumi_aws
                for part in parts[1:]:
                    target = getattr(target, part, None)
                token = _token(target)
                if token:
                    tokens.setdefault(token, set()).add(str(file.relative_to(ROOT)))
    return tokens


def _token(target: object) -> str | None:
    if inspect.isclass(target):
        token = getattr(target, "pulumi_type", None)
        return token if isinstance(token, str) and not token.startswith("pulumi:") else None
    if inspect.isfunction(target):
        match = re.search(r"invoke(?:_output)?\('(aws:[^']+)'", inspect.getsource(target))
        return match[1] if match else None
    return None


def test_every_type_and_function_that_the_components_use_has_an_entry() -> None:
    missing = {
        token: files
        for token, files in used_types().items()
        if token not in table() and token not in functions()
    }
    assert not missing, "\n".join(
        f"{token} (used in {', '.join(sorted(files))}): add it to {AwsCloud().where_to_add(token)}"
        for token, files in missing.items()
    )


@pytest.mark.parametrize("token", TOKENS)
def test_every_property_of_an_entry_exists_in_the_sdk(token: str) -> None:
    kind, schema = table()[token], sdk("pulumi_aws").resource(token)
    assert schema is not None, f"the SDK has no {token}"
    known = set(schema.inputs) | set(schema.outputs)
    mentioned = (
        set(kind.fields)
        | {path.split(".")[0] for path in (*kind.computed, *kind.immutable, *kind.sets, *kind.documents)}
        | {*kind.volatile, *kind.others_change, *kind.declared, *kind.defaults, *kind.references}
        | {path.split(".")[0] for path in kind.paths.values() if path}
        | {name for update in kind.updates for name in update.when}
    )
    assert mentioned <= known, f"{token} names what the SDK's type does not have"
    if kind.autoname:
        assert kind.autoname.property in schema.inputs, "an autonamed property is an input"


@pytest.mark.parametrize("token", TOKENS)
def test_every_input_of_the_sdk_has_a_field(token: str) -> None:
    kind, schema = table()[token], sdk("pulumi_aws").resource(token)
    assert schema is not None
    missing = set(schema.inputs) - set(kind.fields) - {"tags", "region"} - LEFT_OUT.get(token, set())
    assert not missing, f"{token} would drop these inputs without a word"
    if "tags" in schema.inputs:
        assert kind.tagging is not None, f"{token} has tags"


LEFT_OUT: dict[str, set[str]] = {
    # The older ways to configure a bucket inline, for which there are separate types.
    "aws:s3/bucket:Bucket": {
        "accelerationStatus",
        "corsRules",
        "grants",
        "lifecycleRules",
        "logging",
        "objectLockConfiguration",
        "policy",
        "replicationConfiguration",
        "requestPayer",
        "serverSideEncryptionConfiguration",
        "versioning",
        "website",
    },
}


@pytest.mark.parametrize("token", TOKENS)
def test_nested_paths_of_an_entry_have_fields(token: str) -> None:
    kind = table()[token]
    known = names(kind.fields)
    paths = {*kind.immutable, *kind.sets, *kind.documents, *kind.nested_computed} - {"region"}
    # The provider's schema knows objects that the twin refuses to make.
    paths -= {path for name in ("immutable", "sets") for path in every(FACTS)[token].get(name, ())}
    nested = {path for path in paths if "." in path and _has_fields(kind.fields, path.split(".")[0])}
    assert nested <= known, f"{token}: a path that no field has is never compared"


def _has_fields(fields: Fields, name: str) -> bool:
    return isinstance(fields.get(name), Field) and fields[name].of is not None


def _calls(kind: AwsResource) -> set[str]:
    operations = {kind.create_call.operation, kind.read_call.operation}
    operations |= {update.call.operation for update in kind.updates}
    if kind.change_call and kind.change_call.call:
        operations.add(kind.change_call.call.operation)
    if kind.delete_call:
        operations.add(kind.delete_call.operation)
    if kind.tagging:
        operations |= {kind.tagging.add.operation, kind.tagging.remove.operation}
        if kind.tagging.listing:
            operations.add(kind.tagging.listing.operation)
    return operations


ATTRIBUTES = {
    name
    for kind in AwsResource.__mro__
    for name in getattr(kind, "__annotations__", {})
    if not name.startswith("_")
}


def test_every_attribute_of_a_file_is_one_of_an_entry() -> None:
    for _, module in services.modules("resources"):
        for name, entry in entries.read(module.__name__).items():
            if name not in ("shapes", "taggings"):
                assert entry.keys() - {"base"} <= ATTRIBUTES, f"{module.__name__}: {name}"


@pytest.mark.parametrize("token", TOKENS)
def test_every_path_that_an_entry_refuses_is_an_input(token: str) -> None:
    kind = table()[token]
    schema = sdk("pulumi_aws").resource(token)
    assert schema is not None
    paths = {*kind.ranges, *kind.choices, *kind.policies}
    for refusal in kind.refused:
        paths |= {*refusal.forbidden, *refusal.missing, *refusal.patterns, *refusal.when, *refusal.unless}
    for group in (*kind.conflicts, *kind.exactly_one, *kind.at_least_one):
        paths |= set(group)
    assert not {path for path in paths if not _is_in(schema.inputs, path.split("."))}


def _is_in(properties: Mapping[str, Property], path: list[str]) -> bool:
    first, *rest = path
    if first not in properties or not rest:
        return first in properties
    return any(
        _is_in(sdk("pulumi_aws").properties(object_type), rest)
        for object_type in objects(properties[first].type)
    )


@pytest.mark.parametrize("token", TOKENS)
def test_every_call_of_an_entry_exists_in_the_service_s_model(token: str) -> None:
    kind = table()[token]
    for operation in _calls(kind):
        assert operation_model(kind.service, operation).name == operation


def test_the_error_for_an_unknown_token_says_where_it_belongs() -> None:
    cloud = AwsCloud()
    assert cloud.resource("aws:apigatewayv2/api:Api") is None
    assert cloud.where_to_add("aws:sns/topic:Topic") == "twin/aws/services/sns/resources"
    assert cloud.where_to_add("aws:ec2/routeTable:RouteTable") == "twin/aws/services/ec2/resources"
    assert cloud.where_to_add("aws:eks/getClusterAuth:getClusterAuth") == "twin/aws/services/eks/functions"
