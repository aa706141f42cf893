"""Arguments that may be outputs, those in objects included: an output has the effect of its plain value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from pulumi import AssetArchive
from pulumi.provider.experimental.analyzer import PropertyDefinition
from pulumi.provider.experimental.util import camel_case
from pulumi.runtime import rpc
from pulumi_aws import sns

from aiplatform._shared.args import keys
from aiplatform.container_registry import ContainerRegistry
from aiplatform.feature_store import FeatureStore
from aiplatform.lakehouse import Lakehouse
from aiplatform.model_registry import ModelRegistry
from aiplatform.model_registry.existing_database import ModelRegistryExistingDatabaseSettings
from aiplatform.model_store import ModelStore
from tests.components.aiplatform.feature_store import example as features
from tests.components.aiplatform.lakehouse import example as lake
from tests.components.aiplatform.lakehouse import google
from tests.components.aiplatform.lakehouse.test_ingestion import CAPTURE, CERTIFICATE
from tests.components.aiplatform.model_registry import example as models
from tests.components.aiplatform.model_store import example as stores
from tests.components.aiplatform.pools import CLUSTER, GOOGLE_CLUSTER, GOOGLE_NETWORK, NETWORK
from tests.components.plugin_process import Served
from tests.components.recording import Recording, record
from tests.components.test_unknown_inputs import preview
from tests.generating import components

SOURCE = "aws:sns/topic:Topic"
ELSEWHERE = {
    *("cluster", "lakehouse", "materializer", "network"),
    *("accounts-principals", "admins", "appliers", "grants-principal", "node_roles", "readers", "writers"),
    *("arrival_targets", "quality_targets"),
    *("captures-secret", "captures-secret_key"),
    *("checkpoints-bucket", "checkpoints-kms_key", "release_group"),
    *("kms_key", "access_log_bucket", "artifacts-access_log_bucket"),
    *(f"database-existing-{key}" for key in keys(ModelRegistryExistingDatabaseSettings)),
}
"""References, principals, targets and secrets: the tests of each component have them. Keys and buckets that
exist: test_unknown_inputs.py has them as outputs, test_existing_keys.py and test_existing_log_buckets.py as
values. A database that exists: test_existing_database.py has both."""
RULES = {"rules": [{"rule": "complete", "column": "id"}]}


@dataclass(frozen=True)
class Leaf:
    """A value of an argument that may be an output."""

    plain: Any


@dataclass(frozen=True)
class Case:
    """Arguments of a component, with a Leaf for each value that may be an output."""

    component: type
    arguments: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])


TAGS = {"team": Leaf("search"), "cost-center": "42"}
CASES = {
    "container-registry-aws": Case(
        ContainerRegistry,
        {
            "prefix": "acme-dev",
            "repositories": ["training"],
            "caches": [{"upstream": "quay.io"}],
            "untagged_days": Leaf(7),
            "cached_days": Leaf(30),
            "tags": TAGS,
        },
    ),
    "container-registry-gcp": Case(
        ContainerRegistry,
        {
            "prefix": "acme-dev",
            "cloud": "gcp",
            "project": "acme-dev-0123",
            "region": "europe-west4",
            "repositories": ["training"],
            "caches": [
                {
                    "upstream": "ghcr.io",
                    "username": Leaf("robot"),
                    "credential": Leaf("projects/acme-dev-0123/secrets/ghcr/versions/1"),
                }
            ],
            "untagged_days": Leaf(7),
            "cached_days": Leaf(30),
            "tags": Leaf({"team": "search"}),
        },
    ),
    "feature-store-valkey": Case(
        FeatureStore,
        {
            "prefix": "acme-dev",
            "cluster": CLUSTER,
            "lakehouse": features.LAKEHOUSE,
            "materializer": features.MATERIALIZER,
            "network": features.NETWORK,
            "latency": "sub_millisecond",
            "feature_views": ["driver_stats"],
            "expire_days": Leaf(3),
            "backup_days": Leaf(5),
            "staging_days": Leaf(2),
            "query_cutoff_bytes": Leaf(1024**4),
            "registry": {
                "kind": "sql",
                "secret": Leaf("registry"),
                "server_secret": Leaf("registry-reader"),
                "cache_seconds": Leaf(30),
            },
            "materialization": {
                "schedule": Leaf("5 * * * *"),
                "timeout_minutes": Leaf(30),
                "cpu": Leaf("2"),
                "memory": Leaf("8Gi"),
            },
            "server": {
                "min_replicas": Leaf(3),
                "max_replicas": Leaf(9),
                "cpu": Leaf("1"),
                "memory": Leaf("2Gi"),
                "clients": [Leaf("serving"), "training"],
            },
            "image": Leaf("quay.io/feastdev/feature-server:0.67.0"),
            "mirrors": {"quay.io": Leaf("111122223333.dkr.ecr.us-west-2.amazonaws.com/quay")},
            "tags": TAGS,
        },
        {"answers": features.ANSWERS, "computed": features.COMPUTED},
    ),
    "feature-store-gcp": Case(
        FeatureStore,
        {
            "prefix": "acme-dev",
            "cluster": {**GOOGLE_CLUSTER, "workload_pool": f"{features.PROJECT}.svc.id.goog"},
            "lakehouse": features.GOOGLE_LAKEHOUSE,
            "materializer": features.GOOGLE_MATERIALIZER,
            "readers": ["group:analysts@acme.example"],
            "backup_days": Leaf(5),
            "staging_days": Leaf(2),
            "registry": {"cache_seconds": Leaf(30)},
            "mirrors": Leaf({"quay.io": "europe-west4-docker.pkg.dev/acme-dev-0123/quay"}),
            "tags": Leaf({"team": "search"}),
        },
        {"answers": features.ANSWERS, "computed": features.COMPUTED},
    ),
    "lakehouse-aws": Case(
        Lakehouse,
        {
            "prefix": "acme-dev",
            "writers": [lake.PIPELINE],
            "tables": [{**lake.ORDERS, "quality": RULES}, {**lake.EVENTS, "snapshot_days": None}],
            "grants": [lake.BY_TAGS],
            "billing_export": {"days": Leaf(400)},
            "file_readers": [Leaf("arn:aws:iam::111122223333:role/reader")],
            "zones": {
                "raw": {"snapshot_days": Leaf(5), "deleted_days": Leaf(60), "file_days": Leaf(90)},
                "curated": {"snapshot_days": Leaf(9)},
                "serving": {"deleted_days": Leaf(10), "file_days": Leaf(11)},
            },
            "streams": [
                {
                    "name": "events",
                    "table": "raw.events",
                    "buffer_seconds": Leaf(60),
                    "buffer_mib": Leaf(8),
                }
            ],
            "captures": [
                {
                    **CAPTURE,
                    "database": Leaf("shop"),
                    "ca_certificate": Leaf(CERTIFICATE),
                    "capacity": Leaf(8),
                    "file_seconds": Leaf(120),
                }
            ],
            "batches": [
                {
                    "name": "load",
                    "script": "s3://acme-scripts/load.py",
                    "arguments": {"day": Leaf("all")},
                    "schedule": Leaf("15 3 * * *"),
                    "workers": Leaf(5),
                    "timeout_minutes": Leaf(30),
                    "retries": Leaf(2),
                    "publishes": ["curated.orders"],
                }
            ],
            "network": NETWORK,
            "query_cutoff_bytes": Leaf(1024**4),
            "access_log_days": Leaf(30),
            "tags": TAGS,
        },
    ),
    "lakehouse-s3-tables": Case(
        Lakehouse,
        {
            "prefix": "acme-dev",
            "writers": [lake.PIPELINE],
            "tables": [lake.EVENTS | {"snapshot_days": None}],
            "store": "s3_tables",
            "zones": {"raw": {"snapshot_days": Leaf(5), "deleted_days": Leaf(60)}},
            "tags": Leaf({"team": "search"}),
        },
    ),
    "lakehouse-gcp": Case(
        Lakehouse,
        google.arguments(
            tables=[google.ORDERS, {**google.EVENTS, "zone": "serving"}],
            zones={
                "curated": {"snapshot_days": Leaf(5), "deleted_days": Leaf(60), "file_days": Leaf(90)},
                "serving": {"snapshot_days": Leaf(6)},
            },
            batches=[
                {
                    "name": "load",
                    "script": "gs://acme-scripts/load.py",
                    "arguments": {"day": Leaf("all")},
                    "schedule": Leaf("15 3 * * *"),
                    "workers": Leaf(5),
                    "timeout_minutes": Leaf(30),
                }
            ],
            network=google.NETWORK,
            query_cutoff_bytes=Leaf(2 * 1024**4),
            access_log_days=Leaf(30),
            perimeter={
                "access_policy": Leaf("123456789"),
                "deployers": [Leaf(f"serviceAccount:deployer@{google.PROJECT}.iam.gserviceaccount.com")],
            },
            tags=Leaf({"team": "search"}),
        ),
    ),
    "model-registry-aws": Case(
        ModelRegistry,
        {
            "prefix": "acme-dev",
            "cluster": CLUSTER,
            "network": NETWORK,
            "hosts": [Leaf("models.acme.example"), "models.acme.test"],
            "tls_secret": Leaf("mlflow-tls"),
            "client_namespaces": [Leaf("training")],
            "replicas": Leaf(3),
            "workers": Leaf(4),
            "database": {"storage_gib": Leaf(50), "certificates": Leaf(CERTIFICATE)},
            "artifacts": {"deleted_days": Leaf(20), "access_log_days": Leaf(40)},
            "mirrors": {"ghcr.io": Leaf("111122223333.dkr.ecr.us-west-2.amazonaws.com/ghcr")},
            "tags": TAGS,
        },
        {"answers": models.ANSWERS},
    ),
    "model-store-aws": Case(
        ModelStore,
        {
            "prefix": "acme-dev",
            "cluster": CLUSTER,
            "profile": "dev",
            "kms_key": Leaf(stores.KEY),
            "registry": {
                **stores.REGISTRY,
                "tracking_uri": Leaf("https://mlflow.acme.example"),
                "secret": Leaf(stores.REGISTRY["secret"]),
                "kms_key": Leaf(stores.KEY),
            },
            "registry_ca": Leaf(stores.CERTIFICATE),
            "hugging_face": {"secret": Leaf("hugging-face"), "kms_key": Leaf(stores.KEY)},
            "access_log_days": Leaf(40),
            "tags": TAGS,
        },
    ),
    "model-store-gcp": Case(
        ModelStore,
        {
            "prefix": "acme-dev",
            "cluster": {**GOOGLE_CLUSTER, "workload_pool": "acme-dev-1234.svc.id.goog"},
            "profile": "dev",
            "registry": {**stores.GOOGLE_REGISTRY, "tracking_uri": Leaf("https://mlflow.acme.example")},
            "access_log_days": Leaf(40),
            "tags": Leaf({"team": "search"}),
        },
        {"answers": models.ANSWERS},
    ),
    "model-registry-gcp": Case(
        ModelRegistry,
        {
            "prefix": "acme-dev",
            "cluster": {**GOOGLE_CLUSTER, "workload_pool": "acme-dev-1234.svc.id.goog"},
            "network": {**GOOGLE_NETWORK, "private_services": "acme-dev-private-services"},
            "database": {"storage_gib": Leaf(50)},
            "artifacts": {"deleted_days": Leaf(20), "access_log_days": Leaf(40)},
            "tags": Leaf({"team": "search"}),
        },
        {"answers": models.ANSWERS},
    ),
}


def _with_leaves(value: Any, replace: Callable[[str, Any], Any], path: str = "") -> Any:
    """Return arguments with `replace(path, plain value)` in place of each Leaf."""
    if isinstance(value, Leaf):
        return replace(path.lstrip("-"), value.plain)
    if isinstance(value, Mapping):
        return {key: _with_leaves(entry, replace, f"{path}-{key}") for key, entry in value.items()}
    if isinstance(value, list):
        return [_with_leaves(entry, replace, f"{path}-{index}") for index, entry in enumerate(value)]
    return value


def _recorded(case: Case, replace: Callable[[str, Any], Any]) -> Recording:
    def program() -> Any:
        return case.component("component", _with_leaves(case.arguments, replace))

    return record(program, **case.options)


def _comparable(value: Any) -> Any:
    """Return inputs without archives, which are equal only to themselves."""
    if isinstance(value, Mapping):
        return {key: _comparable(entry) for key, entry in value.items()}
    return AssetArchive if isinstance(value, AssetArchive) else value


def _output(path: str, plain: Any) -> Any:
    # The engine sends numbers to a plugin as floats.
    sent = float(plain) if isinstance(plain, int) else plain
    return sns.Topic(f"source-{path}").arn.apply(lambda _: sent)


@pytest.mark.parametrize("name", CASES)
def test_an_output_has_the_effect_of_its_plain_value_and_keeps_its_dependency(name: str) -> None:
    expected = _recorded(CASES[name], lambda _, plain: plain)
    actual = _recorded(CASES[name], _output)
    sources = [resource for resource in actual.all(SOURCE) if resource.name.startswith("source-")]
    others = [resource for resource in actual.resources if resource not in sources]
    assert sources
    assert [(other.type, other.name) for other in others] == [
        (resource.type, resource.name) for resource in expected.resources
    ], "an output does not change what is registered"
    for resource, other in zip(expected.resources, others, strict=True):
        assert _comparable(other.inputs) == _comparable(resource.inputs), resource.name
        assert other.outputs == resource.outputs, resource.name
    dependencies = {urn for other in others for urn in other.depends_on}
    lost = [source.name for source in sources if source.urn not in dependencies]
    assert not lost, "a resource that needs the value comes after its source"


@pytest.mark.parametrize("name", ["container-registry-gcp", "lakehouse-aws", "lakehouse-gcp"])
def test_values_in_lists_of_objects_may_be_unknown_in_a_preview(plugin: Served, name: str) -> None:
    case = CASES[name]
    inputs = _in_schema(_with_leaves(case.arguments, lambda *_: rpc.UNKNOWN))
    monitor = preview(plugin, case.component.__name__, inputs, *inputs, **case.options)
    assert [resource for resource in monitor.inner.recorded.values() if resource.custom]


def _in_schema(value: Any) -> Any:
    """Return arguments with their names in the schema."""
    if isinstance(value, Mapping):
        return {camel_case(key): _in_schema(entry) for key, entry in value.items() if entry is not None}
    return [_in_schema(entry) for entry in value] if isinstance(value, list) else value


def test_every_input_has_a_case() -> None:
    stated = {case.component.__name__: set[str]() for case in CASES.values()}
    for case in CASES.values():
        _with_leaves(case.arguments, lambda path, _, case=case: stated[case.component.__name__].add(path))
    for component, paths in stated.items():
        definition = components.plugin().definitions[component]
        known = {re.sub(r"-\d+\b", "", path) for path in paths}
        missing = [
            path
            for path in _inputs(definition.inputs, definition.inputs_mapping)
            if path not in ELSEWHERE and not any(f"{leaf}-".startswith(f"{path}-") for leaf in known)
        ]
        assert not missing, component


def _inputs(
    properties: Mapping[str, PropertyDefinition], names: Mapping[str, str], path: str = ""
) -> Iterator[str]:
    """Yield the paths of values that may be outputs, without those of references to other components."""
    for key, prop in properties.items():
        entry = prop.items or prop.additional_properties or prop
        block = components.plugin().type_of(entry)
        is_block = block is not None and block.enum is None
        if not prop.plain or not entry.plain:
            yield f"{path}{names[key]}"
        elif block is not None and is_block:
            yield from _inputs(block.properties, block.properties_mapping, f"{path}{names[key]}-")
