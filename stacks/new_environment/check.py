"""Check answers by the rules that check a file: render it, load it as a preview does, and assign each problem
to the answer that causes it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiplatform._shared.cloud_support import CLOUDS
from aiplatform._shared.problems import nearest, with_value
from stacks.loading import FOLDER, SettingsError, load_file
from stacks.new_environment import others as files
from stacks.new_environment import pools, render
from stacks.new_environment.answers import KEYS, Answers, Offers
from stacks.new_environment.others import Other
from stacks.profiles import PROFILES
from stacks.settings import FILE
from stacks.settings.composition import LAYERS
from stacks.validation.availability.gcp_regions import REGIONS

GENERAL: Final = "file"
"""What a problem is assigned to that no single answer causes."""
_CAUSES: Final[Mapping[str, str]] = {
    "environment.name": "environment",
    "environment.org": "org",
    "environment.profile": "profile",
    "environment.cloud": "cloud",
    "environment.region": "region",
    "environment.account_id": "account",
    "environment.project_id": "account",
    "environment.owner": "owner",
    "environment.cost_center": "cost_center",
    "gpu_pools": "accelerators",
    "queues": "accelerators",
    "node_images": "release",
    "cluster.system_nodes.image_version": "release",
    "node_pools.general.image_version": "release",
}
"""Key of the file, or the topic -> the answer that decides it."""
_PROBLEM: Final = re.compile(r"[^:]+(?::\d+)?: (?P<path>[^:\s]+): (?P<reason>.*)", re.DOTALL)
_LENGTHS: Final = range(16, 12, -1)
"""Lengths of ranges for the network, the smallest range first."""


@dataclass(frozen=True)
class Checked:
    """The file, or what is wrong with the answers."""

    problems: Mapping[str, Sequence[str]]
    """Answer, or GENERAL -> its problems. Only of answers that there are."""
    text: str
    """The file; of answers that are missing it has examples."""

    @property
    def placeholders(self) -> list[int]:
        """The lines whose comment announces a value that has to be changed."""
        lines = enumerate(self.text.splitlines(), 1)
        return [number for number, line in lines if render.MARK in line]


def check(
    answers: Answers, offers: Offers, regions: Mapping[str, Sequence[str]], others: Sequence[Other]
) -> Checked:
    """Return the file of the answers, and their problems. regions: cloud -> its regions, as far as known."""
    problems = [*_choices(answers)]
    if problems:
        return Checked(_by_answer(answers, problems), "")
    problems = [*_name(answers, others), *_region(answers, {**regions, "gcp": REGIONS})]
    plan = pools.plan(answers, {} if any(key == "region" for key, _ in problems) else offers)
    problems += plan.problems
    text, of_file = _loaded(answers, plan, others)
    # Answers are examples or valid here; a region that no cloud has is reported once.
    problems += [(key, reason) for key, reason in of_file if key not in {known for known, _ in problems}]
    return Checked(_by_answer(answers, problems), text)


def _by_answer(answers: Answers, problems: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the problems of what is answered. One of the file counts once everything is answered, and only
    where no answer is wrong, which it can follow from."""
    complete = answers.answered >= {*KEYS} - {"accelerators", "release"}
    by_answer: dict[str, list[str]] = {}
    for key, reason in dict.fromkeys(problems):
        if key in answers.answered or (complete and key in (GENERAL, "release")):
            by_answer.setdefault(key, []).append(reason)
    if len(by_answer) > 1:
        by_answer.pop(GENERAL, None)
    return by_answer


def _choices(answers: Answers) -> Iterator[tuple[str, str]]:
    for key, known in (("cloud", tuple(PROFILES)), ("profile", tuple(PROFILES["aws"]))):
        word: str = getattr(answers, key)
        if word not in known:
            yield key, with_value(word, f"expected one of {', '.join(known)}{nearest(word, known)}")


def _name(answers: Answers, others: Sequence[Other]) -> Iterator[tuple[str, str]]:
    """Yield what keeps an environment from having this name: its file's, and that of its resources."""
    name, stacks = answers.environment, [other.stack for other in others]
    file = f"Pulumi.{name}.yaml"
    if not FILE.match(file):
        yield (
            "environment",
            with_value(name, "expected lower-case letters, digits and hyphens (aws-research)"),
        )
    if name in stacks:
        yield "environment", f"{FOLDER}/{file} exists, and is not overwritten; expected another name"
    for cloud, title in CLOUDS.items():
        if cloud != answers.cloud and name.startswith(f"{cloud}-"):
            expected = f"{answers.cloud}-{name.removeprefix(f'{cloud}-')}"
            yield (
                "cloud",
                f"got {answers.cloud!r} for {name!r}, a name of {title}; expected {cloud}, or the name "
                f"{expected}",
            )
    environment, _, layer = name.rpartition("-")
    if layer in LAYERS and environment in stacks:
        yield (
            "environment",
            with_value(
                name, f"which is the stack of the layer {layer} of {environment}; expected another name"
            ),
        )
    prefix = f"{answers.org}-{answers.name}"
    for other in files.of_cloud(others, answers.cloud):
        if other.prefix == prefix and other.stack != name:
            yield (
                "org" if "org" in answers.answered else "environment",
                f"{prefix!r} begins the names of resources of {other.stack} already; expected another name",
            )


def _region(answers: Answers, regions: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    region, known = answers.region, regions.get(answers.cloud, ())
    if not known or region in known:
        return
    expected = f"expected a region of {CLOUDS[answers.cloud]}{_near(answers, known)}"
    for cloud, title in CLOUDS.items():
        if cloud != answers.cloud and region in regions.get(cloud, ()):
            expected = f"which is a region of {title}; {expected}"
    yield "region", with_value(region, expected)


def _near(answers: Answers, known: Sequence[str]) -> str:
    return nearest(answers.region, known) or f" such as {', '.join(known[:6])}"


def _loaded(answers: Answers, plan: pools.Plan, others: Sequence[Other]) -> tuple[str, list[tuple[str, str]]]:
    """Return the file with the smallest free range that has addresses for all nodes, and its problems."""
    text, problems = "", [(GENERAL, "no range of 10.0.0.0/8 is free for the network")]
    for length in _LENGTHS if answers.cloud == "gcp" else _LENGTHS[:1]:
        cidr = render.free_range(others, length)
        if not cidr:
            break
        text = render.text(answers, plan, others, cidr)
        errors = load_errors(answers.environment, text)
        problems = [_assigned(answers, error) for error in errors]
        if not any(": network.cidr: " in error for error in errors):
            break
    lines = len(text.splitlines())
    if lines > render.MOST_LINES:
        reason = f"the file has {lines} lines; expected at most {render.MOST_LINES}: add pools to it later"
        problems.append(("accelerators", reason))
    return text, problems


def load_errors(environment: str, text: str) -> list[str]:
    """Return the problems of a file, as a preview without a cloud reports them."""
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / FOLDER
        folder.mkdir()
        name = environment if FILE.match(f"Pulumi.{environment}.yaml") else "new"
        file = folder / f"Pulumi.{name}.yaml"
        file.write_text(text)
        try:
            load_file(file)
        except SettingsError as error:
            return list(error.problems)
    return []


def _assigned(answers: Answers, error: str) -> tuple[str, str]:
    """Return the answer that causes an error of the file, and the reason."""
    match = _PROBLEM.fullmatch(error)
    if match is None:
        return GENERAL, error
    path = match["path"]
    cause = _CAUSES.get(path) or _CAUSES.get(path.partition(".")[0])
    if cause == "environment" and "environment.org" in match["reason"] and "org" in answers.answered:
        # The two together are too long, and the name of the file stays.
        cause = "org"
    return (cause, match["reason"]) if cause else (GENERAL, error)
