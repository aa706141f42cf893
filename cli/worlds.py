"""From the name of a twin or of an environment to its world."""

from __future__ import annotations

import os
import re
from typing import Any, Final

from cli.output import CommandError
from twin import environment
from twin import world as worlds
from twin.world import World

PROJECT: Final = re.compile(r"[a-z][-a-z0-9]{4,28}[a-z0-9]")
VARIABLE: Final = "AIPLATFORM_TWIN"
TOPIC: Final = "ai-platform:environment"
DEFAULTS: Final = {"gcp": {"region": "us-central1", "account": "twin-project"}}
"""Region and account of a new twin of a cloud, where neither is said; on AWS, those of twin.world."""


def chosen(name: str | None) -> str:
    """The name asked for, else that of `AIPLATFORM_TWIN`, else `default`."""
    return name or os.environ.get(VARIABLE) or "default"


def existing(name: str | None) -> World:
    """The world of that name; CommandError where there is none."""
    wanted = chosen(name)
    world = worlds.load(wanted)
    if world is None:
        known = ", ".join(each.name for each in worlds.every())
        raise CommandError(
            f"there is no twin {wanted!r}"
            + (f"; there are: {known}" if known else "")
            + f". `aiplatform twin start --name {wanted}` makes it"
        )
    return world


def made(
    name: str | None, *, cloud: str | None = None, region: str | None = None, account: str | None = None
) -> World:
    """The world of that name, made where there is none.

    One that is named as an environment takes cloud, region and account from its file. What is given here
    counts more; a world keeps what it was made with.
    """
    wanted = chosen(name)
    asked = {
        key: value for key, value in (("cloud", cloud), ("region", region), ("account", account)) if value
    }
    known = worlds.load(wanted)
    if known is not None and not asked:
        return known
    own = DEFAULTS.get(cloud or "", {})
    own = {"cloud": known.cloud, "region": known.region, "account": known.account} if known else own
    if not known and wanted in environment.environments():
        own = of_environment(wanted)
    return worlds.create(wanted, **{**own, **asked})


def for_environment(name: str) -> World:
    """The world in which an environment lives: it has the environment's name, cloud, region and account."""
    return worlds.create(name, **of_environment(name))


def of_environment(name: str) -> dict[str, str]:
    """cloud, region and account as the environment file says; CommandError says what is wrong with it."""
    if name not in environment.environments():
        known = ", ".join(environment.environments())
        raise CommandError(
            f"there is no environment {name!r} (environments/Pulumi.{name}.yaml); there are: {known}"
        )
    topic = _topic(name)
    cloud = topic.get("cloud")
    if cloud not in ("aws", "gcp"):
        raise CommandError(f"{_place(name)}: cloud: got {cloud!r}, aws or gcp is right")
    key = "account_id" if cloud == "aws" else "project_id"
    values = {"cloud": cloud, "region": topic.get("region"), "account": topic.get(key)}
    if not isinstance(values["region"], str) or not values["region"]:
        right = "us-west-2" if cloud == "aws" else "us-central1"
        raise CommandError(f"{_place(name)}: region: got {values['region']!r}, a text as {right} is right")
    if cloud == "aws" and not re.fullmatch(r"\d{12}", str(values["account"])):
        raise CommandError(
            f"{_place(name)}: {key}: got {values['account']!r}, "
            'which must be 12 digits in quotes, as "111122223333"'
        )
    if cloud == "gcp" and not PROJECT.fullmatch(str(values["account"])):
        raise CommandError(
            f"{_place(name)}: {key}: got {values['account']!r}, which must be 6 to 30 lower-case letters, "
            "digits and hyphens, a letter first and no hyphen last"
        )
    if not isinstance(values["account"], str):
        raise CommandError(f"{_place(name)}: {key}: got {values['account']!r}, a text in quotes is right")
    return {key: str(value) for key, value in values.items()}


def teardown(name: str) -> bool:
    """Whether the environment's file asks for its protection to be lifted."""
    return bool(_topic(name).get("teardown"))


def _topic(name: str) -> dict[str, Any]:
    from ruamel.yaml import YAML, YAMLError

    file = environment.original_stack_file(name)
    try:
        document = YAML(typ="safe").load(file.read_text())
    except (YAMLError, OSError, UnicodeDecodeError) as error:
        raise CommandError(f"environments/{file.name} cannot be read: {error}") from error
    config = document.get("config") if isinstance(document, dict) else None
    topic = config.get(TOPIC) if isinstance(config, dict) else None
    if not isinstance(topic, dict):
        raise CommandError(f"{_place(name)} is missing: it says cloud, region and account_id or project_id")
    return topic


def _place(name: str) -> str:
    return f"environments/Pulumi.{name}.yaml: config: {TOPIC}"
