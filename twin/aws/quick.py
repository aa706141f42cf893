"""What makes the front start sooner. Nothing here changes what AWS answers.

Measured: 1.6 s of CPU for an empty world without it, 0.8 s with it.
"""

from __future__ import annotations

import gzip
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

_PREFIX: Final = re.compile(rb'"endpointPrefix"\s*:\s*"([^"]+)"')


@contextmanager
def without_pytest() -> Iterator[None]:
    """Within, an import does not find pytest, unless a test has it: time_machine would load it all."""
    absent = "pytest" not in sys.modules
    if absent:
        sys.modules["pytest"] = None  # type: ignore[assignment]  # pyright: ignore[reportArgumentType]
    try:
        yield
    finally:
        if absent:
            del sys.modules["pytest"]


def regions() -> None:
    """botocore parses a service's whole model to learn one word of it, and its endpoints for each session."""
    import botocore.session

    session: Any = botocore.session.Session
    if not hasattr(session, "twin_get_available_regions"):
        session.twin_get_available_regions = session.get_available_regions
        session.get_available_regions = _available_regions


def ids() -> None:
    """EC2 ids by one draw in place of one for each digit: an account has thousands from the beginning."""
    from moto.ec2 import utils
    from moto.moto_api._internal import mock_random

    def random_resource_id(size: int = 8) -> str:
        return f"{mock_random.getrandbits(4 * size):0{size}x}"

    utils.random_resource_id = random_resource_id


def _available_regions(
    self: Any, service_name: str, partition_name: str = "aws", allow_non_regional: bool = False
) -> list[str]:
    prefix = _endpoint_prefix(service_name)
    if prefix is None:
        return self.twin_get_available_regions(service_name, partition_name, allow_non_regional)
    found = _resolver().get_available_endpoints(prefix, partition_name, allow_non_regional)
    return list(found)


@cache
def _resolver() -> Any:
    from botocore.regions import EndpointResolver

    from twin.aws.model import loader

    return EndpointResolver(loader().load_data("endpoints"))


@cache
def _endpoint_prefix(service: str) -> str | None:
    # A model begins with its metadata. None: not found in that way.
    from twin.aws.model import loader

    for folder in loader().search_paths:
        versions = sorted(Path(folder, service).glob("*/service-2.json*"))
        if versions:
            opened = gzip.open if versions[-1].suffix == ".gz" else open
            with opened(versions[-1], "rb") as file:
                match = _PREFIX.search(file.read(65536))
            return match[1].decode() if match else None
    return None
