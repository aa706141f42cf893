"""The day on which these tests are run: versions of Kubernetes go out of support."""

from collections.abc import Iterator
from datetime import date
from unittest import mock

import pytest


@pytest.fixture(scope="package", autouse=True)
def _a_day_with_135_in_support() -> Iterator[None]:  # pyright: ignore[reportUnusedFunction]
    with mock.patch("aiplatform.cluster.args.today", return_value=date(2026, 11, 25)):
        yield
