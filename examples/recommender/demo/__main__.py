"""Run the story of the example on this machine: `python -m examples.recommender.demo`, or `make demo`.

Clicks become curated rows, features and examples; a model is trained, compared and served; a shifted day is recognized
as drift, the event starts a training, the better version is rolled out by weights, and a worse one is not. It ends with
an HTML report. What runs here as processes, and what in a cluster: README.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import platformdirs
from rich.console import Console

from cli.images.revision import revision_of
from examples.recommender.demo import costs, report
from examples.recommender.demo.programs import ROOT, SERVICES, ProgramError, Programs, emptied
from examples.recommender.demo.story import DAYS, REGISTERED, Story, today

METRIC: Final = "recall_at_10"
GAIN: Final = 1.5
"""What the first version's recall has to be on clicks that no training read, in times of popularity's."""
LIFT: Final = 1.3
"""The same of the share of visitors who clicked one of the items that they were shown."""
STEPS: Final = (10, 50, 100)
"""Weights of the rollout, as in environment.yaml."""
console = Console()


class StoryError(Exception):
    """A step whose result is not what the story states."""


class Demo:
    """A run: the story, and what the report shows of each step."""

    def __init__(self, story: Story) -> None:
        self.story, self.sections = story, dict[str, str]()
        self.counts: list[tuple[str, Any]] = []
        self.versions: dict[str, Mapping[str, Any]] = {}
        self.outcomes: dict[str, list[str]] = {}
        self.noon = story.day(DAYS - 0.5)

    def run(self) -> None:
        """Run all steps. Raises StoryError where the result of one is not what the story states."""
        begin = time.monotonic()
        for number, (title, step) in enumerate(steps(self).items(), start=1):
            console.print(f"[bold]{number}/8 {title}[/] [dim]{(time.monotonic() - begin) / 60:.1f} min[/]")
            self.outcomes[title] = []
            step()

    def expect(self, what: str, *, holds: bool) -> None:
        """Print a result, and keep it for the report. Raises StoryError where it does not hold."""
        if not holds:
            raise StoryError(f"expected: {what}")
        console.print(f"  [green]✓[/] {what}")
        list(self.outcomes.values())[-1].append(what)

    def data(self) -> None:
        """Ingest the days before the shift."""
        story = self.story
        counts = story.ingest(0, DAYS, story.clicks, broken=5)
        self.expect(f"{counts['rows']:,} clicks registered", holds=counts["rows"] == story.clicks)
        self.expect(f"{counts['refused']} lines in quarantine", holds=counts["refused"] == 5 * DAYS)
        again = story.registered(["files/incoming/clicks/day-000.jsonl"])
        self.expect("a file that is delivered again adds nothing", holds=again["rows"] == 0)
        self.counts += [("clicks of 14 days", counts["rows"]), ("lines in quarantine", counts["refused"])]

    def features(self) -> None:
        """Compute features and examples; the online store has those of the last noon."""
        story = self.story
        rows = story.features(self.noon)["rows"]
        story.apply()
        made = story.examples(story.day(DAYS))["rows"]
        story.materialize(self.noon)
        self.counts += [("rows of activity", rows), ("examples, joined at their moments", made)]
        self.expect(f"{made:,} examples with features as they were known", holds=made > 0)

    def first(self) -> None:
        """Train the first version, and serve it."""
        story = self.story
        version = self._trained("first")
        own, popular = version["metrics"][METRIC], version["metrics"][f"popularity_{METRIC}"]
        self.expect(
            f"recall at 10 is {own:.3f}, that of popularity {popular:.3f}", holds=own > GAIN * popular
        )
        self.expect("it is promoted", holds=version["better"])
        story.start_predictor("blue", version["version"], story.promote(version["version"]))
        story.route.weights = {"blue": 100}
        story.start_serving()

    def served(self) -> None:
        """Recommend to those who come in the afternoon, which no training has read."""
        story = self.story
        users = self._visitors(DAYS - 1, self.noon)
        answers = story.ask(users, self.noon)
        self.expect(
            f"{len(answers)} recommendations over HTTP",
            holds=all(len(answer["items"]) == 10 for answer in answers),
        )
        quality = story.quality(story.day(DAYS), 12)
        [measured] = quality["versions"]
        self.counts.append(("recommendations at noon", len(answers)))
        text = f"{measured['hit_rate']:.1%} of users clicked one of ten, {measured['popular_rate']:.1%} of the most popular"
        self.expect(text, holds=measured["lift"] > LIFT)
        rows = [
            (entry["version"], entry["impressions"], entry["hit_rate"], entry["popular_rate"], entry["lift"])
            for entry in quality["versions"]
        ]
        header = ("version", "users that clicked", "hit rate", "of popularity", "lift")
        self.sections["Quality of what was recommended"] = report.table(header, rows)
        self._wait()
        result = story.compare(self.noon + timedelta(hours=1))
        self.expect(f"no drift in {result['rows']} requests", holds=result["status"] == "ok")
        self.expect("no event", holds=story.message() is None)
        self.sections["Requests before the shift"] = report.drift(result, f"drift-{result['run_id']}.html")

    def shifted(self) -> None:
        """Another day, on which many users want something else."""
        story = self.story
        counts = story.ingest(DAYS, 1, story.shifted_clicks, shift=story.shift)
        self.counts.append(("clicks of the shifted day", counts["rows"]))
        end = story.day(DAYS + 1)
        story.features(end)
        story.examples(end)
        story.materialize(end)
        at = end + timedelta(minutes=30)
        answers = story.ask(self._visitors(DAYS, end - timedelta(hours=12)), at)
        self.counts.append(("recommendations after the shift", len(answers)))
        self._wait()
        result = story.compare(at + timedelta(minutes=30))
        drifted = sorted({score["column"] for score in result["scores"] if score["drifted"]})
        self.expect(f"drift of {', '.join(drifted) or 'nothing'}", holds=result["status"] == "drifted")
        self.sections["Requests after the shift"] = report.drift(result, f"drift-{result['run_id']}.html")

    def retrained(self) -> None:
        """The event starts a training; the better version is rolled out."""
        story = self.story
        message = story.message()
        self.expect(
            f"the event {json.dumps(message)}", holds=(message or {}).get("train", {}).get("cause") == "drift"
        )
        version = self._trained("after-drift")
        before, after = (
            float(version["tags"][f"ai-platform.evaluation.{name}.{METRIC}"])
            for name in ("champion", "candidate")
        )
        self.expect(
            f"recall at 10 is {after:.3f}, that of the champion {before:.3f}", holds=version["better"]
        )
        folder = story.home / "releases" / "candidate"
        story.stores("copy", REGISTERED, version["version"], str(folder))
        story.start_predictor("green", version["version"], folder)
        self._rollout()
        story.promote(version["version"])
        story.programs.stop("blue")
        self.expect(
            f"version {version['version']} is the champion", holds=self._champion() == version["version"]
        )

    def _rollout(self) -> None:
        story = self.story
        users = self._visitors(DAYS, story.day(DAYS))[:200]
        rows: list[Sequence[Any]] = []
        for weight in STEPS:
            story.route.weights = {"blue": 100 - weight, "green": weight}
            story.route.seconds.clear()
            answers = story.ask(users, story.day(DAYS + 1) + timedelta(hours=1, minutes=weight))
            green = sum(answer["served_by"] == "green" for answer in answers)
            seconds = sorted(story.route.seconds.get("green", [0.0]))
            rows.append(
                (weight, green, len(answers), seconds[int(0.95 * len(seconds))], story.route.errors["green"])
            )
            share = green / len(answers)
            self.expect(
                f"{green} of {len(answers)} requests at a weight of {weight}",
                holds=story.route.errors["green"] == 0 and abs(share - weight / 100) < 0.15,
            )
        self.expect("all requests at the last weight", holds=rows[-1][1] == rows[-1][2])
        header = ("weight", "answered by the new version", "requests", "95 % within, in s", "errors")
        self.sections["Canary"] = report.table(header, rows)

    def worse(self) -> None:
        """A training with a single factor; nothing is promoted."""
        champion = self._champion()
        version = self._trained("one-factor", "--factors=1")
        self.expect("a worse version is registered and not promoted", holds=not version["better"])
        self.expect(f"version {champion} is still the champion", holds=self._champion() == champion)

    def _trained(self, name: str, *more: str) -> Mapping[str, Any]:
        version = self.story.train(name, *more)
        self.versions[f"{version['version']} ({name})"] = version
        return version

    def _champion(self) -> str:
        return str(self.story.stores("champion", REGISTERED)["version"])

    def _visitors(self, day: int, since: datetime) -> list[str]:
        """Return the users who clicked on a day, from a time on."""
        file = self.story.home / "raw" / "files" / "incoming" / "clicks" / f"day-{day:03d}.jsonl"
        clicks = (json.loads(line) for line in file.read_text().splitlines())
        stated = [click for click in clicks if datetime.fromisoformat(click["happened_at"]) >= since]
        users = dict.fromkeys(
            click["user_id"] for click in stated if not click["event_id"].startswith("broken")
        )
        return list(users)[: self.story.visitors]

    def _wait(self) -> None:
        """Requests wait for their answers: the compaction reads objects that are a minute old (join_minutes)."""
        with console.status("  requests wait a minute for their answers"):
            time.sleep(65)

    def finish(self, seconds: float) -> Path:
        """Write the report; return its file."""
        story = self.story
        champion = self.versions[next(key for key in self.versions if key.startswith(f"{self._champion()} "))]
        [prediction] = story.ask(
            [self._visitors(DAYS, story.day(DAYS))[0]], story.day(DAYS + 1) + timedelta(hours=3)
        )
        tags = "ai-platform.evaluation"
        rows = [
            (
                name,
                float(version["tags"][f"{tags}.candidate.{METRIC}"]),
                float(champion_recall)
                if (champion_recall := version["tags"].get(f"{tags}.champion.{METRIC}"))
                else "-",
                version["tags"][f"{tags}.result"],
            )
            for name, version in self.versions.items()
        ]
        chart = {
            name: (entry["metrics"][METRIC], entry["metrics"][f"popularity_{METRIC}"])
            for name, entry in self.versions.items()
        }
        sections = {
            "What was checked": report.steps(self.outcomes),
            "Data": report.table(("what", "number"), self.counts),
            "Versions": report.bars(chart)
            + report.table(("version", "recall at 10", "of the champion", "result"), rows),
            **self.sections,
            "From a prediction back to its data and code": report.lineage(prediction, champion),
            "What it costs in a cloud": costs.table(),
        }
        file = story.home / "report.html"
        file.write_text(
            report.render(
                sections,
                f"Simulated days from {story.first:%Y-%m-%d}; the run took {seconds / 60:.1f} minutes.",
            )
        )
        return file


def steps(demo: Demo) -> Mapping[str, Callable[[], None]]:
    """Return the steps, title -> what runs it."""
    return {
        "stores: catalog, registry, bucket and queue": demo.story.set_up,
        "clicks of two weeks": demo.data,
        "features at each half day": demo.features,
        "the first version": demo.first,
        "recommendations": demo.served,
        "a day on which tastes shift": demo.shifted,
        "a training by the event, and its rollout": demo.retrained,
        "a worse version": demo.worse,
    }


def main(words: Sequence[str] | None = None) -> int:
    """Run the story."""
    parser = argparse.ArgumentParser(prog="demo", description="Run the recommender on this machine.")
    default = platformdirs.user_data_path("ai-platform") / "recommender-demo"
    parser.add_argument(
        "--home", type=Path, default=default, help="folder of the stores, which is emptied before"
    )
    parser.add_argument("--set-up", action="store_true", help="install the packages of all programs, and end")
    options = parser.parse_args(words)
    story: Story | None = None
    try:
        programs = Programs(emptied(options.home.absolute()))
        for name in SERVICES:
            with console.status(f"packages of {name}"):
                programs.sync(name)
        if options.set_up:
            return 0
        story = Story(programs, today(DAYS + 2), revision_of(ROOT).commit)
        demo, begin = Demo(story), time.monotonic()
        demo.run()
        file = demo.finish(time.monotonic() - begin)
        console.print(f"[bold]Report:[/] {file.as_uri()}")
    except (ProgramError, StoryError, OSError) as error:
        console.print(f"[red]error:[/] {error}", markup=True, highlight=False)
        return 1
    finally:
        if story is not None:
            story.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
