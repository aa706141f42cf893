"""The table is consistent with the SDK and with Google's discovery documents, and holds what is used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from twin.checks.sdk import objects, sdk
from twin.checks.types import Property
from twin.gcp.api_server import discovery
from twin.gcp.context import method
from twin.gcp.provider import GcpCloud
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.fields import Field
from twin.gcp.resources.function import table as functions
from twin.gcp.resources.table import table

ROOT = Path(__file__).parents[4]
TOKENS = sorted(table())
SDK = sdk("pulumi_gcp")
BETA = {
    "gcp:container/cluster:Cluster": {
        "addonsConfig.istioConfig",
        "addonsConfig.kalmConfig",
        "clusterTelemetry",
        "podSecurityPolicyConfig",
        "protectConfig",
        "tpuConfig",
        "workloadAltsConfig",
    },
    "gcp:cloudrunv2/service:Service": {"template.containers.readinessProbe.successThreshold"},
    "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule": {
        "match.destNetworkScope",
        "match.srcNetworkScope",
    },
    "gcp:compute/resourcePolicy:ResourcePolicy": {
        "groupPlacementPolicy.maxDistance",
        "groupPlacementPolicy.tpuTopology",
    },
    "gcp:compute/routerNat:RouterNat": {"initialNatIps"},
}
"""What only the beta version of the API knows: the twin speaks the stable one, and refuses these."""
BETA_NODES = {"ephemeralStorageConfig", "hostMaintenancePolicy"}
OURS = re.compile(r"I(AM|am)Member|AuditConfig|iAMMember|projects/service")
"""Types that send no resource of the API's."""


def used_types() -> dict[str, set[str]]:
    """`gcp.compute.Network(...)` in components/ and stacks/: token -> files."""
    tokens: dict[str, set[str]] = {}
    for folder in ("components", "stacks"):
        for file in (ROOT / folder).rglob("*.py"):
            text = file.read_text()
            if "pulumi_gcp" not in text:
                continue
            for token in _tokens(ast.parse(text)):
                tokens.setdefault(token, set()).add(str(file.relative_to(ROOT)))
    return tokens


def _tokens(tree: ast.AST) -> Iterator[str]:
    modules: dict[str, str] = {}
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pulumi_gcp"):
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("pulumi_gcp"):
                    modules[alias.asname or alias.name.partition(".")[0]] = (
                        alias.name if alias.asname else "pulumi_gcp"
                    )
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            first, *rest = ast.unparse(node.func).split(".")
            path = modules.get(first) or names.get(first)
            token = _token([*path.split("."), *rest][1:]) if path else None
            if token:
                yield token


def _token(path: list[str]) -> str | None:
    """The token of `compute.Network` or `compute.get_zones`, by the SDK's source: an import takes long."""
    *folders, name = path
    folder = "/".join(folders)
    known = {place: token for token, place in SDK.tokens.items()}
    if (folder, name) in known:
        return known[folder, name]
    file = SDK.folder / folder / f"{name.removesuffix('_output')}.py"
    match = re.search(r"invoke\('(gcp:[^']+)'", file.read_text()) if file.is_file() else None
    return match[1] if match else None


def test_every_type_and_function_that_the_components_use_has_an_entry() -> None:
    missing = {
        token: files
        for token, files in used_types().items()
        if token not in table() and token not in functions()
    }
    assert not missing, "\n".join(
        f"{token} (used in {', '.join(sorted(files))}): add it to {GcpCloud().where_to_add(token)}"
        for token, files in missing.items()
    )


@pytest.mark.parametrize("token", TOKENS)
def test_every_property_of_an_entry_exists_in_the_sdk(token: str) -> None:
    kind = table()[token]
    schema = kind.sdk_schema
    known = set(schema.inputs) | set(schema.outputs)
    paths = {*kind.fields, *kind.links, *kind.sets, *kind.immutable, *kind.computed, *kind.nested_computed}
    paths |= {*kind.validators, *kind.nested_defaults, *kind.defaults, *kind.names, *kind.declared}
    paths |= {path for group in (*kind.conflicts, *kind.exactly_one) for path in group}
    paths |= {name for change in kind.changes for name in change.when}
    unknown = {path for path in paths if not _exists({**schema.inputs, **schema.outputs}, path.split("."))}
    assert not unknown, f"{token} names what the SDK's type does not have"
    if kind.autoname:
        assert kind.autoname.property in schema.inputs
    if kind.labels:
        assert {kind.labels, "effectiveLabels", "pulumiLabels"} <= known


def _exists(properties: Mapping[str, Property], path: list[str]) -> bool:
    if path[0] not in properties:
        return False
    if len(path) == 1:
        return True
    inside = list(objects(properties[path[0]].type))
    return not inside or _exists(SDK.properties(inside[0]), path[1:])


@pytest.mark.parametrize("token", [token for token in TOKENS if not OURS.search(token)])
def test_every_input_of_the_sdk_is_a_field_of_the_api(token: str) -> None:
    kind = table()[token]
    document = discovery.document(kind.api, kind.version)
    assert document is not None
    left_out = {"project", kind.place, kind.labels, "deletionPolicy"}
    inputs = {name: property_ for name, property_ in kind.sdk_schema.inputs.items() if name not in left_out}
    missing = set(_strangers(kind, document.schemas, inputs, document.schemas[kind.schema], ""))
    beta = {path for path in missing if path.rpartition(".")[2] in BETA_NODES}
    assert missing - beta - BETA.get(token, set()) == set(), f"{token} would send what the API does not know"


def _strangers(
    kind: GcpResource,
    schemas: Mapping[str, Any],
    properties: Mapping[str, Property],
    schema: Mapping[str, Any],
    before: str,
) -> Iterator[str]:
    for name, property in properties.items():
        path = f"{before}{name}"
        field = kind.fields.get(path, Field())
        if not field.sent:
            continue
        inner: Any = schema
        for part in (name if field.api is None else field.api).split("."):
            inner = inner.get("properties", {}).get(part) if inner else None
            inner = schemas[inner["$ref"]] if inner and "$ref" in inner else inner
        if inner is None:
            yield path
            continue
        items = inner.get("items", inner)
        items = schemas[items["$ref"]] if "$ref" in items else items
        inside = list(objects(property.type))
        if inside and not field.encode:
            yield from _strangers(kind, schemas, SDK.properties(inside[0]), items, f"{path}.")


@pytest.mark.parametrize("token", TOKENS)
def test_every_call_of_an_entry_is_a_method_of_the_api(token: str) -> None:
    kind = table()[token]
    names = [change.method for change in kind.changes] + ([kind.label_call] if kind.label_call else [])
    if not OURS.search(token):
        names += [kind.create_method, kind.read_method, kind.delete_method]
        if kind.schema in ("RouterNat", "ResourceRecordSet"):
            names = [name for name in names if name not in ("insert", "delete")]
        if token == "gcp:servicenetworking/connection:Connection":
            names = [name for name in names if name not in ("get", "delete")]
        if token == "gcp:binaryauthorization/policy:Policy":
            names = [name for name in names if name != "delete"]
    for name in names:
        if name:
            assert method(name if "." in name else f"{kind.collection}.{name}")


def test_an_unknown_token_is_told_where_it_belongs() -> None:
    cloud = GcpCloud()
    assert cloud.resource("gcp:spanner/instance:Instance") is None
    assert cloud.where_to_add("gcp:spanner/instance:Instance") == "twin/gcp/services/spanner/resources"
    assert cloud.where_to_add("gcp:compute/instance:Instance") == "twin/gcp/services/compute/resources"
    assert (
        cloud.where_to_add("gcp:storage/bucketIAMMember:BucketIAMMember")
        == "twin/gcp/services/storage/resources"
    )
    assert cloud.where_to_add("gcp:compute/getImage:getImage") == "twin/gcp/services/compute/functions"
