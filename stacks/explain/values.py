"""The value of a key in an environment, and the line that states it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from stacks.explain import defaults
from stacks.explain.keys import ANY, Key, every
from stacks.loading import ENVIRONMENTS, read_merged
from stacks.profiles import OPTIONAL, PROFILES, excluded_paths
from stacks.settings import key as topic_key
from stacks.shared_files import IDENTITIES, Located, LocatedList


@dataclass(frozen=True)
class Value:
    """A value. path: with the names of entries. place: `FILE:LINE`; empty where no file states it."""

    path: str
    value: Any
    source: str
    """`file`, `profile`, `default`, or `required` where it is missing."""
    place: str = ""


def values(key: Key, stated: Sequence[str], environment: str, folder: Path = ENVIRONMENTS) -> list[Value]:
    """Return the values of a key in an environment: one for each entry of its lists and maps.

    stated: the path with the names of entries that a user means, or `*` for all. Empty where the environment
    has no such entry or object. Raises SettingsError where the file cannot be read.
    """
    return in_config(key, stated, read_merged(folder / f"Pulumi.{environment}.yaml"))


def in_config(key: Key, stated: Sequence[str], config: Located) -> list[Value]:
    """Return the values of a key in a configuration, merged with its shared files."""
    topic = config.get(topic_key("environment"))
    location: Mapping[str, Any] = cast("Mapping[str, Any]", topic) if isinstance(topic, Mapping) else {}
    cloud = _known(location.get("cloud"), PROFILES)
    profile = _known(location.get("profile"), PROFILES[cloud])
    root = Located(
        {name.partition(":")[2]: value for name, value in config.items()},
        {name.partition(":")[2]: place for name, place in config.places.items()},
    )
    if _is_absent(key, cloud, profile, root):
        return []
    result: list[Value] = []
    for names, node, place in _entries(root, list(stated), key.path):
        if place is not None:
            result.append(Value(names, _plain(node), "file", str(place)))
        else:
            result.append(_default(key, names, cloud, profile, root))
    return result


def _known(word: Any, known: Mapping[str, Any]) -> str:
    """Return the cloud or the profile of a file, the first where it states one that there is none of."""
    return word if isinstance(word, str) and word in known else next(iter(known))


def _is_absent(key: Key, cloud: str, profile: str, root: Located) -> bool:
    """Return whether the environment lacks the topic or object of a key, so that no default applies."""
    node: Any = root
    for length, part in enumerate(key.path[:-1], 1):
        if part == ANY:
            return False
        node = node.get(part) if isinstance(node, Located) else None
        if node is not None:
            continue
        optional = length == 1 and part in OPTIONAL
        of_profile = defaults.of_profile(cloud, profile, key.path[:length])
        if optional or (
            of_profile is defaults.MISSING and defaults.of_field(every()[key.path[:length]].field) is None
        ):
            return True
    return False


def _default(key: Key, names: str, cloud: str, profile: str, root: Mapping[str, Any]) -> Value:
    if key.path[1:] in excluded_paths(key.path[0], root.get(key.path[0])):
        return Value(names, None, "default")
    value = defaults.of_profile(cloud, profile, key.path)
    if value is not defaults.MISSING:
        return Value(names, defaults.plain(value), "profile")
    value = defaults.of_key(key)
    if value is defaults.MISSING:
        return Value(names, None, "required")
    return Value(names, defaults.plain(value), "default")


def _entries(node: Any, stated: list[str], path: Sequence[str]) -> Iterator[tuple[str, Any, Any]]:
    """Yield (path with names, value, place) of what a path leads to; a key that is missing has no place."""
    steps: list[tuple[list[str], Any, Any]] = [([], node, None)]
    for part, name in zip(path, stated, strict=False):
        following: list[tuple[list[str], Any, Any]] = []
        for names, value, _ in steps:
            if part == ANY:
                following += [
                    ([*names, label], entry, place)
                    for label, entry, place in _all(value, ".".join(path[: len(names)]))
                    if name in (ANY, label)
                ]
            elif isinstance(value, Located):
                following.append(([*names, part], value.get(part), value.places.get(part)))
            else:
                following.append(([*names, part], None, None))
        steps = following
    for names, value, place in steps:
        yield ".".join(names), value, place


def _all(value: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield the entries of a map by their names, and those of a list by their identity or index."""
    if isinstance(value, Located):
        for name, entry in value.items():
            yield name, entry, value.places.get(name)
    elif isinstance(value, LocatedList):
        names = IDENTITIES.get(path, ("name",))
        for index, (entry, place) in enumerate(zip(value, value.places, strict=True)):
            known: Mapping[str, Any] = entry if isinstance(entry, Located) else {}
            label = ".".join(str(known[name]) for name in names if name in known)
            yield (label if label.count(".") == len(names) - 1 and label else str(index)), entry, place


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(below) for name, below in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in cast("list[Any]", value)]
    return value
