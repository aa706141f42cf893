"""Resources of the engine's events."""

from __future__ import annotations

import json

import pytest

from cli.estimate.resources import UNKNOWN, Resources, read
from cli.output import CommandError
from tests.cli.estimate.samples import SUMMARY, event, resource

KEY = resource("aws:kms/key:Key")


def test_unchanged_and_new_resources_are_read_and_deleted_ones_are_not() -> None:
    other = resource("aws:kms/key:Key", "other")
    gone = resource("aws:kms/key:Key", "gone")
    lines = [event(KEY), event(other, "same"), event(gone, "delete"), SUMMARY]
    assert [entry.name for entry in read(lines)] == ["one", "other"]


def test_replaced_resource_counts_once() -> None:
    assert len(read([event(KEY, "create-replacement"), event(KEY, "replace"), SUMMARY])) == 1


def test_incomplete_stream_is_refused() -> None:
    with pytest.raises(CommandError, match="incomplete"):
        read([event(KEY)])


def test_failed_preview_is_refused() -> None:
    failure = json.dumps({"diagnosticEvent": {"severity": "error", "message": "no credentials"}})
    with pytest.raises(CommandError, match="no credentials"):
        read([event(KEY), failure, SUMMARY])


def test_component_is_the_outermost() -> None:
    pool = resource("aiplatform:index:GpuPool", "t4")
    inner = resource("aiplatform:index:ComputeClass", "t4-class", pool.urn)
    key = resource("aws:kms/key:Key", "k", inner.urn)
    resources = Resources([pool, inner, key])
    assert resources.component(key) == "GpuPool t4"
    assert resources.component(KEY) == "stack"


def test_team_is_that_of_a_tag_a_label_or_the_namespace() -> None:
    label = {"ai-platform/team": "search"}
    namespace = resource("kubernetes:core/v1:Namespace", metadata={"name": "s", "labels": label})
    claim = resource("kubernetes:core/v1:PersistentVolumeClaim", metadata={"namespace": "s"})
    tagged = resource("aws:s3/bucket:Bucket", tags={"team": "ads"})
    resources = Resources([namespace, claim, tagged])
    assert [resources.team(entry) for entry in (namespace, claim, tagged, KEY)] == [
        "search",
        "search",
        "ads",
        None,
    ]


def test_value_that_is_unknown_until_up_is_missing() -> None:
    assert resource("t", tags=UNKNOWN).get("tags", "none") == "none"
