"""Records become objects that the Jobs of monitors read; what the bucket does not take is counted."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from prometheus_client import REGISTRY

from llm_logger.batches import Batches
from llm_logger.configuration import Logged
from llm_logger.exchange import Record
from llm_logger.versions import SECONDS, Versions
from tests.conftest import Bucket

TIME = datetime(2026, 11, 29, 8, 0, 0, 123456, UTC)


def _record(number: int = 0, service: str = "chat-blue") -> Record:
    return Record(f"request-{number}", service, TIME, {"status": "200", "latency_ms": number})


def _count(result: str) -> float:
    return REGISTRY.get_sample_value("llm_logger_records_total", {"result": result}) or 0


def _batches(logged: Logged, bucket: Bucket, **options: int) -> Batches:
    versions = Versions({"chat-blue": "7", "chat-green": "8"}.get)
    return Batches(logged, "search", bucket, versions, pause=0, **options)


async def test_full_batch_is_an_object_of_its_service(logged: Logged, bucket: Bucket) -> None:
    batches = _batches(logged, bucket)
    for number in range(4):
        batches.add(_record(number))
    batches.add(_record(9, "chat-green"))
    await batches.store(only_due=True)
    [key] = bucket.objects
    assert key.startswith("search/chat-blue/gateway/requests/")
    assert key.endswith("-request.json")
    assert [record["id"] for record in bucket.records()] == ["request-0", "request-1", "request-2"]
    await batches.end()
    assert len(bucket.objects) == 3
    assert {record["annotations"]["ai-platform/release"] for record in bucket.records()} == {"7", "8"}


async def test_batch_that_is_not_full_is_stored_after_its_seconds(logged: Logged, bucket: Bucket) -> None:
    now = 0.0
    batches = Batches(logged, "search", bucket, Versions(lambda name: "7"), pause=0, clock=lambda: now)
    batches.add(_record())
    await batches.store(only_due=True)
    assert not bucket.objects
    now = 10.0
    await batches.store(only_due=True)
    assert len(bucket.objects) == 1


async def test_record_has_the_form_of_kserve(logged: Logged, bucket: Bucket) -> None:
    batches = _batches(logged, bucket)
    batches.add(_record(5))
    await batches.end()
    [record] = bucket.records()
    del record["bytes"]
    assert record == {
        "id": "request-5",
        "reqType": "org.kubeflow.serving.inference.request",
        "contentType": "application/json",
        "inferenceService": "chat-blue",
        "annotations": {"ai-platform/release": "7"},
        "occurrenceTime": "2026-11-29T08:00:00.123456Z",
        "values": {"status": "200", "latency_ms": 5},
    }


async def test_header_that_is_no_id_is_replaced(logged: Logged, bucket: Bucket) -> None:
    batches = _batches(logged, bucket)
    for stated in ("", "../x", "a b c d e f g", "x" * 65):
        batches.add(Record(stated, "chat-blue", TIME, {}))
    await batches.end()
    ids = [record["id"] for record in bucket.records()]
    assert len(set(ids)) == 4
    assert all(len(identifier) == 36 for identifier in ids)


async def test_write_that_fails_is_repeated(logged: Logged, bucket: Bucket) -> None:
    batches, stored = _batches(logged, bucket), _count("stored")
    bucket.failures = 2
    batches.add(_record())
    await batches.end()
    assert len(bucket.records()) == 1
    assert _count("stored") == stored + 1


async def test_bucket_that_takes_nothing_costs_records_and_they_are_counted(
    logged: Logged, bucket: Bucket
) -> None:
    batches, failed, dropped = _batches(logged, bucket, waiting=5), _count("failed"), _count("dropped")
    bucket.failures = 1000
    for number in range(8):
        batches.add(_record(number))
    assert _count("dropped") == dropped + 3
    await batches.end()
    assert _count("failed") == failed + 5
    assert REGISTRY.get_sample_value("llm_logger_waiting_records") == 0
    bucket.failures = 0
    batches.add(_record())
    await batches.store()
    assert len(bucket.records()) == 1, "there is room again"


async def test_run_stores_a_full_batch_at_once(logged: Logged, bucket: Bucket) -> None:
    batches = Batches(logged, "search", bucket, Versions(lambda name: "7"))
    task = asyncio.create_task(batches.run())
    for number in range(3):
        batches.add(_record(number))
    for _ in range(100):
        if bucket.objects:
            break
        await asyncio.sleep(0.02)
    assert len(bucket.records()) == 3
    await batches.end()
    await asyncio.wait_for(task, 5)


async def test_version_that_is_deleted_or_not_read_is_the_last_known_one() -> None:
    now, answers = 0.0, {"chat-blue": "7"}

    def read(name: str) -> str | None:
        if name == "broken":
            raise OSError("no route")
        return answers.get(name)

    versions = Versions(read, lambda: now)
    assert await versions.of("chat-blue") == "7"
    answers["chat-blue"] = "8"
    assert await versions.of("chat-blue") == "7"
    now += SECONDS
    assert await versions.of("chat-blue") == "8"
    answers.clear()
    now += SECONDS
    assert await versions.of("chat-blue") == "8"
    assert await versions.of("broken") is None
