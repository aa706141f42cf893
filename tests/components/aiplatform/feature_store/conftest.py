"""Feature stores on AWS that several modules test."""

from __future__ import annotations

import pytest

from tests.components.aiplatform.feature_store.example import NETWORK, ROLE, aws
from tests.components.recording import Recording


@pytest.fixture(scope="module")
def recording() -> Recording:
    """One with everybody in it."""
    return aws(
        appliers=[f"{ROLE}data-scientists"],
        readers=[f"{ROLE}teams/training"],
        backup_days=35,
        protect=True,
        server={"clients": ["shop"]},
    )


@pytest.fixture(scope="module")
def valkey() -> Recording:
    """One that answers in less than a millisecond."""
    return aws(latency="sub_millisecond", network=NETWORK, expire_days=3, backup_days=5)
