"""Metrics, as Prometheus reads them."""

from typing import Final

from prometheus_client import Counter, Gauge

RECORDS: Final = Counter(
    "ai_platform_llm_logger_records",
    "Records by what became of them: stored; dropped, since too many waited; failed, since the bucket did not "
    "take them.",
    ["result"],
)
REQUESTS: Final = Counter(
    "ai_platform_llm_logger_requests",
    "Requests that the gateway has copied: logged; other, of other paths or without an answer of a service; "
    "error, which could not be read.",
    ["result"],
)
WAITING: Final = Gauge("ai_platform_llm_logger_waiting_records", "Records that wait for the bucket.")
for _result in ("stored", "dropped", "failed"):
    RECORDS.labels(_result)
for _result in ("logged", "other", "error"):
    REQUESTS.labels(_result)
