"""Declarations that environments share (docs/adr/0024): read them, and merge a file's own keys over them.

What is merged keeps the place where it is written, so that an error states the shared file and its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from stacks import profiles, yaml_files
from stacks.settings import NAMESPACE, key
from stacks.settings.composition import SHARED_NAME
from stacks.suggestions import did_you_mean
from stacks.yaml_files import Rewritten, UnreadableError

FOLDER: Final = Path(__file__).resolve().parents[1] / "environments" / "shared"
ROOT_KEY: Final = "shared"
"""The only key at the top of a shared file; its topics are under it."""
OWN_TOPICS: Final = ("environment", "shared", "layers", "layer")
"""Topics of an environment's own file: they state what it is and what it consists of."""
IDENTITIES: Final[Mapping[str, tuple[str, ...]]] = {
    "lakehouse.tables": ("zone", "name"),
    "lakehouse.streams": ("name",),
    "lakehouse.captures": ("name",),
    "lakehouse.batches": ("name",),
    "lakehouse.snapshots": ("table", "name"),
    "lakehouse.grants": ("name",),
    "container_registry.caches": ("upstream",),
}
"""Lists whose entries merge one by one -> the keys that identify an entry. Other lists replace."""


class Place(NamedTuple):
    """Where something is written."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Located(dict[str, Any]):
    """An object, with the place of each key."""

    def __init__(self, values: Mapping[str, Any], places: Mapping[str, Place]) -> None:
        super().__init__(values)
        self.places = dict(places)


class LocatedList(list[Any]):
    """A list, with the place of each entry."""

    def __init__(self, values: Sequence[Any], places: Sequence[Place | None]) -> None:
        super().__init__(values)
        self.places = list(places)


class SharedProblem(NamedTuple):
    """What is wrong with a shared file or with how it is named."""

    path: tuple[int | str, ...]
    """The key, from the topic's on."""
    reason: str
    place: Place | None = None
    """Where, if not at `path` in the environment's own file."""


def located(value: Any, node: Any, file: str) -> Any:
    """Return a value with the places of a YAML node that has the same shape, as far as it has. Keys are text,
    as Pulumi passes them on; a scalar that it rewrites is as it is written."""
    if isinstance(value, Mapping):
        values, places = dict[str, Any](), dict[str, Place]()
        written = _written_keys(node)
        for name, below in cast("Mapping[Any, Any]", value).items():
            key_in_node = written.get(name, name)
            text = key_in_node if isinstance(key_in_node, Rewritten) else yaml_files.key_text(name)
            line = _line_of(node, key_in_node)
            if line is not None:
                places[text] = Place(file, line)
            values[text] = located(below, _below(node, key_in_node), file)
        return Located(values, places)
    if isinstance(value, list):
        entries = cast("list[Any]", value)
        rows = [_line_of(node, index) for index in range(len(entries))]
        return LocatedList(
            [located(entry, _below(node, index), file) for index, entry in enumerate(entries)],
            [None if row is None else Place(file, row) for row in rows],
        )
    if isinstance(node, Rewritten) and value == node.passed:
        return node
    return yaml_files.of_go(value) or yaml_files.text_of(value)


def _written_keys(node: Any) -> dict[Any, Any]:
    """Return key as it arrives -> key of a YAML node: a number, or a date."""
    if not isinstance(node, Mapping):
        return {}
    keys = [key for key in cast("Mapping[Any, Any]", node) if not isinstance(key, str)]
    dates = [key for key in cast("Mapping[Any, Any]", node) if isinstance(key, Rewritten)]
    return {yaml_files.key_text(key): key for key in keys} | {str(date.passed): date for date in dates}


def rewritten(
    node: Any, path: tuple[int | str, ...] = ()
) -> Iterator[tuple[tuple[int | str, ...], Rewritten]]:
    """Yield the path of each scalar without quotes that Pulumi rewrites, values and keys, and its text."""
    if isinstance(node, Located):
        for name, value in node.items():
            if isinstance(name, Rewritten):
                yield (*path, name), name
            yield from rewritten(value, (*path, name))
    elif isinstance(node, LocatedList):
        for index, value in enumerate(node):
            yield from rewritten(value, (*path, index))
    elif isinstance(node, Rewritten):
        yield path, node


def with_shared(config: Located, folder: Path = FOLDER) -> tuple[Located, list[SharedProblem]]:
    """Return an environment's configuration laid over the shared files that it names, and what is wrong with
    these. A key of the wrong shape is left for the model to report."""
    topic = config.get(key("shared"))
    if not isinstance(topic, Mapping):
        return config, []
    named = cast("Mapping[str, Any]", topic)
    shared, problems = Located({}, {}), list[SharedProblem]()
    read: list[str] = []
    for index, name in enumerate(_strings(named.get("files"))):
        path = (key("shared"), "files", index)
        if name in read:
            problems.append(SharedProblem(path, f"got {name!r} a second time; expected each file once"))
        elif re.fullmatch(SHARED_NAME, name):
            content, wrong = _read(folder, name, path)
            problems += wrong
            _add(shared, content, problems)
            read.append(name)
    for index, dotted in enumerate(_strings(named.get("remove"))):
        if not _remove(shared, dotted):
            reason = (
                f"the shared files have no {dotted!r} to remove{did_you_mean(dotted, sorted(_paths(shared)))}"
            )
            problems.append(SharedProblem((key("shared"), "remove", index), reason))
    for name, below in shared.items():
        for path in profiles.excluded_paths(name.removeprefix(f"{NAMESPACE}:"), config.get(name)):
            _drop(below, path)
    return _merged(shared, config, (), problems), problems


def _read(folder: Path, name: str, path: tuple[int | str, ...]) -> tuple[Located, list[SharedProblem]]:
    file, nothing = folder / f"{name}.yaml", Located({}, {})
    displayed = f"environments/shared/{name}.yaml"
    try:
        document = yaml_files.load(file)
    except FileNotFoundError:
        there = sorted(path.stem for path in folder.glob("*.yaml"))
        reason = (
            f"got {name!r}, and there is no {displayed}; expected one of {', '.join(there) or 'none'}"
            f"{did_you_mean(name, there)}"
        )
        return nothing, [SharedProblem(path, reason)]
    except UnreadableError as error:
        where = error.path or "no valid YAML"
        return nothing, [SharedProblem((), f"{where}: {error.reason}", Place(displayed, error.line or 1))]
    if not isinstance(document, Mapping) or not isinstance(document.get(ROOT_KEY), Mapping):  # pyright: ignore[reportUnknownMemberType]
        reason = f"{ROOT_KEY}: missing; expected an object with {key('<topic>')} keys"
        return nothing, [SharedProblem((), reason, Place(displayed, 1))]
    content = cast("Located", located(document, document, displayed))
    problems = [
        SharedProblem(
            (name,), f"unknown key at the top; expected {ROOT_KEY!r} alone", content.places.get(name)
        )
        for name in content
        if name != ROOT_KEY
    ]
    topics = cast("Located", content[ROOT_KEY])
    for topic in list(topics):
        reason = _refusal_of(str(topic))
        if reason:
            problems.append(SharedProblem((topic,), reason, topics.places.get(topic)))
            del topics[topic]
    problems += [
        SharedProblem(
            where,
            "a secret cannot be shared, since the engine decrypts those of the stack's own file alone; "
            "move it there",
            place,
        )
        for where, place in _secrets(topics, ())
    ]
    return topics, problems


def _refusal_of(topic: str) -> str:
    """Return why a topic cannot be in a shared file; empty where it can. An unknown one is refused later."""
    namespace, _, name = topic.partition(":")
    if namespace != NAMESPACE:
        return f"cannot be shared; expected {key('<topic>')}"
    if name == "shared":
        return "shared files do not name others; name each in the environment's own file"
    if name in OWN_TOPICS:
        return "cannot be shared; each environment states it in its own file"
    return ""


def _secrets(node: Any, path: tuple[int | str, ...]) -> Iterator[tuple[tuple[int | str, ...], Place | None]]:
    """Yield the path and the place of each encrypted value, `{secure: v1:...}`."""
    if isinstance(node, Located):
        for name, value in node.items():
            if isinstance(value, Located) and list(value) == ["secure"]:
                yield (*path, name), node.places.get(name)
            else:
                yield from _secrets(value, (*path, name))
    elif isinstance(node, LocatedList):
        for index, value in enumerate(node):
            yield from _secrets(value, (*path, index))


def _add(into: Located, other: Located, problems: list[SharedProblem], path: tuple[str, ...] = ()) -> None:
    """Add another shared file's declarations. Each is stated in one file: a second one is a problem."""
    for name, value in other.items():
        place, here = other.places.get(name), (*path, name)
        present = into.get(name)
        if name not in into:
            into[name] = value
            if place is not None:
                into.places[name] = place
        elif isinstance(present, Located) and isinstance(value, Located):
            _add(present, value, problems, here)
        elif isinstance(present, LocatedList) and isinstance(value, LocatedList) and _identity(_dotted(here)):
            _add_entries(present, value, problems, here)
        else:
            problems.append(SharedProblem(here, _stated_twice(into.places.get(name)), place))


def _add_entries(
    into: LocatedList, other: LocatedList, problems: list[SharedProblem], path: tuple[str, ...]
) -> None:
    names = _identity(_dotted(path))
    known = {_values(entry, names): place for entry, place in zip(into, into.places, strict=True)}
    for index, (entry, place) in enumerate(zip(other, other.places, strict=True)):
        identity = _values(entry, names)
        if identity is not None and identity in known:
            problems.append(SharedProblem((*path, index), _stated_twice(known[identity]), place))
        else:
            into.append(entry)
            into.places.append(place)


def _stated_twice(first: Place | None) -> str:
    where = first or "another shared file"
    return f"stated in {where} already; expected each shared declaration once"


def _merged(base: Located, over: Located, path: tuple[str, ...], problems: list[SharedProblem]) -> Located:
    """Return `over` laid over `base`, with the places of both."""
    result = Located(base, base.places)
    for name, value in over.items():
        below, here = result.get(name), (*path, name)
        if isinstance(below, Located) and isinstance(value, Located):
            result[name] = _merged(below, value, here, problems)
        elif isinstance(below, LocatedList) and isinstance(value, LocatedList) and _identity(_dotted(here)):
            result[name] = _merged_entries(below, value, here, problems)
        elif below is not None and value is None:
            # A line that was begun and not finished must not remove what is shared, a lakehouse for one.
            problems.append(
                SharedProblem(here, "it is empty; expected a value, or its path under shared.remove")
            )
        else:
            result[name] = value
        if name in over.places:
            result.places[name] = over.places[name]
    return result


def _merged_entries(
    base: LocatedList, over: LocatedList, path: tuple[str, ...], problems: list[SharedProblem]
) -> LocatedList:
    """Return entries by their identity. One that is stated twice stays twice: the component refuses it."""
    result, names = LocatedList(base, base.places), _identity(_dotted(path))
    waiting = {_values(entry, names): index for index, entry in reversed(list(enumerate(base)))}
    for entry, place in zip(over, over.places, strict=True):
        index = waiting.pop(_values(entry, names), None) if isinstance(entry, Located) else None
        if index is None:
            result.append(entry)
            result.places.append(place)
        else:
            result[index], result.places[index] = _merged(result[index], entry, path, problems), place
    return result


def _drop(node: Any, path: tuple[str, ...]) -> None:
    """Remove what a path leads to, where there is such a thing."""
    for part in path[:-1]:
        node = node.get(part) if isinstance(node, Located) else None
    if isinstance(node, Located):
        node.pop(path[-1], None)


def _remove(node: Any, dotted: str) -> bool:
    """Remove what a path leads to; return whether there was such a thing."""
    for holder, part, path in _steps(node):
        if path == dotted:
            if isinstance(holder, LocatedList):
                del holder.places[cast("int", part)]
            del cast("Any", holder)[part]
            return True
    return False


def _paths(node: Any) -> Iterator[str]:
    return (path for _, _, path in _steps(node))


def _steps(node: Any, path: str = "") -> Iterator[tuple[Any, int | str, str]]:
    """Yield (what contains it, its key or index, its path) of all that can be removed. An entry of a list is
    named by its identity: `lakehouse.tables.curated.trips`."""
    if isinstance(node, Located):
        for name, value in node.items():
            here = _dotted((path, str(name).removeprefix(f"{NAMESPACE}:")))
            yield node, name, here
            yield from _steps(value, here)
    elif isinstance(node, LocatedList) and (names := _identity(path)):
        for index, entry in enumerate(node):
            identity = _values(entry, names)
            if identity is not None:
                here = _dotted((path, *identity))
                yield node, index, here
                yield from _steps(entry, here)


def _identity(path: str) -> tuple[str, ...]:
    return IDENTITIES.get(path.removeprefix(f"{NAMESPACE}:"), ())


def _values(entry: Any, names: Sequence[str]) -> tuple[str, ...] | None:
    """Return what identifies an entry; None where it lacks one of these keys."""
    if not isinstance(entry, Mapping) or not all(isinstance(entry.get(name), str) for name in names):  # pyright: ignore[reportUnknownMemberType]
        return None
    return tuple(str(cast("Mapping[str, Any]", entry)[name]) for name in names)


def _dotted(parts: Sequence[str]) -> str:
    return ".".join(part for part in parts if part)


def dotted(path: Sequence[int | str]) -> str:
    """Return `gpu_pools.t4.taints[0].effect`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def _strings(value: Any) -> list[str]:
    return (
        [entry for entry in cast("list[Any]", value) if isinstance(entry, str)]
        if isinstance(value, list)
        else []
    )


def _below(node: Any, part: int | str) -> Any:
    try:
        return node[part]
    except (KeyError, IndexError, TypeError):
        return None


def _line_of(node: Any, part: int | str) -> int | None:
    """Return the line of a key or an entry, from 1; None where the node does not have it."""
    position = getattr(node, "lc", None)
    if position is None:
        return None
    try:
        return 1 + int(position.key(part)[0] if isinstance(node, Mapping) else position.item(part)[0])
    except (KeyError, IndexError, TypeError):
        return None
