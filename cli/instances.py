"""Find or create the twin instance of a name or of an environment."""

from __future__ import annotations

import os
import re
from typing import Any, Final, cast

from cli import stack_names
from cli.output import CommandError
from twin import environment
from twin.world import World, create, every, load

PROJECT: Final = re.compile(r"[a-z][-a-z0-9]{4,28}[a-z0-9]")
VARIABLE: Final = "AIPLATFORM_TWIN"
TOPIC: Final = "ai-platform:environment"
DEFAULTS: Final = {"gcp": {"region": "us-central1", "account": "twin-project"}}
"""Cloud -> default region and account of a new twin; for AWS those of twin.world."""


def selected_name(name: str | None) -> str:
    """Return the name given as an option, else `AIPLATFORM_TWIN`, else `default`."""
    return name or os.environ.get(VARIABLE) or "default"


def existing(name: str | None) -> World:
    """Return the twin of that name. Raises CommandError where there is none."""
    selected = selected_name(name)
    instance = load(selected)
    if instance is None:
        known = ", ".join(other.name for other in every())
        raise CommandError(
            f"there is no twin {selected!r}"
            + (f"; there are: {known}" if known else "")
            + f". `aiplatform twin start --name {selected}` creates it"
        )
    return instance


def get_or_create(
    name: str | None, *, cloud: str | None = None, region: str | None = None, account: str | None = None
) -> World:
    """Return the twin of that name, which is created where there is none.

    A new twin that has the name of an environment takes cloud, region and account from its file; the
    arguments take precedence. An existing twin keeps its values; other arguments are an error.
    """
    selected = selected_name(name)
    requested = {
        key: value for key, value in (("cloud", cloud), ("region", region), ("account", account)) if value
    }
    known = load(selected)
    if known is not None and not requested:
        return known
    if known is not None:
        defaults = {"cloud": known.cloud, "region": known.region, "account": known.account}
    elif selected in _environments():
        defaults = of_environment(selected)
    else:
        defaults = DEFAULTS.get(cloud or "", {})
    return create(selected, **{**defaults, **requested})


def for_environment(name: str) -> World:
    """Return the twin of an environment: it has the environment's name, cloud, region and account."""
    return create(name, **of_environment(name))


def of_environment(name: str) -> dict[str, str]:
    """Return cloud, region and account of an environment's file. Raises CommandError for a wrong file."""
    if name not in _environments():
        known = ", ".join(_environments())
        raise CommandError(
            f"there is no environment {name!r} (environments/Pulumi.{name}.yaml); there are: {known}"
        )
    topic = _topic(name)
    cloud = topic.get("cloud")
    if cloud not in ("aws", "gcp"):
        raise CommandError(f"{_location(name)}.cloud: got {cloud!r}; expected aws or gcp")
    key = "account_id" if cloud == "aws" else "project_id"
    values = {"cloud": cloud, "region": topic.get("region"), "account": topic.get(key)}
    if not isinstance(values["region"], str) or not values["region"]:
        example = "us-west-2" if cloud == "aws" else "us-central1"
        raise CommandError(
            f"{_location(name)}.region: got {values['region']!r}; expected a text as {example}"
        )
    if cloud == "aws" and not re.fullmatch(r"\d{12}", str(values["account"])):
        raise CommandError(
            f"{_location(name)}.{key}: got {values['account']!r}; "
            'expected 12 digits in quotes, as "111122223333"'
        )
    if cloud == "gcp" and not PROJECT.fullmatch(str(values["account"])):
        raise CommandError(
            f"{_location(name)}.{key}: got {values['account']!r}; "
            "expected 6 to 30 lower-case letters, digits and hyphens, a letter first and no hyphen last"
        )
    if not isinstance(values["account"], str):
        raise CommandError(f"{_location(name)}.{key}: got {values['account']!r}; expected a text in quotes")
    return {key: str(value) for key, value in values.items()}


def teardown(name: str) -> bool:
    """Return whether the environment's file removes its protection (`teardown`)."""
    return bool(_topic(name).get("teardown"))


def config(name: str) -> dict[str, Any]:
    """Return what the environment's own file has under `config`. Raises CommandError for a wrong file."""
    from ruamel.yaml import YAML, YAMLError

    file = environment.original_stack_file(name)
    try:
        document: Any = YAML(typ="safe").load(file.read_text())
    except (YAMLError, OSError, UnicodeDecodeError) as error:
        raise CommandError(f"environments/{file.name}: cannot be read: {error}") from error
    content: Any = document.get("config") if isinstance(document, dict) else None
    if not isinstance(content, dict) or not isinstance(content.get(TOPIC), dict):
        raise CommandError(
            f"{_location(name)}: is missing; "
            "expected an object with cloud, region and account_id or project_id"
        )
    return cast("dict[str, Any]", content)


def _environments() -> list[str]:
    return stack_names.environments(environment.ROOT / "environments")


def _topic(name: str) -> dict[str, Any]:
    return config(name)[TOPIC]


def _location(name: str) -> str:
    return f"environments/Pulumi.{name}.yaml: {TOPIC}"
