"""Buckets of a cloud, as arguments name them."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi import Input

from aiplatform._shared.args import Problem, Rule, matches, obeys
from aiplatform._shared.cloud_support import Cloud

BUCKET: Final[Mapping[Cloud, Rule]] = {
    cloud: matches(
        r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]" if cloud == "gcp" else r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
        "a bucket's name, without s3:// or gs://",
    )
    for cloud in ("aws", "gcp")
}
"""Cloud -> the rule for the name of a bucket there."""


def bucket_problems(path: str, bucket: Input[str] | None, cloud: Cloud) -> Iterator[Problem]:
    """Yield the problem of an argument that may name an existing bucket."""
    if bucket is not None:
        yield from obeys(path, bucket, BUCKET[cloud])
