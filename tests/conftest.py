"""For all tests."""

from __future__ import annotations

import collections
import gc
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import hypothesis
import pytest

from tests import workers

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
    "tests/cli/estimate/test_hand_calculation.py",
    "tests/cli/estimate/test_steps.py",
    "tests/generating/test_isolation.py",
    "tests/inventories/test_components.py",
    "tests/inventories/test_environments.py",
    "tests/inventories/test_google_grants.py",
    "tests/inventories/test_kubernetes_rules.py",
    "tests/policies/test_environments.py",
    "tests/releases/test_releases.py",
    "tests/stacks/test_foundation.py",
    "tests/stacks/test_google_project.py",
    "tests/stacks/test_gpu_checks.py",
    "tests/stacks/test_guardrails.py",
    "tests/stacks/test_image_list.py",
    "tests/stacks/test_karpenter.py",
    "tests/stacks/test_layer_stacks.py",
    "tests/stacks/test_queues.py",
    "tests/stacks/test_runner.py",
    "tests/stacks/test_training.py",
    "tests/test_generated.py",
    "tests/twin/test_second_preview_aws.py",
    "tests/twin/test_second_preview_gcp.py",
)
"""Files whose tests look at the same recordings (`built` of tests/stacks/environments.py, `recorded` of
tests/inventories/variants.py), or of two teams. Outside the group the other worker records them again."""


PLUGIN: Final = (
    "tests/components/test_data_output_arguments.py",
    "tests/components/test_plugin.py",
    "tests/components/test_unknown_inputs.py",
)
"""Files whose tests use the components' plugin, a process whose start takes seconds of CPU."""
TOGETHER: Final = {file: group[0] for group in (ENVIRONMENTS, PLUGIN) for file in group}
"""File -> the first file of its group. One worker runs a group."""

LONGEST: Final = (
    # The unit tier: a group of files starts with its first one.
    "tests/inventories/test_aws_policies.py",
    "tests/examples/test_recommender.py",
    "tests/components/test_data_output_arguments.py",
    # The end-to-end tests.
    "tests/end_to_end/test_whole_environments.py",
    "tests/end_to_end/test_recommender.py",
    "tests/end_to_end/test_recommender_pods.py",
    "tests/end_to_end/test_mlflow.py",
    "tests/end_to_end/test_aws_dev.py",
    "tests/end_to_end/test_languages.py",
    "tests/end_to_end/test_layer_stacks.py",
    "tests/end_to_end/test_gcp_prod.py",
    "tests/end_to_end/test_feast.py",
    "tests/end_to_end/test_crash.py",
    "tests/end_to_end/test_aws_prod.py",
    "tests/end_to_end/test_gcp_dev.py",
    "tests/end_to_end/test_gcp_crash.py",
    "tests/end_to_end/test_sweep.py",
    "tests/end_to_end/test_wheel.py",
    "tests/end_to_end/test_interrupted_commands.py",
    "tests/end_to_end/test_preflight.py",
    "tests/end_to_end/test_replacement.py",
    "tests/end_to_end/test_resource_cases.py",
    "tests/end_to_end/test_new_environment.py",
    "tests/end_to_end/test_upgrades.py",
    "tests/end_to_end/test_provider_engine.py",
    "tests/end_to_end/test_state_recovery.py",
    "tests/end_to_end/test_gcp_lakehouse.py",
    "tests/end_to_end/test_copies.py",
    "tests/end_to_end/test_recommender_objects.py",
)
"""Files that take longest, the longest of each tier first. A worker that starts one of them last would run on
for minutes while the others have ended."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the longest files first, and then those with most tests."""
    sizes = collections.Counter(map(_file, items))
    ranks = {file: rank for rank, file in enumerate(LONGEST)}
    # Stable: the tests of a file stay in their order.
    items.sort(key=lambda item: (ranks.get(_file(item), len(ranks)), -sizes[_file(item)], _file(item)))


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """By file, as --dist loadfile does, but files of a group are run by one worker."""
    if config.getvalue("dist") != "loadfile":
        return None
    # Its own order is by the number of tests alone.
    config.option.loadscopereorder = False
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return TOGETHER.get(file, file)

    return Scheduling(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """For `-n auto`, which the end-to-end tests have."""
    return workers.of_this_machine()


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """AIPLATFORM_HOME of a run of tests that use twins: the user's are not touched."""
    folder = tmp_path_factory.mktemp("twins")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIPLATFORM_HOME", str(folder))
        yield folder
