"""`environment.kms_key_grants`: the default of every topic that takes a key of Google Cloud."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from stacks.loading import load_file
from tests.components.test_existing_keys import GRANT, crypto_key
from tests.stacks import test_cost, test_functions, test_model_monitor, test_workflows
from tests.stacks.environments import build
from tests.stacks.test_google_files import changed, problems

STACK: Final = "gcp-prod"
KEY: Final = crypto_key("us-central1")
GRANTS: Final = "environment/kms_key_grants"
COMMON: Final = (
    "network/kms_key",
    "cluster/kms_key",
    "cluster/volumes_kms_key",
    "container_registry/kms_key",
    "lakehouse/kms_key",
    "model_registry/kms_key",
    "model_store/kms_key",
    "observability/logs/kms_key",
)
"""Keys that name a key of Google Cloud, of topics that every environment of production has."""
OTHERS: Final[Mapping[str, tuple[dict[str, Any], tuple[str, ...]]]] = {
    "models": (
        test_model_monitor.topic(STACK),
        ("continuous_training/kms_key", "model_monitor/kms_key", "pipelines/kms_key"),
    ),
    "functions": (
        {
            **test_functions.topic(STACK),
            **test_workflows.topic("gcp"),
            **test_cost.topic("gcp"),
        },
        (
            "cost/kms_key",
            "feature_store/kms_key",
            "functions/score/kms_key",
            "functions/ingest/kms_key",
            "workflows/scoring/kms_key",
        ),
    ),
}
"""Further topics, and their keys."""


@pytest.mark.parametrize("topics", OTHERS)
def test_owners_of_keys_grant_their_use_in_a_whole_environment(tmp_path: Path, topics: str) -> None:
    change, arguments = OTHERS[topics]
    keys = dict.fromkeys([*COMMON, *arguments], KEY)
    recording = build(load_file(changed(tmp_path, {**change, **keys, GRANTS: False}, STACK))).recording
    assert [grant.name for grant in recording.all(GRANT)] == []
    assert recording.all("gcp:kms/cryptoKey:CryptoKey") == [], "the file names every key"


def test_a_topic_may_differ_from_the_environment(tmp_path: Path) -> None:
    change = {"network/kms_key": KEY, "cluster/kms_key": KEY, GRANTS: False, "network/kms_key_grants": True}
    recording = build(load_file(changed(tmp_path, change, "gcp-dev"))).recording
    assert [grant.name for grant in recording.all(GRANT) if grant.inputs["cryptoKeyId"] == KEY] == [
        "network-logs-key"
    ]


def test_keys_that_components_create_are_granted_in_any_case(tmp_path: Path) -> None:
    change = {"network/kms_key": KEY, GRANTS: False}
    recording = build(load_file(changed(tmp_path, change, "gcp-dev"))).recording
    assert len(recording.all(GRANT)) > 5, "the other components create keys"
    assert all(grant.inputs["cryptoKeyId"] != KEY for grant in recording.all(GRANT))


@pytest.mark.parametrize(
    ("stack", "change", "reason"),
    [
        ("aws-dev", {}, "got false, which AWS does not support: a key's policy is one document"),
        ("gcp-dev", {}, "got false, and no topic names a key that exists; expected one"),
    ],
)
def test_false_without_effect_is_refused(
    tmp_path: Path, stack: str, change: dict[str, Any], reason: str
) -> None:
    (problem,) = problems(tmp_path, {**change, GRANTS: False}, stack)
    assert f": environment.kms_key_grants: {reason}" in problem


def test_a_topic_without_a_key_refuses_it(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, {"cluster/kms_key_grants": False}, "gcp-dev")
    assert ": cluster.kms_key_grants: got false, without effect" in problem
