"""`image.toml`: what a folder states about its image."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from cli.output import CommandError

NAME: Final = "image.toml"
FRAMEWORKS: Final = ("torch", "jax", "python")
_WORD: Final = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*")
_LONGEST: Final = 63


@dataclass(frozen=True)
class Description:
    """The content of an image.toml."""

    file: Path
    framework: str
    """`torch`, `jax` or `python`."""
    entrypoint: tuple[str, ...]
    """The command of the container, in the folder."""
    repository: str
    """A name in `container_registry.repositories` of the environment."""
    name: str
    """The name of the image. Default: that of the folder."""
    pool: str | None = None
    """A pool of the environment, whose hardware and network decide the base. Default: nodes without
    accelerators."""
    environments: tuple[str, ...] = ()
    """The environments that it is for, such as those that have the pool. Default: all."""

    def error(self, key: str, problem: str) -> CommandError:
        """Return the error about one of its keys."""
        return CommandError(f"{self.file}:{_line(self.file.read_text(), key)}: {key}: {problem}")


def load(folder: Path) -> Description:
    """Return the description of a folder. Raises CommandError that names the line of what is wrong."""
    file = folder / NAME
    if not folder.is_dir():
        raise CommandError(f"{folder}: no such folder; expected a folder with {NAME}")
    if not file.is_file():
        raise CommandError(f"{file}: missing; expected the description of the image (docs/images.md)")
    text = file.read_text()
    try:
        stated = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CommandError(f"{file}: {error}; expected TOML") from error
    problems = [f"{file}:{_line(text, key)}: {key}: {problem}" for key, problem in _problems(stated)]
    if problems:
        raise CommandError("\n".join(problems))
    stated.setdefault("name", folder.resolve().name)
    problem = _word(stated["name"])
    if problem:
        raise CommandError(f"{file}: name: the folder's name {problem}; or state `name`")
    lists = {key: tuple(stated[key]) for key in ("entrypoint", "environments") if key in stated}
    return Description(file=file, **{**stated, **lists})


def _problems(stated: Mapping[str, Any]) -> list[tuple[str, str]]:
    problems: list[tuple[str, str]] = []
    for key, value in stated.items():
        problem = _RULES[key](value) if key in _RULES else _unknown(key)
        if problem:
            problems.append((key, problem))
    missing = [key for key in ("framework", "entrypoint", "repository") if key not in stated]
    return problems + [(key, f"missing; expected {_EXPECTED[key]}") for key in missing]


def _unknown(key: str) -> str:
    close = get_close_matches(key, _RULES, 1)
    meant = f"; did you mean {close[0]}?" if close else ""
    return f"unknown key; expected one of {', '.join(_RULES)}{meant}"


def _framework(value: Any) -> str | None:
    if value in FRAMEWORKS:
        return None
    close = get_close_matches(str(value), FRAMEWORKS, 1)
    meant = f"; did you mean {close[0]}?" if close else ""
    return f"got {value!r}; expected {_EXPECTED['framework']}{meant}"


def _entrypoint(value: Any) -> str | None:
    words: list[Any] = value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType]
    if words and all(isinstance(word, str) and word and word.isprintable() for word in words):
        return None
    return f"got {value!r}; expected {_EXPECTED['entrypoint']}"


def _word(value: Any) -> str | None:
    if isinstance(value, str) and _WORD.fullmatch(value) and len(value) <= _LONGEST:
        return None
    return (
        f"is {value!r}; expected lower-case letters and digits in words joined by '.', '_' or '-', at most "
        f"{_LONGEST} characters"
    )


def _path(value: Any) -> str | None:
    if isinstance(value, str) and value and all(_WORD.fullmatch(part) for part in value.split("/")):
        return None
    return f"got {value!r}; expected {_EXPECTED['repository']}"


def _environments(value: Any) -> str | None:
    names: list[Any] = value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType]
    if names and all(isinstance(name, str) and _WORD.fullmatch(name) for name in names):
        return None
    return f"got {value!r}; expected {_EXPECTED['environments']}"


def _pool(value: Any) -> str | None:
    return None if isinstance(value, str) and value else f"got {value!r}; expected the name of a pool"


_EXPECTED: Final = {
    "framework": f"one of {', '.join(FRAMEWORKS)}",
    "entrypoint": 'a list of words, ["python", "train.py"]',
    "environments": 'a list of names of environments, ["aws-prod"]',
    "repository": "a name in container_registry.repositories of the environment, `training`",
}
_RULES: Final[Mapping[str, Callable[[Any], str | None]]] = {
    "framework": _framework,
    "entrypoint": _entrypoint,
    "repository": _path,
    "name": _word,
    "pool": _pool,
    "environments": _environments,
}


def _line(text: str, key: str) -> int:
    """Return the line of a key; 1 where the file does not state it."""
    matched = re.search(rf"^\s*[\"']?{re.escape(key)}[\"']?\s*=", text, re.MULTILINE)
    return text.count("\n", 0, matched.end()) + 1 if matched else 1
