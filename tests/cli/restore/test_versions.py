"""Which objects differ from those at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cli.restore.versions import Change, Version, changes

START = datetime(2026, 11, 29, tzinfo=UTC)


def hour(number: int) -> datetime:
    return START + timedelta(hours=number)


def test_object_that_was_overwritten_gets_its_former_version() -> None:
    first, second = Version("a", "1", hour(1)), Version("a", "2", hour(3), live=True)
    assert list(changes([second, first], hour(2))) == [Change("restore", first)]


def test_object_that_was_deleted_comes_back_on_both_clouds() -> None:
    s3 = [Version("a", "1", hour(1)), Version("a", "m", hour(3), deleted=True, live=True)]
    gcs = [Version("b", "1", hour(1), ended=hour(3))]
    assert [change.version.id for change in changes([*s3, *gcs], hour(2))] == ["1", "1"]


def test_object_that_was_deleted_at_that_time_stays_deleted() -> None:
    s3 = [Version("a", "1", hour(1)), Version("a", "m", hour(2), deleted=True, live=True)]
    gcs = [Version("b", "1", hour(1), ended=hour(2))]
    assert list(changes([*s3, *gcs], hour(2))) == []


def test_object_that_is_newer_or_came_back_is_deleted() -> None:
    newer = Version("a", "1", hour(3), live=True)
    back = [Version("b", "1", hour(0), ended=hour(1)), Version("b", "2", hour(3), live=True)]
    assert list(changes([newer, *back], hour(2))) == [Change("delete", newer), Change("delete", back[1])]


@pytest.mark.parametrize("at", [1, 2])
def test_object_that_has_not_changed_since_is_left_alone(at: int) -> None:
    assert list(changes([Version("a", "1", hour(1), live=True)], hour(at))) == []


def test_restoration_can_be_restored() -> None:
    versions = [Version("a", "1", hour(1)), Version("a", "2", hour(2)), Version("a", "3", hour(4), live=True)]
    (change,) = changes(versions, hour(3))
    assert change.version.id == "2", "what was there before version 1 was restored as version 3"


def test_copy_with_the_same_content_is_not_restored_again() -> None:
    wanted = Version("a", "1", hour(1), 4, checksum="x")
    copied = Version("a", "2", hour(3), 4, checksum="x", live=True)
    other = Version("a", "2", hour(3), 5, checksum="x", live=True)
    assert list(changes([wanted, copied], hour(2))) == []
    assert list(changes([wanted, other], hour(2))) == [Change("restore", wanted)]
