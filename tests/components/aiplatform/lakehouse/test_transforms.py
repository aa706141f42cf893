"""Iceberg's transforms, and the types that they accept."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiplatform.lakehouse import transforms, types
from aiplatform.lakehouse.transforms import Transform
from aiplatform.lakehouse.types import Primitive

NUMBERED = st.builds(Transform, st.sampled_from(["bucket", "truncate"]), st.integers(1, 2**31 - 1))
PLAIN = st.builds(Transform, st.sampled_from(["identity", "year", "month", "day", "hour", "void"]))


@settings(max_examples=60)
@given(st.one_of(NUMBERED, PLAIN))
def test_a_transform_is_parsed_and_printed_unchanged(transform: Transform) -> None:
    assert transforms.parse(str(transform)) == transform


@settings(max_examples=60)
@given(st.sampled_from(types.SIMPLE), st.one_of(NUMBERED, PLAIN))
def test_refusals_name_the_accepted_transforms(name: str, transform: Transform) -> None:
    reason = transform.wrong_for(Primitive(name))
    taken = transforms.SOURCES[transform.name]
    assert (reason is None) == (taken is None or name in taken)
    if reason:
        for fitting in reason.rpartition("expected one of ")[2].split(", "):
            number = 4 if fitting in ("bucket", "truncate") else None
            assert Transform(fitting, number).wrong_for(Primitive(name)) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("days", "did you mean 'day'?"),
        ("hash", "expected one of identity, year, month, day, hour, bucket[N], truncate[W], void"),
        ("bucket", "expected bucket[N], with a number"),
        ("bucket[0]", "with a number of 1 to 2147483647"),
        ("bucket[-1]", "with a number of 1 to"),
        ("bucket[99999999999]", "with a number of 1 to"),
        ("bucket(16)", "expected one of"),
        ("day[1]", "expected day without a number"),
    ],
)
def test_unknown_transforms_are_reported(text: str, reason: str) -> None:
    reported = transforms.transform_rule(text)
    assert reported is not None
    assert reason in reported


@pytest.mark.parametrize(
    ("transform", "source"),
    [
        ("year", "long"),
        ("hour", "date"),
        ("bucket[4]", "double"),
        ("bucket[4]", "boolean"),
        ("truncate[4]", "uuid"),
        ("truncate[4]", "timestamp"),
        ("identity", "list<int>"),
        ("void", "struct<a: int>"),
    ],
)
def test_types_that_a_transform_does_not_accept_are_refused(transform: str, source: str) -> None:
    assert transforms.parse(transform).wrong_for(types.parse(source)) is not None


def test_decimal_and_fixed_are_accepted_by_family() -> None:
    assert transforms.parse("bucket[4]").wrong_for(types.parse("fixed[8]")) is None
    assert transforms.parse("truncate[4]").wrong_for(types.parse("decimal(9,2)")) is None


def test_partitions_have_the_names_of_icebergs_libraries() -> None:
    called = [transforms.parse(text).partition_of("at") for text in ("identity", "day", "bucket[4]")]
    assert called == ["at", "at_day", "at_bucket"]
    assert transforms.parse("truncate[2]").partition_of("a.b") == "a_b_trunc"


def test_redundant_transforms_are_reported() -> None:
    said = [("at", Transform("year")), ("id", Transform("bucket", 4)), ("at", Transform("day"))]
    assert list(transforms.repeated(said)) == [
        (2, "got day of 'at' in addition to year; expected one of the two")
    ]
    buckets = [("id", Transform("bucket", 4)), ("id", Transform("bucket", 8))]
    assert list(transforms.repeated(buckets)) == []
