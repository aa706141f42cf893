"""Data, features, images and models in an environment file: principals, and invalid values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stacks import data_arguments
from stacks.loading import load_file
from stacks.settings import Settings
from stacks.validation import placeholders
from tests.stacks.environments import STACKS, settings_of
from tests.stacks.test_google_files import Change, changed, problems

TABLES = "lakehouse/tables"
ORDERS: dict[str, Any] = {
    "zone": "curated",
    "name": "orders",
    "owner": "shop@acme.example",
    "columns": [
        {"name": "order_id", "type": "long"},
        {"name": "email", "type": "string", "classification": "pii"},
    ],
}


def table(**changes: Any) -> Change:
    """Return a change that leaves one table, `curated.orders`, with these changes."""
    return {TABLES: [{**ORDERS, **changes}], "lakehouse/grants": [READ], "feature_store": {}}


READ = {"name": "features", "principal": "features", "actions": ["read"], "tables": ["curated.orders"]}

CASES: dict[str, tuple[Change, str, str]] = {
    "an unknown type": (
        table(columns=[{"name": "a", "type": "sting"}]),
        "lakehouse.tables[0].columns[0].type",
        "did you mean 'string'?",
    ),
    "an unknown transform": (
        table(partitions=[{"column": "order_id", "transform": "week"}]),
        "lakehouse.tables[0].partitions[0].transform",
        "got 'week'",
    ),
    "a partition on no column": (
        table(partitions=[{"column": "order", "transform": "identity"}]),
        "lakehouse.tables[0].partitions[0].column",
        "did you mean 'order_id'?",
    ),
    "two tables of one name": (
        {TABLES: [ORDERS, ORDERS], "lakehouse/grants": [READ], "feature_store": {}},
        "lakehouse.tables[1].name",
        "twice",
    ),
    "a person's data without an owner": (
        {
            TABLES: [{key: value for key, value in ORDERS.items() if key != "owner"}],
            "lakehouse/grants": [READ],
            "feature_store": {},
        },
        "lakehouse.tables[0].owner",
        "pii",
    ),
    "a writer that is none": (
        {"lakehouse/writers": ["pipeline"]},
        "lakehouse.writers[0]",
        "did you mean 'pipelines'?",
    ),
    "a reader of the feature store that is none": (
        {"feature_store/readers": ["analyst"]},
        "feature_store.readers[0]",
        "did you mean 'analysts'?",
    ),
    "an account of an unknown principal": (
        {"model_registry/accounts": {"training": {"principals": ["trainers"]}}},
        "model_registry.accounts.training.principals[0]",
        "expected the name of one of this file's workload_identities",
    ),
    "a feature store that may read nothing": (
        {"lakehouse/grants": []},
        "lakehouse.grants",
        "no grant for 'features'",
    ),
    "an identity of the platform's own name": (
        {"workload_identities/features": {"namespace": "a", "service_account": "b"}},
        "workload_identities.features",
        "the platform creates an identity",
    ),
    "a misspelt key, deep inside": (
        table(columns=[{"name": "a", "typ": "long"}]),
        "lakehouse.tables[0].columns[0].typ",
        "did you mean 'type'?",
    ),
}


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
@pytest.mark.parametrize(("change", "key", "right"), CASES.values(), ids=CASES.keys())
def test_mistake_is_reported_with_its_key_and_the_expected_value(
    tmp_path: Path, change: Change, key: str, right: str, cloud: str
) -> None:
    reported = [problem for problem in problems(tmp_path, change, f"{cloud}-dev") if f": {key}: " in problem]
    assert reported, key
    assert any(right in problem for problem in reported), reported


def test_an_online_store_that_the_latency_class_cannot_meet_is_refused(tmp_path: Path) -> None:
    change = {"feature_store/latency": "sub_millisecond", "feature_store/online_store": "dynamodb"}
    [problem] = problems(tmp_path, change, "aws-dev")
    assert "feature_store.online_store" in problem
    assert "valkey" in problem


def test_a_cutoff_below_the_cloud_s_least_is_refused(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, {"lakehouse/query_cutoff_bytes": 1000}, "aws-dev")
    assert "lakehouse.query_cutoff_bytes" in problem


def test_data_that_expires_before_its_legal_hold_is_refused(tmp_path: Path) -> None:
    change = {"lakehouse/legal_hold": {"days": 365}, "lakehouse/zones": {"raw": {"file_days": 30}}}
    reported = problems(tmp_path, change, "aws-prod")
    assert any("zones.raw.file_days" in problem and "legal hold" in problem for problem in reported)


def test_captures_and_batches_run_in_the_network_of_the_environment(tmp_path: Path) -> None:
    capture = {
        "name": "shop",
        "engine": "postgresql",
        "secret": "arn:aws:secretsmanager:us-west-2:111122223333:secret:shop-AbCdEf",
        "tables": ["public.%"],
        "database": "shop",
    }
    batch = {"name": "load", "script": "gs://acme-scripts/load.py"}
    for stack, change in (("aws-dev", {"captures": [capture]}), ("gcp-dev", {"batches": [batch]})):
        [(topic, said)] = change.items()
        settings = load_file(changed(tmp_path, {f"lakehouse/{topic}": said}, stack))
        assert _lakehouse(settings)["network"]["vpc_id"]


def _lakehouse(settings: Settings) -> Any:
    return data_arguments.lakehouse(settings, _below(settings))


def _below(settings: Settings) -> placeholders.Placeholders:
    return placeholders.of(settings, ["usw2-az1", "usw2-az2"])


@pytest.mark.parametrize("stack", STACKS)
def test_names_of_identities_become_principals_of_the_cloud(stack: str) -> None:
    settings = settings_of(stack)
    args = _lakehouse(settings)
    named = [*args["writers"], *(grant["principal"] for grant in args["grants"])]
    begin = "arn:aws:iam::" if stack.startswith("aws") else "serviceAccount:"
    assert all(principal.startswith(begin) for principal in named)


@pytest.mark.parametrize(
    ("profile", "teardown", "expected"),
    [
        ("dev", False, (False, False, True)),
        ("staging", False, (False, False, True)),
        ("prod", False, (True, True, False)),
        ("prod", True, (False, True, False)),
        ("prod", "with_data", (False, False, True)),
    ],
)
def test_data_of_prod_is_protected_and_retained_until_teardown_with_data(
    profile: str, teardown: Any, expected: tuple[bool, bool, bool]
) -> None:
    args = _lakehouse(settings_of(f"aws-{profile}", teardown=teardown))
    assert (args["protect"], args["retain_data"], args["force_destroy"]) == expected


def test_a_torn_down_prod_lifts_the_database_s_own_protection_too() -> None:
    def protection(teardown: bool) -> Any:
        settings = settings_of("aws-prod", teardown=teardown)
        args: Any = data_arguments.model_registry(settings, _below(settings))
        return args["database"]["deletion_protection"]

    assert protection(False) is True
    assert protection(True) is False


def test_an_environment_without_the_topics_has_none_of_it(tmp_path: Path) -> None:
    gone = ("lakehouse", "feature_store", "container_registry", "model_registry")
    file = changed(tmp_path, {}, "aws-dev")
    document = YAML(typ="safe").load(file)
    for topic in gone:
        del document["config"][f"ai-platform:{topic}"]
    with file.open("w") as stream:
        YAML().dump(document, stream)
    settings = load_file(file)
    assert all(getattr(settings, topic) is None for topic in gone), "a profile alone creates none"
    assert "features" not in settings.identities
