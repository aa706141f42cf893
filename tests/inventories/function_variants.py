"""The variants of a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.components.aiplatform.function.example import CALLERS, KEYS, NETWORKS, TARGETS, deployed, ingest
from tests.components.recording import Recording


def _recorded(cloud: str, **more: Any) -> Callable[[], Recording]:
    return lambda: deployed(cloud, **more)


FUNCTION: Final[Mapping[str, Callable[[], Recording]]] = {
    **{f"{cloud}-ingest": _recorded(cloud, **ingest(cloud)) for cloud in ("aws", "gcp")},
    **{
        f"{cloud}-http": _recorded(
            cloud,
            http={"callers": [CALLERS[cloud]]},
            network=NETWORKS[cloud],
            alarm_targets=[TARGETS[cloud]],
            traffic={"7": 90, "latest": 10} if cloud == "aws" else {"acme-dev-ingest-00007-abc": 100},
            profile="dev",
        )
        for cloud in ("aws", "gcp")
    },
    "gcp-shared-logs": _recorded(
        "gcp", log_bucket="projects/acme-logs/locations/us-central1/buckets/functions"
    ),
    "aws-brought": _recorded(
        "aws",
        image=None,
        package={
            "bucket": "code",
            "key": "ingest.zip",
            "version": "v1",
            "runtime": "python3.13",
            "handler": "ingest.aws.handle",
        },
        role="arn:aws:iam::111122223333:role/ingest",
        kms_key=KEYS["aws"],
        event={"bucket": "uploads", "prefix": "in/", "suffix": ".json"},
        tracing=False,
    ),
}
