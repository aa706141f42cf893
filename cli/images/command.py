"""`aiplatform images`: list the images and charts of an environment, or copy them into a mirror."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from cli.output import CommandError, note, say, table
from cli.program_answers import answer_of
from cli.stacks import ENVIRONMENT

if TYPE_CHECKING:
    from cli.images.registry import Registry

_ROOT: Final = Path(__file__).resolve().parents[2]
_OCI: Final = "oci://"
_MIB: Final = 1 << 20
Entry = Mapping[str, str]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="images", rich_help_panel="Images and charts")(images)


def images(
    environment: str = ENVIRONMENT,
    as_json: bool = typer.Option(False, "--json", help="Print the list as JSON."),
    sizes: bool = typer.Option(False, "--sizes", help="Ask the registries for the sizes of images."),
    copy: str = typer.Option(
        "", "--copy", metavar="REGISTRY", help="Copy all of them to this registry, or a repository in it."
    ),
) -> None:
    """List the images and charts that an environment installs, with their digests.

    Reads the environment's file only. Images that a cloud installs itself are not listed. `--copy` pulls each
    from its publisher, compares it with its digest, and prints the settings by which the environment uses the
    copies. It logs in as `docker login` did, to ECR by the AWS credentials of this machine.
    """
    document = list_of(environment)
    if copy:
        _copy(document, copy.removeprefix(_OCI).rstrip("/"))
    elif as_json:
        say(json.dumps(document, indent=1))
    else:
        _print(document, sizes=sizes)


def list_of(environment: str) -> dict[str, list[dict[str, str]]]:
    """Return the list, by the program of the environment."""
    return answer_of("image_list", environment)


def _print(document: Mapping[str, list[dict[str, str]]], *, sizes: bool) -> None:
    rows = [
        (entry["user"], entry["pulled_from"], *([_size(entry)] if sizes else []))
        for entry in document["images"]
    ]
    table(("used by", "image", *(["MiB"] if sizes else [])), rows)
    say()
    charts = [
        (entry["user"], entry["chart"], entry["version"], entry["digest"]) for entry in document["charts"]
    ]
    table(("used by", "chart", "version", "digest"), charts)
    for kind, reference in (("images", "image"), ("charts", "chart")):
        without = [entry[reference] for entry in document[kind] if not entry["digest_source"]]
        if without:
            note(f"{kind} without a known digest: {', '.join(without)}")


def _size(entry: Entry) -> str:
    """Return the size of an image for one platform, compressed, as its registry states it."""
    from cli.images.registry import Registry, RegistryError  # requests takes a fifth of a second to load

    host, repository, reference = parts(entry["image"])
    registry = Registry(host)
    try:
        manifest = registry.manifest(repository, reference)
        if manifest.is_index:
            manifest = registry.manifest(repository, str(manifest.document["manifests"][0]["digest"]))
    except RegistryError as error:
        return f"unknown ({error})"
    return str(round(sum(size for _, size in manifest.blobs) / _MIB))


def _copy(document: Mapping[str, list[dict[str, str]]], target: str) -> None:
    from cli.images.registry import Registry, RegistryError

    host, _, prefix = target.partition("/")
    registry, failures = Registry(host), list[str]()
    upstream = {entry["image"].partition("/")[0] for entry in document["images"]}
    tasks = [
        *((entry["image"], _image_copier(entry, registry, prefix)) for entry in document["images"]),
        *_chart_copiers(document["charts"], registry, prefix),
    ]
    for name, copier in tasks:
        try:
            note(f"{name}: {round(copier() / _MIB, 1)} MiB")
        except RegistryError as error:
            failures.append(f"{name}: {error}")
    if failures:
        raise CommandError("\n".join(("not copied:", *failures)))
    say("ai-platform:images:")
    say(f"  mirrors: {{{', '.join(f'{name}: {target}/{name}' for name in sorted(upstream))}}}")
    if document["charts"]:
        say("ai-platform:addons:")
        say(f"  charts: {_OCI}{target}/charts")


def _image_copier(entry: Entry, registry: Registry, prefix: str) -> Callable[[], int]:
    from cli.images import mirror
    from cli.images.registry import Registry

    host, repository, reference = parts(entry["image"])
    tag = entry["image"].partition("@")[0].rpartition(":")[2]
    path = "/".join(part for part in (prefix, host, repository) if part)
    return lambda: mirror.copy(Registry(host), repository, reference, registry, path, tag)


def _chart_copiers(
    charts: list[dict[str, str]], registry: Registry, prefix: str
) -> Iterator[tuple[str, Callable[[], int]]]:
    for entry in charts:
        name = entry["chart"].rpartition("/")[2]
        path = "/".join(part for part in (prefix, "charts", name) if part)
        if entry["chart"].endswith(".yaml"):
            note(f"{entry['chart']}: not copied, as it is no chart; a folder of charts can have it")
        else:
            yield f"{entry['chart']} {entry['version']}", _chart_copier(entry, registry, path)


def _chart_copier(entry: Entry, registry: Registry, path: str) -> Callable[[], int]:
    from cli.images import mirror
    from cli.images.registry import Registry

    chart, version, digest = entry["chart"], entry["version"], entry["digest"]
    if chart.startswith(_OCI):
        host, _, repository = chart.removeprefix(_OCI).partition("/")
        return lambda: mirror.copy(Registry(host), repository, digest or version, registry, path, version)
    repository, _, name = chart.rpartition("/")

    def copy() -> int:
        address = mirror.chart_address(repository, name, version)
        return mirror.push_chart(address, digest, registry, path, version)

    return copy


def parts(image: str) -> tuple[str, str, str]:
    """Return registry, repository, and digest, or tag where there is no digest."""
    name, _, digest = image.partition("@")
    place, _, tag = name.rpartition(":")
    host, _, repository = place.partition("/")
    return host, repository, digest or tag
