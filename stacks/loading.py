"""From an environment file, or from the engine's configuration, to Settings; every problem at once."""

from __future__ import annotations

import copy
import difflib
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast, get_args

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML, YAMLError

from stacks import gpudirect_ranges, isolation, judgement, room
from stacks.profiles import PROFILES, with_profile
from stacks.settings import NAMESPACE, TOPICS, Settings, key, parse
from stacks.settings.base import replacement

FOLDER: Final = "environments"
# Pulumi's own keys at the top of a stack file.
TOP_LEVEL: Final = ("config", "secretsprovider", "encryptionsalt", "encryptedkey", "environment")


class SettingsError(Exception):
    """An environment file that cannot be used. The message lists every problem with its place."""

    def __init__(self, file: str, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        count = "1 error" if len(problems) == 1 else f"{len(problems)} errors"
        super().__init__(
            "\n".join([f"{file}: {count}; nothing was changed", *(f"  {problem}" for problem in problems)])
        )


def load_file(path: Path) -> Settings:
    """Settings from an environment file. Raises SettingsError."""
    document, problems = _read(path)
    config = document.get("config")
    if not isinstance(config, Mapping):
        raise SettingsError(_shown(path), [*problems, "config: missing; everything stands under it"])
    return _settings(_shown(path), cast("Mapping[str, Any]", config), document, problems)


def load_engine(stack: str) -> Settings:
    """Settings from the configuration that the engine hands to the program. Raises SettingsError."""
    config: dict[str, Any] = {}
    for name, value in json.loads(os.environ.get("PULUMI_CONFIG", "{}")).items():
        try:
            config[name] = json.loads(value)
        except ValueError:
            config[name] = value
    file, document = _file_of(stack)
    return _settings(file, config, document, [])


def refusal(stack: str, problems: Sequence[tuple[str, str]]) -> SettingsError:
    """What to raise for problems, (dotted key, reason) each, that only the cloud could tell."""
    file, document = _file_of(stack)
    return SettingsError(file, [placed(document, dotted, reason) for dotted, reason in problems])


def _file_of(stack: str) -> tuple[str, Mapping[str, Any]]:
    """An environment's file, and what stands in it: there for its line numbers alone, as what counts is what
    the engine read. The engine runs the program in stacks/, so the place is found from here."""
    file = Path(__file__).resolve().parents[1] / FOLDER / f"Pulumi.{stack}.yaml"
    return _shown(file), _read(file)[0] if file.is_file() else {}


def _settings(
    file: str, config: Mapping[str, Any], document: Mapping[str, Any], problems: Sequence[str]
) -> Settings:
    found = list(problems)
    topics: dict[str, Any] = {}
    for name, value in config.items():
        namespace, _, topic = name.partition(":")
        if namespace != NAMESPACE:
            # Pulumi's own (pulumi:disable-default-providers) and those of providers are not ours to judge;
            # a namespace that is nearly ours is a slip.
            if difflib.get_close_matches(namespace, [NAMESPACE], cutoff=0.8):
                found.append(f"{_line(document, [name])}{name}: unknown; did you mean {key(topic)!r}?")
        elif topic in TOPICS:
            topics[topic] = value
        else:
            found.append(f"{_line(document, [name])}{name}: unknown topic{_nearest(topic, TOPICS)}")
    # A wrong cloud or profile is for the model to tell; another's defaults keep that problem from hiding in a
    # crowd.
    cloud = _told(topics, "cloud", PROFILES, "aws")
    profile = _told(topics, "profile", PROFILES[cloud], "dev")
    whole = with_profile(cloud, profile, topics)
    try:
        settings = parse(whole)
    except ValidationError as error:
        found += explain(error, document)
        if _known_cloud(topics):
            found += _others(whole, error, {"cloud": cloud, "profile": profile}, document)
        raise SettingsError(file, found) from None
    found += [placed(document, *problem) for problem in _wrong(settings)]
    if found:
        raise SettingsError(file, found)
    return settings


def _wrong(settings: Settings) -> list[tuple[str, str]]:
    """What the profile and the components refuse of a file whose shape is right."""
    return [
        *settings.problems(),
        *judgement.problems(settings),
        *isolation.problems(settings),
        *room.problems(settings),
        *gpudirect_ranges.problems(settings),
    ]


def _others(
    whole: Mapping[str, Any], error: ValidationError, known: Mapping[str, str], document: Mapping[str, Any]
) -> list[str]:
    """What is wrong beside the shape: of the file without the keys whose shape is wrong, if that is one. So a
    reader need not mend these first to learn of the others."""
    rest = cast("dict[str, Any]", copy.deepcopy(whole))
    told: set[str] = set()
    for problem in error.errors(include_url=False):
        path = [part for part in problem["loc"] if not _names_a_type(part)]
        told.add(_dotted(path))
        _drop(rest, path)
    if isinstance(rest.get("environment"), dict):
        rest["environment"] = {**known, **rest["environment"]}
    try:
        others = _wrong(parse(rest))
    except ValidationError:
        return []
    # That a key is missing is no news of one that was left out for its shape.
    return [placed(document, dotted, reason) for dotted, reason in others if dotted not in told]


def _drop(node: Any, path: Sequence[int | str]) -> None:
    *above, last = path or [""]
    for part in above:
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(node, dict):
        cast("dict[Any, Any]", node).pop(last, None)


def _known_cloud(topics: Mapping[str, Any]) -> bool:
    """Whether the file says a cloud that there is, or none. Of a misspelt one nobody knows what is right."""
    environment = topics.get("environment")
    if not isinstance(environment, Mapping):
        return True
    return str(cast("Mapping[str, Any]", environment).get("cloud", "aws")) in PROFILES


def _told(topics: Mapping[str, Any], name: str, known: Mapping[str, Any], other: str) -> str:
    """What the topic `environment` says of cloud or profile, or the other where that is not known."""
    environment = topics.get("environment")
    if not isinstance(environment, Mapping):
        return other
    word = str(cast("Mapping[str, Any]", environment).get(name))
    return word if word in known else other


def placed(document: Mapping[str, Any], dotted: str, reason: str) -> str:
    """A problem with its place: `line 7: ai-platform:network.cidr: reason`."""
    topic, _, below = dotted.partition(".")
    path = [int(part) if part.isdigit() else part for part in re.split(r"[.\[\]]+", below) if part]
    return f"{_line(document, [key(topic), *path])}{key(dotted)}: {reason}"


def explain(error: ValidationError, document: Mapping[str, Any]) -> list[str]:
    """Pydantic's problems in the words of the house: where, what it got, what would be right."""
    lines: list[str] = []
    found = error.errors(include_url=False)
    places = [tuple(part for part in problem["loc"] if not _names_a_type(part)) for problem in found]
    for problem, place in zip(found, places, strict=True):
        if any(len(other) > len(place) > 0 and other[: len(place)] == place for other in places):
            # A union tells of each of its forms; the one that the value nearly has says what is wrong inside.
            continue
        # Members of a union say their name in the path; a reader of the file knows keys only.
        path = list(place)
        forms = [dict(one) for one, other in zip(found, places, strict=True) if other == place]
        reason = _reason(dict(problem), path) if len(forms) == 1 else _of_forms(forms, path)
        where = key(_dotted(path)) if path else NAMESPACE
        line = _line(document, [key(str(path[0])), *path[1:]]) if path else ""
        text = f"{line}{where}: {reason}"
        if text not in lines:
            lines.append(text)
    return lines


def _dotted(path: Sequence[int | str]) -> str:
    """`gpu_pools.t4.taints[0].effect`."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(parts).removeprefix(".")


def _names_a_type(part: int | str) -> bool:
    return isinstance(part, str) and (
        part[:1].isupper()
        or part.startswith(("literal[", "list[", "constrained-"))
        or part in ("int", "bool", "str")
    )


def _reason(problem: dict[str, Any], path: Sequence[int | str]) -> str:
    kind, got = problem["type"], problem.get("input")
    if kind == "extra_forbidden":
        return f"unknown key{_hint(path)}"
    if kind == "missing":
        return "missing; it has no default"
    if kind == "value_error":
        return str(problem["ctx"]["error"])
    if kind == "string_pattern_mismatch":
        return f"got {got!r}, should match {problem['ctx']['pattern']}"
    if kind == "string_type" and isinstance(got, int | float):
        return f"got the number {got}, should be a string; write it in quotes"
    if _form(problem, path):
        return _of_forms([problem], path)
    return f"got {got!r}: {problem['msg'][:1].lower()}{problem['msg'][1:]}"


def _of_forms(problems: Sequence[dict[str, Any]], path: Sequence[int | str]) -> str:
    """A value that has none of the forms that it may have: `got 'public', should be 'in_vpc'`."""
    got = problems[0].get("input")
    forms = dict.fromkeys(_form(problem, path) or str(problem["msg"]) for problem in problems)
    words = [
        word.strip("' ")
        for problem in problems
        if problem["type"] == "literal_error"
        for word in str(problem["ctx"]["expected"]).replace(" or ", ",").split(",")
    ]
    near = difflib.get_close_matches(str(got), words, n=1, cutoff=0.5)
    said = "it is empty" if got is None else f"got {got!r}"
    return f"{said}, should be {', or '.join(forms)}" + (f"; did you mean {near[0]!r}?" if near else "")


def _form(problem: dict[str, Any], path: Sequence[int | str]) -> str | None:
    """The form that a value should have, where that is what is wrong with it."""
    kind = problem["type"]
    if kind == "literal_error":
        return str(problem["ctx"]["expected"])
    if kind in ("model_type", "model_attributes_type"):
        return f"an object with {', '.join(_keys_at(path))}"
    return {
        "list_type": "a list",
        "dict_type": "an object",
        "bool_type": "true or false",
        "int_type": "an integer",
        "string_type": "a string",
    }.get(kind)


def _hint(path: Sequence[int | str]) -> str:
    """What may replace an unknown key: its new name, the block that has it, or the nearest key."""
    key, models = str(path[-1]), _models_at(path[:-1])
    instead = replacement(models, key)
    known = sorted({name for model in models for name in model.model_fields})
    return f"; use {instead}" if instead else _nearest(key, known)


def _keys_at(path: Sequence[int | str]) -> list[str]:
    """The keys that a topic, or an object inside one, knows."""
    return sorted({name for model in _models_at(path) for name in model.model_fields})


def _models_at(path: Sequence[int | str]) -> list[type[BaseModel]]:
    """The models of a topic, or of an object inside one."""
    models: list[type[BaseModel]] = [Settings]
    for part in path:
        following: list[type[BaseModel]] = []
        for model in models:
            field = model.model_fields.get(str(part))
            if field is None:
                following.append(model)  # an index of a list, or a name in a map: stay
            else:
                following.extend(_models_in(field.annotation))
        models = following
    return models


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]


def _nearest(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; it knows {', '.join(known)}" if known else ""


def _read(path: Path) -> tuple[Mapping[str, Any], list[str]]:
    try:
        document = cast("Any", YAML(typ="rt")).load(path)
    except FileNotFoundError:
        there = sorted(file.stem.removeprefix("Pulumi.") for file in path.parent.glob("Pulumi.*.yaml"))
        raise SettingsError(_shown(path), [f"no such file; there are {', '.join(there) or 'none'}"]) from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(_shown(path), [f"no valid YAML: {' '.join(str(error).split())}"]) from None
    if not isinstance(document, Mapping):
        raise SettingsError(_shown(path), ["should be a mapping with the key config"])
    found = cast("Mapping[str, Any]", document)
    problems = [
        f"{_line_at(found, name)}{name}: unknown key at the top{_nearest(str(name), TOP_LEVEL)}"
        for name in found
        if name not in TOP_LEVEL
    ]
    return found, problems


def _line(document: Mapping[str, Any], path: Sequence[int | str]) -> str:
    """`line 12: ` of the deepest part of a path that stands in the file, or nothing."""
    node: Any = document.get("config")
    text = ""
    for depth, name in enumerate(path):
        there = not isinstance(node, Mapping) or name in cast("Mapping[Any, Any]", node)
        # A key may have dots itself: that of a label has (`example.com/team`).
        part = name if there else ".".join(str(each) for each in path[depth:])
        try:
            text = _line_at(node, part) or text
            node = cast("Any", node)[part]
        except (KeyError, IndexError, TypeError):
            break
    return text


def _line_at(node: Any, part: int | str) -> str:
    position = getattr(node, "lc", None)
    if position is None:
        return ""
    try:
        line = position.key(part)[0] if isinstance(node, Mapping) else position.item(part)[0]
    except (KeyError, IndexError, TypeError):
        return ""
    return f"line {line + 1}: "


def _shown(path: Path) -> str:
    return f"{FOLDER}/{path.name}" if path.parent.name == FOLDER else str(path)
