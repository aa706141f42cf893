"""Log buckets that tests share."""

from __future__ import annotations

from typing import Any

from aiplatform.log_bucket import LogBucket
from tests.components.recording import Recording, record


def arguments(**more: Any) -> Any:
    """Return arguments of a log bucket. more: further ones."""
    return {
        "prefix": "acme-dev",
        "cloud": "gcp",
        "project": "acme-dev-0123",
        "region": "us-central1",
        **more,
    }


def shared_logs(**more: Any) -> Recording:
    """Return what a log bucket registers."""
    return record(lambda: LogBucket("logs", arguments(**more)))
