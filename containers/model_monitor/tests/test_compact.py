"""Log objects become rows, each request once."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from conftest import NOW, TEAM, declared, logged, put

from model_monitor.compact import Compaction, Result
from model_monitor.declaration import Monitor
from model_monitor.errors import RefusedError
from model_monitor.objects import open_folder

ORDER = ["distance", "zone", "rider", "trip_id", "secret"]
LATER = NOW + timedelta(hours=2)


def compaction(bucket: str, names: list[str] | None = ORDER, **more: Any) -> Compaction:
    monitor = Monitor.model_validate(declared(**more))
    return Compaction(monitor, TEAM, open_folder(f"s3://{bucket}/logs", "LOGS_URI"), lambda _: names)


def rows(catalog: Any) -> list[dict[str, Any]]:
    found = catalog.load_table("curated.requests").scan().to_arrow().to_pylist()
    return sorted(found, key=lambda row: (row["request_id"], row["row"]))


def keys(bucket: str) -> list[str]:
    listed = boto3.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
    return [entry["Key"].removeprefix("logs/") for entry in listed]


def asked(identifier: str, *values: Any, **more: Any) -> dict[str, Any]:
    return logged(identifier, {"instances": list(values)}, **more)


def answered(identifier: str, *values: Any, **more: Any) -> dict[str, Any]:
    return logged(identifier, {"predictions": list(values)}, answer=True, **more)


def test_requests_and_answers_become_rows_of_listed_columns(catalog: Any, bucket: str) -> None:
    first, second = [1.5, "north", "ada", 7, "key"], [2, "south", None, 8, "key"]
    put(bucket, "a", [asked("a", first, second), answered("a", 10, 11), asked("b", first)])
    put(bucket, "c", [answered("b", 12)])
    result = compaction(bucket).run(LATER)
    assert result == Result(rows=3)
    stored = rows(catalog)
    assert [(row["request_id"], row["row"], row["fare"]) for row in stored] == [
        ("a", 0, 10),
        ("a", 1, 11),
        ("b", 0, 12),
    ], "an answer is joined from a later object"
    assert stored[0] == {
        "request_id": "a",
        "row": 0,
        "time": NOW.replace(microsecond=123456),
        "version": "1",
        "inference_service": "fares-blue",
        "object": f"{TEAM}/fares-blue/predictor/requests/a-request.json",
        "problem": None,
        "distance": 1.5,
        "zone": "north",
        "rider": "ada",
        "trip_id": 7,
        "fare": 10,
    }
    assert keys(bucket) == [], "an object is deleted after the commit of its rows"


def test_object_is_read_once_its_answers_had_their_time(catalog: Any, bucket: str) -> None:
    put(bucket, "a", [asked("a", [1, "north", None, 7, ""])])
    assert compaction(bucket).run(NOW + timedelta(minutes=5)) == Result(waiting=1)
    assert rows(catalog) == []
    result = compaction(bucket).run(LATER)
    assert result.problems == {"no_answer": 1}
    assert rows(catalog)[0]["distance"] == 1, "its inputs are compared"


class Killed(BaseException):
    """The end of a process."""


def test_run_that_is_killed_before_it_deletes_counts_no_request_twice(
    catalog: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(bucket, "a", [asked("a", [1, "north", None, 7, ""]), answered("a", 10)])
    put(bucket, "b", [answered("late", 1)])
    killed = compaction(bucket)
    with monkeypatch.context() as patch:

        def kill(_: Any, __: Any) -> None:
            raise Killed

        patch.setattr(type(killed._folder), "delete", kill)
        with pytest.raises(Killed):
            killed.run(LATER)
    assert len(rows(catalog)) == 2
    put(bucket, "c", [asked("c", [1, "north", None, 7, ""]), answered("c", 10)])
    assert compaction(bucket).run(LATER) == Result(rows=1)
    assert [row["request_id"] for row in rows(catalog)] == ["a", "c", "late"]
    assert keys(bucket) == []


def test_two_runs_at_the_same_time_count_no_request_twice(
    catalog: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second run commits between the first one's look at the table and its commit."""
    put(bucket, "a", [asked("a", [1, "north", None, 7, ""]), answered("a", 10)])
    first, second = compaction(bucket), compaction(bucket)
    real, others = Compaction._stored, [second]

    def interrupted(self: Compaction, *arguments: Any) -> Any:
        known = real(self, *arguments)
        if self is first and others:
            assert others.pop().run(LATER).rows == 1
        return known

    monkeypatch.setattr(Compaction, "_stored", interrupted)
    result = first.run(LATER)
    assert len(rows(catalog)) == 1
    assert result.rows == 0, "it determined its rows again, and found them stored"


def test_every_problem_is_counted_and_a_row(catalog: Any, bucket: str) -> None:
    good = [1, "north", None, 7, ""]
    put(
        bucket,
        "a",
        [
            logged("a-text", b"text"),
            asked("b-width", [1]),
            asked("c-version", good, version=None),
            asked("d-bad", good),
            answered("d-bad", 1, 2),
            answered("e-alone", 1),
            asked("f-type", ["far", "north", None, 7, ""]),
            answered("f-type", 3),
        ],
    )
    boto3.client("s3").put_object(
        Bucket=bucket, Key=f"logs/{TEAM}/fares-green/predictor/requests/x-request.json", Body=b"{"
    )
    result = compaction(bucket).run(LATER)
    expected = ("not_json", "wrong_width", "no_version", "bad_answer", "no_request", "unreadable")
    assert result.problems == dict.fromkeys(expected, 1)
    assert (result.rows, result.mistyped) == (1, 1), "a value of another type is missing"
    problems = {row["request_id"]: row["problem"] for row in rows(catalog)}
    assert problems.pop("f-type") is None
    assert sorted(problems.values()) == sorted(expected)
    assert keys(bucket) == [f"{TEAM}/fares-green/predictor/requests/x-request.json"], "it stays, to be read"
    again = compaction(bucket).run(LATER)
    assert again == Result(), "and is counted once"


def test_answer_that_is_late_is_counted_once(catalog: Any, bucket: str) -> None:
    put(bucket, "a", [asked("a", [1, "north", None, 7, ""])])
    compaction(bucket).run(LATER)
    put(bucket, "b", [answered("a", 1)])
    assert compaction(bucket).run(LATER).problems == {"late_answer": 1}


def test_order_without_a_signature_is_that_of_the_declaration(catalog: Any, bucket: str) -> None:
    put(bucket, "a", [asked("a", [7, 1, "north", "ada"]), answered("a", 10)])
    order = ["trip_id", "distance", "zone", "rider"]
    assert compaction(bucket, None, input_order=order).run(LATER).rows == 1
    assert rows(catalog)[0]["distance"] == 1
    put(bucket, "b", [asked("b", [7, 1, "north", "ada"])])
    assert compaction(bucket, None).run(LATER).problems == {"no_signature": 1}


def test_objects_are_stored_in_parts_that_join_across_them(
    catalog: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from model_monitor import compact

    monkeypatch.setattr(compact, "CHUNK_OBJECTS", 1)
    for number in range(3):
        put(bucket, f"{number}a", [asked(f"{number}", [1, "north", None, 7, ""])])
        put(bucket, f"{number}b", [answered(f"{number}", number)])
    assert compaction(bucket).run(LATER) == Result(rows=3)
    assert [row["fare"] for row in rows(catalog)] == [0, 1, 2]
    assert len(catalog.load_table("curated.requests").metadata.snapshots) == 1, "one commit of all parts"


def test_commits_are_limited_in_size(catalog: Any, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from model_monitor import compact

    monkeypatch.setattr(compact, "CHUNK_OBJECTS", 1)
    monkeypatch.setattr(compact, "COMMIT", 1)
    for number in range(3):
        put(bucket, f"{number}", [asked(f"{number}", [1, "north", None, 7, ""]), answered(f"{number}", 1)])
    assert compaction(bucket).run(LATER) == Result(rows=3)
    assert len(catalog.load_table("curated.requests").metadata.snapshots) == 3
    assert keys(bucket) == []


def test_object_is_read_at_most_twice_however_many_requests_lack_answers(
    catalog: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that answers with errors: their answers are never logged."""
    from model_monitor import answers, compact

    monkeypatch.setattr(compact, "CHUNK_OBJECTS", 1)
    monkeypatch.setattr(answers, "AHEAD", 2)
    for number in range(8):
        lost = asked(f"lost{number}", [1, "north", None, 7, ""])
        put(bucket, f"{number}", [asked(f"{number}", [1, "north", None, 7, ""]), lost])
        put(bucket, f"{number}answer", [answered(f"{number}", number), answered(f"early{number}", 1)])
    run = compaction(bucket)
    read: list[str] = []
    real = run._folder.read

    def counted(key: str) -> bytes | None:
        read.append(key)
        return real(key)

    monkeypatch.setattr(run._folder, "read", counted)
    result = run.run(LATER)
    assert (result.rows, result.problems) == (8, {"no_answer": 8, "no_request": 8})
    assert max(read.count(key) for key in set(read)) <= 2
    assert {row["fare"] for row in rows(catalog) if row["problem"] is None} == set(range(8))


def test_answers_ahead_are_not_read_where_none_lacks(
    catalog: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from model_monitor import compact

    monkeypatch.setattr(compact, "CHUNK_OBJECTS", 1)
    for number in range(3):
        put(bucket, f"{number}", [asked(f"{number}", [1, "north", None, 7, ""]), answered(f"{number}", 1)])
    run = compaction(bucket)
    read: list[str] = []
    real = run._folder.read
    monkeypatch.setattr(run._folder, "read", lambda key: (read.append(key), real(key))[1])
    assert run.run(LATER) == Result(rows=3)
    assert len(read) == len(set(read)) == 3


def test_copy_of_a_request_has_the_answer_of_its_version(catalog: Any, bucket: str) -> None:
    """A route mirrors requests to the next version: a client's id is then in the records of both."""
    good = [1, "north", None, 7, ""]
    put(bucket, "a", [asked("x", good), asked("y", good)])
    put(bucket, "b", [asked("x", good, version="2"), answered("x", 20), answered("y", 30)], "fares-green")
    put(bucket, "c", [answered("x", 10), answered("y", 11)])
    result = compaction(bucket).run(LATER)
    assert (result.rows, result.problems) == (3, {"no_request": 1})
    stored = {(row["inference_service"], row["request_id"]): row["fare"] for row in rows(catalog)}
    assert stored == {
        ("fares-blue", "x"): 10,
        ("fares-blue", "y"): 11,
        ("fares-green", "x"): 20,
        ("fares-green", "y"): None,
    }


def test_late_answer_of_the_same_run_is_one(
    catalog: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from model_monitor import compact

    monkeypatch.setattr(compact, "CHUNK_OBJECTS", 1)
    put(bucket, "a", [asked("a", [1, "north", None, 7, ""])])
    put(bucket, "b", [answered("a", 1)])
    run = compaction(bucket)
    real = run._folder.entries

    def apart(prefix: str) -> Any:
        listed = sorted(real(prefix), key=lambda entry: entry.key)
        return [
            dataclasses.replace(entry, modified=entry.modified + timedelta(minutes=20 * at))
            for at, entry in enumerate(listed)
        ]

    monkeypatch.setattr(run._folder, "entries", apart)
    assert run.run(LATER).problems == {"no_answer": 1, "late_answer": 1}


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"requests_table": "curated.none"}, "expected a table of the lakehouse"),
        ({"requests_table": "curated.trips"}, "no column request_id, row, time"),
        ({"keys": ["order_id"]}, "no column order_id"),
        ({"columns": [{"name": "zone", "type": "number"}]}, "column zone is .*string; expected another type"),
    ],
)
def test_table_of_another_form_is_refused(catalog: Any, bucket: str, more: Any, error: str) -> None:
    with pytest.raises(RefusedError, match=error):
        compaction(bucket, **more)


def test_bodies_stay_out_of_the_table(catalog: Any, bucket: str) -> None:
    put(bucket, "a", [asked("a", [1, "north", None, 7, "topsecret"]), answered("a", 10)])
    compaction(bucket).run(LATER)
    assert "topsecret" not in json.dumps(rows(catalog), default=str)
    assert isinstance(rows(catalog)[0]["time"], datetime)
