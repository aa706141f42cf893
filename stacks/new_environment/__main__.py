"""Check the answers of `aiplatform new`: a line of JSON each, in and out.

    echo '{"answers": {"environment": "aws-research", "cloud": "aws"}}' | python -m stacks.new_environment

A line has `answers`, `offers` (zone -> machine types, of the region) and `regions` (cloud -> regions). The
reply has `problems`, `text`, the lines of `placeholders` in it, and for the questions that are open
`defaults` and `choices`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, Final

from stacks.new_environment import answers as answered
from stacks.new_environment import others as files
from stacks.new_environment import pools
from stacks.new_environment.answers import Answers
from stacks.new_environment.check import check
from stacks.new_environment.others import Other
from stacks.profiles import PROFILES

_USUAL: Final = {"org": "org", "region": "region", "owner": "owner", "cost_center": "cost_center"}
_IMAGES: Final = {"aws": "al2023", "gcp": "gke"}


def reply(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer to a line."""
    others = files.read()
    stated = dict(request["answers"])
    offers: dict[str, list[str]] = request.get("offers") or {}
    regions: dict[str, list[str]] = request.get("regions") or {}
    cloud, profile = stated.get("cloud"), stated.get("profile")
    defaults = _defaults(stated, others)
    if profile == "prod" and cloud in PROFILES and not stated.get("release"):
        # The release that the other environments have been tested with.
        stated["release"] = defaults.get("release", "")
    values: Answers = answered.read(stated)
    checked = check(values, offers, regions, others)
    choices = {"cloud": list(PROFILES), "profile": list(PROFILES["aws"])}
    if cloud in PROFILES:
        choices["accelerators"] = pools.offered(values, offers)
        defaults["accelerators"] = choices["accelerators"][:1]
    return {
        "problems": checked.problems,
        "text": checked.text,
        "placeholders": checked.placeholders,
        "defaults": defaults,
        "choices": choices,
    }


def _defaults(stated: Mapping[str, Any], others: list[Other]) -> dict[str, Any]:
    """Return what the name of the environment and the other files suggest."""
    name = str(stated.get("environment", ""))
    profiles = [profile for profile in PROFILES["aws"] if profile in name.split("-")]
    cloud = stated.get("cloud") or answered.cloud_of(name)
    same = files.of_cloud(others, cloud)
    usual = {key: files.usual(same, "environment", of_file) for key, of_file in _USUAL.items()}
    # A mail address, which the files of Google Cloud do not have.
    usual["owner"] = next(
        (
            owner
            for other in [*same, *others]
            if "@" in (owner := str(other.stated("environment", "owner") or ""))
        ),
        None,
    )
    if cloud in PROFILES:
        usual["release"] = files.usual(same, "node_images", _IMAGES[cloud])
    return {
        "cloud": cloud,
        "profile": (profiles or ["dev"])[0],
        **{key: value for key, value in usual.items() if value},
    }


def main() -> None:
    """Reply to each line of the standard input."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(reply(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
