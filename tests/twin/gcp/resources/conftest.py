"""A configured provider on a front of the test's own."""

from __future__ import annotations

import pytest

from tests.twin.gcp.resources import life
from twin.gcp.context import GcpContext
from twin.gcp.front import Front


@pytest.fixture
def gcp(google: Front) -> GcpContext:
    """A provider with one default label, services enabled."""
    return life.context(google)
