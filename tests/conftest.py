"""For all tests."""

from __future__ import annotations

import gc
import logging
import os
from typing import Any, Final

import hypothesis
import pytest

# How long an example takes says more about what else the machine does than about the example.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")

# A shell that uses a twin has it, and tests state where charts come from.
os.environ.pop("AIPLATFORM_CHARTS", None)

# Importing the SDKs and recording resources make millions of objects that live to the end: looking through
# them again and again is a tenth of the unit tier's time.
gc.disable()

# A program that is refused leaves futures whose error is never retrieved: the test has it already, and
# Python would print each of them with its traceback when the process ends.
logging.getLogger("asyncio").setLevel(logging.CRITICAL)


def pytest_sessionfinish() -> None:
    """pytest and Python look through all of it again and again before they end, to free what goes anyway."""
    gc.freeze()


ENVIRONMENTS: Final = (
    "tests/inventories/test_aws_policies.py",
    "tests/inventories/test_components.py",
    "tests/inventories/test_environments.py",
    "tests/inventories/test_google_grants.py",
    "tests/inventories/test_kubernetes_rules.py",
    "tests/policies/test_environments.py",
    "tests/stacks/test_foundation.py",
    "tests/stacks/test_google_project.py",
    "tests/stacks/test_layer_stacks.py",
    "tests/stacks/test_runner.py",
    "tests/twin/aws/resources/test_second_preview.py",
    "tests/twin/gcp/resources/test_second_preview.py",
)
"""Files whose tests look at the same recordings (`built` of tests/stacks/environments.py, `recorded` of
tests/inventories/variants.py)."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """By file, as --dist loadfile does, but one worker records the environments and not each of them."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return ENVIRONMENTS[0] if file in ENVIRONMENTS else file

    return Scheduling(config, log)
