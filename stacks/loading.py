"""Read an environment file, or the engine's configuration, into Settings, and report every problem with
its place."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from pydantic import ValidationError

from aiplatform._shared.args import Problem
from stacks import shared_files, yaml_files
from stacks.profiles import PROFILES, with_profile
from stacks.settings import NAMESPACE, TOPICS, Settings, key, parse
from stacks.settings.composition import Layer, LayerName, stack_name
from stacks.shared_files import Located, located
from stacks.suggestions import nearest
from stacks.validation import shape, validate
from stacks.yaml_files import FOLDER, UnreadableError, displayed

ENVIRONMENTS: Final = Path(__file__).resolve().parents[1] / FOLDER
"""The engine runs the program in stacks/, so the folder is found from here."""
LARGEST: Final = 128 * 1024
"""Bytes of a file's own configuration as Pulumi's language host passes it to the program: in one environment
variable, PULUMI_CONFIG, which Linux limits to 32 pages (execve(2), MAX_ARG_STRLEN; pulumi/pulumi#8680)."""


class SettingsError(Exception):
    """An environment file that cannot be used.

    problems: one line each, `<file>:<line>: <key>: <problem>; expected <what>`. A problem of a key that is
    in no file, such as a missing one, has no line.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        count = "1 error" if len(problems) == 1 else f"{len(problems)} errors"
        super().__init__("\n".join([*problems, f"{count}; nothing was changed"]))


class Loaded(NamedTuple):
    """What a stack is to deploy."""

    settings: Settings
    """Of the environment."""
    environment: str
    """The environment, by the name of its stack."""
    layer: LayerName | None
    """The layer that this stack has alone; None for the environment's own stack."""


def load_file(path: Path, shared: Path = shared_files.FOLDER) -> Settings:
    """Settings from an environment file. shared: the folder of shared files. Raises SettingsError."""
    document, problems = _read(path)
    config = document.get("config")
    if not isinstance(config, Mapping):
        raise SettingsError(
            [*problems, f"{displayed(path)}: config: missing; expected an object with all topics"]
        )
    size = _size_for_program(cast("Mapping[str, Any]", config))
    if size > LARGEST:
        problems = [
            *problems,
            f"{displayed(path)}: config: {size // 1024} KiB as Pulumi passes it on; expected at most "
            f"{LARGEST // 1024} KiB: move declarations to {FOLDER}/shared/, whose files have no limit",
        ]
    file = displayed(path)
    return _settings(file, located(config, config, file), problems, shared)


def read_merged(path: Path, shared: Path = shared_files.FOLDER) -> Located:
    """Return what a file and the shared files that it names state, each with its place, without checking it.

    Keys are those of the file, `ai-platform:network`. Raises SettingsError where a file cannot be read.
    """
    document, _ = _read(path)
    file = displayed(path)
    config = document.get("config")
    if not isinstance(config, Mapping):
        raise SettingsError([f"{file}: config: missing; expected an object with all topics"])
    merged, problems = shared_files.with_shared(located(config, config, file), shared)
    if problems:
        raise SettingsError([_of_shared(file, {"config": merged}, problem) for problem in problems])
    return merged


def _size_for_program(config: Mapping[str, Any]) -> int:
    """Return the bytes of PULUMI_CONFIG with its name: each value is JSON in a string of a JSON object."""
    values = {
        name: value if isinstance(value, str) else json.dumps(value, default=str, separators=(",", ":"))
        for name, value in config.items()
    }
    return len(f"PULUMI_CONFIG={json.dumps(values)}".encode()) + 1


def load_engine(stack: str) -> Loaded:
    """What the engine's configuration says of a stack. Raises SettingsError."""
    config: dict[str, Any] = {}
    for name, value in json.loads(os.environ.get("PULUMI_CONFIG", "{}")).items():
        try:
            config[name] = json.loads(value)
        except ValueError:
            config[name] = value
    path, document = _file_of(stack)
    of_top = yaml_files.unknown_keys(displayed(path), document)
    placed_config: Located = located(config, document.get("config"), displayed(path))
    if key("layer") in config:
        layer = _layer(stack, displayed(path), placed_config, of_top)
        file, _ = _file_of(layer.environment)
        settings = load_file(file)
        if layer.name not in settings.layers.separate:
            raise SettingsError(
                [
                    f"{displayed(file)}: layers.separate: lacks {layer.name!r}, so that "
                    f"{layer.environment} has the layer itself; expected it there for the stack {stack}"
                ]
            )
        return Loaded(settings, layer.environment, layer.name)
    settings = _settings(displayed(path), placed_config, of_top, shared_files.FOLDER)
    for layer in settings.layers.separate:
        environment = stack.removesuffix(f"-{layer}")
        if environment != stack and _file_of(environment)[0].is_file():
            # It would deploy the whole environment again, into the layer's stack.
            problem = f"layer: missing; this is the configuration of {environment}, not of {stack}"
            raise SettingsError([f"{displayed(path)}: {problem}; expected that of this file"])
    return Loaded(settings, stack, None)


def _layer(stack: str, file: str, config: Located, of_top: Sequence[str]) -> Layer:
    """Return the topic `layer` of a stack, which has no other. of_top: problems of the keys at the file's
    top. Raises SettingsError."""
    document, topic, prefix = {"config": config}, key("layer"), f"{NAMESPACE}:"
    problems = list(of_top)
    problems += [
        f"{_place(file, document, [name])}: {name.removeprefix(prefix)}: a layer's stack takes all settings "
        "from its environment's file; expected layer alone"
        for name in config
        if name.startswith(prefix) and name != topic
    ]
    try:
        layer = Layer.model_validate(config[topic])
    except ValidationError as error:
        for problem in shape.problems(error, config[topic]):
            path = ".".join(filter(None, ["layer", problem.path]))
            problems.append(placed(file, document, Problem(path, problem.reason)))
        raise SettingsError(problems) from None
    expected = stack_name(layer.environment, layer.name)
    if stack != expected:
        problems.append(
            f"{_place(file, document, [topic])}: layer: describes the stack {expected}; expected the file "
            f"{FOLDER}/Pulumi.{expected}.yaml, and not that of {stack}"
        )
    if problems:
        raise SettingsError(problems)
    return layer


def refusal(stack: str, problems: Sequence[Problem]) -> SettingsError:
    """Return the error of problems that only the cloud could report."""
    path, document = _file_of(stack)
    config, file = document.get("config"), displayed(path)
    merged, _ = shared_files.with_shared(located(config or {}, config, file))
    return SettingsError([placed(file, {"config": merged}, problem) for problem in problems])


def _file_of(stack: str) -> tuple[Path, Mapping[str, Any]]:
    """An environment's file, and what is written in it: for line numbers only, as the engine's values are the
    ones that apply."""
    file = ENVIRONMENTS / f"Pulumi.{stack}.yaml"
    return file, _read(file)[0] if file.is_file() else {}


def _settings(file: str, own: Located, problems: Sequence[str], shared: Path) -> Settings:
    config, of_shared = shared_files.with_shared(own, shared)
    document = {"config": config}
    errors = [*problems, *(_of_shared(file, document, problem) for problem in of_shared)]
    rewritten = {_path_of(where): text for where, text in shared_files.rewritten(config)}
    errors += [placed(file, document, Problem(path, text.reason)) for path, text in rewritten.items()]
    topics: dict[str, Any] = {}
    for name, value in config.items():
        namespace, _, topic = name.partition(":")
        if namespace != NAMESPACE:
            # Pulumi's own keys (pulumi:disable-default-providers) and those of providers are not checked
            # here; a
            # namespace that is nearly the platform's is a typing error.
            if difflib.get_close_matches(namespace, [NAMESPACE], cutoff=0.8):
                place = _place(file, document, [name])
                errors.append(f"{place}: {name}: unknown; did you mean {key(topic)!r}?")
        elif topic in TOPICS:
            topics[topic] = value
        else:
            place = _place(file, document, [name])
            errors.append(f"{place}: {topic}: unknown topic{nearest(topic, TOPICS)}")
    # The model reports a wrong cloud or profile; with the defaults of another there are no further errors of
    # keys
    # that its profile would have supplied.
    cloud = _word(topics, "cloud", PROFILES, "aws")
    profile = _word(topics, "profile", PROFILES[cloud], "dev")
    whole = with_profile(cloud, profile, topics)
    try:
        settings = parse(whole)
    except ValidationError as error:
        reported = shape.problems(error, whole)
        if _is_cloud_known(topics):
            rest = shape.without_invalid_keys(whole, error, {"cloud": cloud, "profile": profile})
            invalid = shape.invalid_keys(error, whole)
            # A key that was left out for its shape is not missing.
            others = validate(rest) if rest is not None else []
            reported += [problem for problem in others if not _follows(problem, invalid)]
        # What is rewritten may also have another type than its key: one problem is enough.
        reported = [problem for problem in reported if problem.path not in rewritten]
        raise SettingsError([*errors, *(placed(file, document, problem) for problem in reported)]) from None
    errors += [
        placed(file, document, problem) for problem in validate(settings) if problem.path not in rewritten
    ]
    if errors:
        raise SettingsError(errors)
    return settings


def _path_of(where: Sequence[int | str]) -> str:
    """Return the dotted key of a place in the configuration: `functions.score.owner`."""
    return shared_files.dotted(where).removeprefix(f"{NAMESPACE}:")


def _follows(problem: Problem, invalid: Mapping[str, bool]) -> bool:
    """Return whether a problem only follows from keys that were left out for their shape: it is of such a
    key, of the object or list that has it as an entry, or its reason names it."""
    return any(
        problem.path == path
        or path in problem.reason
        or (is_entry and re.match(rf"{re.escape(problem.path)}[.\[]", path) is not None)
        for path, is_entry in invalid.items()
    )


def _is_cloud_known(topics: Mapping[str, Any]) -> bool:
    """Return whether the file states a cloud that exists, or none. Which values are right depends on it."""
    environment = topics.get("environment")
    if not isinstance(environment, Mapping):
        return True
    return str(cast("Mapping[str, Any]", environment).get("cloud", "aws")) in PROFILES


def _word(topics: Mapping[str, Any], name: str, known: Mapping[str, Any], default: str) -> str:
    """Return cloud or profile as the topic `environment` states it, or the default if that is unknown."""
    environment = topics.get("environment")
    if not isinstance(environment, Mapping):
        return default
    word = str(cast("Mapping[str, Any]", environment).get(name))
    return word if word in known else default


def _of_shared(file: str, document: Mapping[str, Any], problem: shared_files.SharedProblem) -> str:
    """Return a problem of shared files with its place."""
    place = problem.place or _place(file, document, problem.path)
    path = _path_of(problem.path)
    return ": ".join(filter(None, [str(place), path, problem.reason]))


def placed(file: str, document: Mapping[str, Any], problem: Problem) -> str:
    """Return a problem with its place: `environments/Pulumi.aws-dev.yaml:7: network.cidr: got ...`."""
    if not problem.path:
        return f"{file}: {NAMESPACE}: {problem.reason}"
    topic, _, below = problem.path.partition(".")
    path = [int(part) if part.isdigit() else part for part in re.split(r"[.\[\]]+", below) if part]
    return f"{_place(file, document, [key(topic), *path])}: {problem.path}: {problem.reason}"


def _read(path: Path) -> tuple[Mapping[str, Any], list[str]]:
    """Return the document of a file, and the problems of the keys at its top. Raises SettingsError."""
    file = displayed(path)
    try:
        document = yaml_files.load(path)
    except FileNotFoundError:
        stacks = sorted(file.stem.removeprefix("Pulumi.") for file in path.parent.glob("Pulumi.*.yaml"))
        expected = f"; expected one of {', '.join(stacks)}" if stacks else ""
        raise SettingsError([f"{file}: no such file{expected}"]) from None
    except UnreadableError as error:
        raise SettingsError([error.at(file)]) from None
    if not isinstance(document, Mapping):
        raise SettingsError([yaml_files.not_an_object(file, document)])
    content = cast("Mapping[str, Any]", document)
    return content, yaml_files.unknown_keys(file, content)


def _place(file: str, document: Mapping[str, Any], path: Sequence[int | str]) -> str:
    """Return `<file>:<line>` of the deepest part of a path that is in a file, a shared one for what that
    states; or the environment's file alone."""
    node: Any = document.get("config")
    place = file
    for depth, name in enumerate(path):
        exists = not isinstance(node, Mapping) or name in cast("Mapping[Any, Any]", node)
        # A key may contain dots, as that of a label does (`example.com/team`).
        part = name if exists else ".".join(str(rest) for rest in path[depth:])
        try:
            located_node = cast("Any", node)
            place = str(located_node.places[part] or place)
            node = located_node[part]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return place
