"""Find or create the twin instance of a name or of an environment."""

from __future__ import annotations

import os
import re
from typing import Any, Final, cast

from cli import environment_files, stack_names
from cli.output import CommandError
from twin.instances import Instance, create, every, load

PROJECT: Final = re.compile(r"[a-z][-a-z0-9]{4,28}[a-z0-9]")
VARIABLE: Final = "AIPLATFORM_TWIN"
TOPIC: Final = "ai-platform:environment"
DEFAULTS: Final = {"gcp": {"region": "us-central1", "account": "twin-project"}}
"""Cloud -> default region and account of a new twin; for AWS those of twin.instance."""


def selected_name(name: str | None) -> str:
    """Return the name given as an option, else `AIPLATFORM_TWIN`, else `default`."""
    return name or os.environ.get(VARIABLE) or "default"


def existing(name: str | None) -> Instance:
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


def existing_or_only(name: str | None) -> Instance:
    """Return the twin of that name; without a name the only twin there is. Raises CommandError."""
    twins = every()
    if not name and VARIABLE not in os.environ and len(twins) == 1:
        return twins[0]
    return existing(name)


def is_ambiguous(name: str | None) -> bool:
    """Return whether no name is given, and it is one of several twins that is meant."""
    names = [twin.name for twin in every()]
    return len(names) > 1 and not name and VARIABLE not in os.environ and "default" not in names


def get_or_create(
    name: str | None, *, cloud: str | None = None, region: str | None = None, account: str | None = None
) -> Instance:
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
        if cloud and cloud != defaults["cloud"]:
            raise CommandError(
                f"--cloud {cloud}: {selected} is an environment on {defaults['cloud']} "
                f"(environments/Pulumi.{selected}.yaml), whose twin has this name; "
                "expected another --name, or no --cloud"
            )
    else:
        defaults = DEFAULTS.get(cloud or "", {})
    return create(selected, **{**defaults, **requested})


def for_environment(name: str) -> Instance:
    """Return the twin of an environment: it has the environment's name, cloud, region and account."""
    return create(name, **of_environment(name))


def of_environment(name: str) -> dict[str, str]:
    """Return cloud, region and account of an environment's file. Raises CommandError for a wrong file."""
    if name not in _environments():
        raise CommandError(_unknown_environment(name))
    topic = _topic(name)
    cloud = topic.get("cloud")
    if cloud not in ("aws", "gcp"):
        raise _refusal(name, topic, "cloud", "aws or gcp")
    region = topic.get("region")
    if not isinstance(region, str) or not region:
        raise _refusal(
            name, topic, "region", f"a region such as {'us-west-2' if cloud == 'aws' else 'us-central1'}"
        )
    key = "account_id" if cloud == "aws" else "project_id"
    account = topic.get(key)
    if cloud == "aws" and not re.fullmatch(r"\d{12}", str(account)):
        raise _refusal(name, topic, key, '12 digits in quotes, such as "111122223333"')
    if cloud == "gcp" and not PROJECT.fullmatch(str(account)):
        raise _refusal(
            name,
            topic,
            key,
            "6 to 30 lower-case letters, digits and hyphens, a letter first and no hyphen last",
        )
    if not isinstance(account, str):
        raise _refusal(name, topic, key, "a string: write it in quotes")
    return {"cloud": cloud, "region": region, "account": account}


def teardown(name: str) -> bool:
    """Return whether the environment's file removes its protection (`teardown`)."""
    return bool(_topic(name).get("teardown"))


def config(name: str) -> dict[str, Any]:
    """Return what the environment's own file has under `config`. Raises CommandError for a wrong file."""
    from ruamel.yaml import YAML, YAMLError

    file = environment_files.original_stack_file(name)
    try:
        document: Any = cast("Any", YAML(typ="rt")).load(file.read_text())
    except FileNotFoundError:
        raise CommandError(_unknown_environment(name)) from None
    except (YAMLError, OSError, UnicodeDecodeError) as error:
        raise CommandError(
            environment_files.problems(file) or f"environments/{file.name}: {error}"
        ) from error
    content: Any = document.get("config") if isinstance(document, dict) else None
    if not isinstance(content, dict) or not isinstance(content.get(TOPIC), dict):
        raise CommandError(
            f"environments/{file.name}: environment: missing; "
            "expected an object with cloud, region and account_id or project_id"
        )
    return cast("dict[str, Any]", content)


def _environments() -> list[str]:
    return stack_names.environments(environment_files.ROOT / "environments")


def _unknown_environment(name: str) -> str:
    return stack_names.unknown_environment(name, environment_files.ROOT / "environments")


def _topic(name: str) -> dict[str, Any]:
    return config(name)[TOPIC]


def _refusal(name: str, topic: dict[str, Any], key: str, expected: str) -> CommandError:
    position: Any = getattr(topic, "lc", None)
    lines = position.data if position is not None and position.data else {}
    # Without the key the topic's first line.
    line = lines[key][0] if key in lines else getattr(position, "line", 0)
    place = f"environments/Pulumi.{name}.yaml:{line + 1}: environment.{key}"
    stated = f"got {topic[key]!r}" if topic.get(key) is not None else "missing"
    return CommandError(f"{place}: {stated}; expected {expected}")
