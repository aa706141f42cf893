"""A fixed date for the tests of the program: versions of Kubernetes leave support."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from unittest import mock

import pytest


@pytest.fixture(autouse=True)
def _day() -> Iterator[None]:
    with mock.patch("aiplatform.cluster.args.today", return_value=date(2026, 11, 25)):
        yield
