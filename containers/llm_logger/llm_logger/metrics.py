"""Metrics, as Prometheus reads them: the platform reads none of Pods with a name `ai_platform_...`."""

from typing import Final

from prometheus_client import Counter, Gauge

RECORDS: Final = Counter(
    "llm_logger_records",
    "Records by what became of them: stored; dropped, since too many waited; failed, since the bucket did "
    "not take them.",
    ["result"],
)
REQUESTS: Final = Counter(
    "llm_logger_requests",
    "Requests that the gateway has copied: logged; other, of other paths or without an answer of a service; "
    "error, which could not be read.",
    ["result"],
)
WAITING: Final = Gauge("llm_logger_waiting_records", "Records that wait for the bucket.")
for _result in ("stored", "dropped", "failed"):
    RECORDS.labels(_result)
for _result in ("logged", "other", "error"):
    REQUESTS.labels(_result)
