"""The story of examples/recommender, with programs of its services and of containers/ as processes. A step
whose result is not what the story states ends it with an error; the tests look at what it leaves."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.images.revision import revision_of
from examples.recommender.demo.__main__ import METRIC, Demo
from examples.recommender.demo.programs import ROOT, SERVICES, Programs, emptied
from examples.recommender.demo.story import DAYS, REGISTERED, Story, today

# The packages of eight programs are installed the first time.
pytestmark = [pytest.mark.end_to_end, pytest.mark.nightly, pytest.mark.timeout(3600)]


@dataclass
class Ended:
    """The demo after its last step. text: of its report."""

    demo: Demo
    text: str

    @property
    def home(self) -> Path:
        """The folder of the stores."""
        return self.demo.story.home


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    """The demo of 50,000 clicks."""
    programs = Programs(emptied(tmp_path_factory.mktemp("stores") / "demo"))
    for name in SERVICES:
        programs.sync(name)
    story = Story(programs, today(DAYS + 2), revision_of(ROOT).commit)
    demo, begin = Demo(story), time.monotonic()
    try:
        demo.run()
        yield Ended(demo, demo.finish(time.monotonic() - begin).read_text())
    finally:
        story.close()


def test_the_version_after_the_drift_is_the_champion_and_the_worse_one_is_not(ended: Ended) -> None:
    first, second, third = ended.demo.versions.values()
    assert [version["better"] for version in (first, second, third)] == [True, True, False]
    assert ended.demo.story.stores("champion", REGISTERED)["version"] == second["version"]
    tags = third["tags"]
    assert "is not better than" in tags["ai-platform.evaluation.result"], "with the reason"
    name = f"ai-platform.evaluation.champion.{METRIC}"
    assert float(tags[name]) > float(tags[name.replace("champion", "candidate")])


def test_every_version_states_another_snapshot_than_the_first_one_and_the_commit(ended: Ended) -> None:
    versions = list(ended.demo.versions.values())
    snapshots = [json.dumps(version["tags"]["ai-platform.snapshots"]) for version in versions]
    assert snapshots[0] != snapshots[1], "the second one has read the shifted day"
    assert snapshots[1] == snapshots[2], "the same data, fewer factors"
    commits = {version["tags"]["ai-platform.code_commit"] for version in versions}
    assert commits == {revision_of(ROOT).commit}


def test_the_report_has_every_part_and_the_files_that_it_refers_to(ended: Ended) -> None:
    titles = re.findall("<h2>(.*?)</h2>", ended.text)
    assert titles == [
        "What was checked",
        "Data",
        "Versions",
        "Quality of what was recommended",
        "Requests before the shift",
        "Requests after the shift",
        "Canary",
        "From a prediction back to its data and code",
        "What it costs in a cloud",
    ]
    files = re.findall('<iframe src="(.*?)"', ended.text)
    assert len(files) == 2, "a report of drift before the shift, and one after it"
    for name in files:
        assert "<html" in (ended.home / name).read_text()[:2000].lower()
    champion = list(ended.demo.versions.values())[1]
    for value in (champion["run"], f"version {champion['version']}", revision_of(ROOT).commit):
        assert value in ended.text, "the way from the prediction back"


def test_the_champion_alone_is_served(ended: Ended) -> None:
    assert set(ended.demo.story.programs.running) == {"cloud", "green", "feature-server", "serving"}, (
        "neither the version before it nor the worse one"
    )
