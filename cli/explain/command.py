"""The command `aiplatform explain`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import typer

from cli import instances
from cli.output import say, table
from cli.program_answers import answer_of
from cli.stacks import PANEL

KEY: Final = typer.Argument(
    metavar="KEY", help="A key of an environment file: cluster.version, gpu_pools.*.max.", show_default=False
)
ENVIRONMENT: Final = typer.Option(
    "", "--env", metavar="ENVIRONMENT", help="Print also its value there, and the line that states it."
)
AS_JSON: Final = typer.Option(False, "--json", help="Print a JSON document.")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL, options_metavar="[OPTION]...")(explain)


def explain(key: str = KEY, environment: str = ENVIRONMENT, as_json: bool = AS_JSON) -> None:
    """Explain a key of an environment file: meaning, values, defaults, and its effect on each cloud.

    Of a topic or an object it lists the keys. Entries of maps and lists are `*`, or their names:
    gpu_pools.training.max.
    """
    if environment:
        instances.config(environment)  # an unknown environment is reported with the near one
    answer = document(key, environment)
    if as_json:
        say(json.dumps(answer, indent=1))
        return
    for line in _lines(answer):
        say(line)
    if answer["default"]:
        say()
        _print_defaults(answer["default"], list(answer["clouds"].values()))
    if answer["keys"]:
        from rich.markup import escape

        say()
        # Brackets of a meaning are no markup.
        table(("key", "meaning"), [(name, escape(_plain(text))) for name, text in answer["keys"].items()])


def document(key: str, environment: str = "") -> dict[str, Any]:
    """Return what the program knows of a key. Raises CommandError for an unknown one, with the nearest."""
    return answer_of("explain", key, *filter(None, [environment]))


def _lines(answer: Mapping[str, Any]) -> Iterator[str]:
    yield f"{answer['key']}: {_plain(answer['meaning'])}"
    yield ""
    yield f"type: {answer['type']}"
    if answer["allowed"]:
        yield f"allowed: {'; '.join(answer['allowed'])}"
    if answer["unit"]:
        yield f"unit: {answer['unit']}"
    for cloud, effect in answer["effect"].items():
        around = f" (of {effect['of']})" if effect["of"] else ""
        text = _plain(effect["text"])
        refused = "" if effect["supported"] else "not supported: "
        yield f"on {answer['clouds'][cloud]}{around}: {refused}{text}"
    yield f"taken by: {answer['taken_by']} ({answer['docs']})"
    if "environment" in answer:
        yield from _values(answer["environment"], answer["values"])


def _values(environment: str, values: list[dict[str, Any]]) -> Iterator[str]:
    if not values:
        yield f"in {environment}: no value, since it has no such entry or object"
    for value in values:
        source = {
            "file": value["place"],
            "profile": "default of the profile",
            "default": "default",
            "required": "missing",
        }[value["source"]]
        yield f"in {environment}: {value['path']} = {_value(value['value'])} ({source})"


def _print_defaults(defaults: Mapping[str, Mapping[str, Mapping[str, Any]]], clouds: list[str]) -> None:
    """Print the defaults by profile: one column where the clouds have the same."""
    from rich.markup import escape

    rows = [
        (profile, *(escape(_cell(cell)) for cell in of_cloud.values()))
        for profile, of_cloud in defaults.items()
    ]
    if all(len({*cells}) == 1 for _, *cells in rows):
        table(("profile", "default"), [(profile, cells[0]) for profile, *cells in rows])
    else:
        table(("profile", *(f"default on {name}" for name in clouds)), rows)


def _cell(default: Mapping[str, Any]) -> str:
    return "required" if default.get("required") else _value(default["value"])


def _value(value: Any) -> str:
    return "none" if value is None else value if isinstance(value, str) else json.dumps(value)


def _plain(text: str) -> str:
    """Return a text of the documentation for a terminal."""
    return text.replace("`", "")
