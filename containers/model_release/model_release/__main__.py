"""The command line. Progress and errors go to stderr; the last line of stdout is the result, as JSON.

Exit codes: 2 where a command is refused, which running it again does not change; 1 for other errors, after
which the same command continues.
"""

from __future__ import annotations

import json
import os
import sys
import uuid
from pathlib import Path
from typing import Any, Final

import typer

from model_release import card, names, overview, settings
from model_release.comparison import Comparison
from model_release.errors import RefusedError
from model_release.objects import Objects, open_bucket
from model_release.promotion import Promoter, note
from model_release.releases import Release

_REFUSED: Final = 2
app = typer.Typer(
    name="model_release",
    help="Release models: copies that nothing changes afterwards, with a manifest and a log.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
MODEL = typer.Argument(metavar="TEAM/MODEL")
ALIAS = typer.Option("champion", "--alias", help="The alias to set: one that the registry guards.")
PAIRS = typer.Argument(
    metavar="URI FOLDER...", help="RELEASES_URI/TEAM/MODEL/VERSION, and where its files go."
)
TOKEN_FILE = typer.Option(
    None, "--token-file", help="A file with the token. Default: the secret HUGGING_FACE_SECRET, or none."
)
REQUEST = typer.Option(
    "", "--request", help="Identifies the command, so that its repetition is not a second one."
)


def _objects() -> Objects:
    return open_bucket(settings.of_environment(os.environ).releases)


def _promoter() -> Promoter:
    stated = settings.of_environment(os.environ)

    def registry() -> Any:
        # MLflow takes seconds to load.
        from model_release.registry import Registry

        settings.sign_in(os.environ)
        return Registry()

    return Promoter(open_bucket(stated.releases), stated, registry)


def _result(value: Any) -> None:
    sys.stdout.write(json.dumps({"result": value}) + "\n")
    sys.stdout.flush()


@app.command()
def promote(
    model: str = MODEL,
    version: str = typer.Argument(help="The number of the version in MLflow, or hf-COMMIT of an import."),
    alias: str = ALIAS,
    better_than: str = typer.Option("", "--better-than", metavar="ALIAS", help="Only where it is better."),
    metric: str = typer.Option("", "--metric", help="The metric to compare."),
    margin: float = typer.Option(0.0, "--margin", help="By how much at least, 0 to 1, in the metric's unit."),
    lower_is_better: bool = typer.Option(False, "--lower-is-better", help="For errors and losses."),
    request: str = REQUEST,
) -> None:
    """Release a version, and give it an alias."""
    comparison = None
    if better_than or metric:
        if not (better_than and metric):
            raise RefusedError("--better-than and --metric: got one of them; expected both or none")
        if better_than != alias:
            raise RefusedError(f"--better-than: got {better_than!r}; expected the alias to set, {alias!r}")
        comparison = Comparison(better_than, metric, margin, lower_is_better)
    elif margin or lower_is_better:
        raise RefusedError("--margin and --lower-is-better: expected them together with --better-than")
    entry = _promoter().promote(names.model(model), version, alias, request or uuid.uuid4().hex, comparison)
    _result(entry.model_dump(mode="json"))


@app.command()
def rollback(
    model: str = MODEL,
    alias: str = ALIAS,
    leaves: str = typer.Option("", "--from", metavar="VERSION", help="The version that has it now."),
    request: str = REQUEST,
) -> None:
    """Give an alias to the release that had it before."""
    entry = _promoter().rollback(names.model(model), alias, request or uuid.uuid4().hex, leaves or None)
    _result(entry.model_dump(mode="json"))


@app.command()
def verify(model: str = MODEL, version: str = typer.Argument()) -> None:
    """Compare the files of a release with its manifest."""
    release = Release(_objects(), names.model(model), names.version(version))
    manifest, digest = release.verify()
    _result({"model": model, "version": version, "files": len(manifest.files), "manifest_sha256": digest})


@app.command(name="import")
def import_(
    model: str = MODEL,
    repository: str = typer.Option(..., "--repository", help="OWNER/NAME on Hugging Face."),
    revision: str = typer.Option(..., "--revision", help="The full commit."),
    card_text: str = typer.Option(..., "--card", metavar="JSON|FILE", help="The model card."),
    token_file: Path | None = TOKEN_FILE,
) -> None:
    """Copy a revision of Hugging Face, weights in safetensors only, so that it can be promoted.

    No argument and no variable has the token: it is read from the secret manager, or from a file.
    """
    from model_release.hub import HUB, Source, import_release

    name = names.model(model)
    text = card_text if card_text.lstrip().startswith("{") else Path(card_text).read_text()
    content = card.parse(text, "--card")
    token = token_file.read_text().strip() if token_file else settings.hub_token(os.environ)
    source = Source(repository, revision, token or None, os.environ.get("HF_ENDPOINT") or HUB)
    manifest = import_release(_objects(), name, source, content)
    _result({"model": model, "version": manifest.version, "files": len(manifest.files)})


@app.command()
def load(pairs: list[str] = PAIRS) -> None:
    """Copy releases for a server, each file compared with its manifest: the storage initializer of KServe.

    It needs to read the releases only: no registry, no approval.
    """
    from model_release.load import load as copy
    from model_release.load import pairs_of, release_of

    releases, objects = settings.of_environment(os.environ).releases, _objects()
    stated = [(release_of(uri, releases, objects), folder) for uri, folder in pairs_of(pairs)]
    copied = [
        {"release": str(release), "files": len(copy(release, folder).files)} for release, folder in stated
    ]
    _result(copied[0] if len(copied) == 1 else copied)


@app.command()
def notify(
    model: str = MODEL,
    version: str = typer.Argument(),
    queue: str = typer.Option("", "--queue", help="Of the team; empty: nothing is sent."),
    request: str = REQUEST,
) -> None:
    """Request the rollout of a promoted version from its team, by a message in the team's queue."""
    from model_release.notify import message, send

    text = message(names.model(model), names.version(version), request or uuid.uuid4().hex)
    _result({"message": send(queue, text) if queue else None})


@app.command(name="list")
def list_(team: str = typer.Argument("")) -> None:
    """List the models that have releases."""
    _result(overview.listing(_objects(), team))


@app.command()
def show(model: str = MODEL) -> None:
    """Show the releases of a model and its promotions."""
    _result(overview.details(_objects(), names.model(model)))


def main() -> int:
    """Run the command line."""
    try:
        app(prog_name="model_release", standalone_mode=True)
    except RefusedError as error:
        note(f"error: {error}")
        return _REFUSED
    except Exception as error:  # noqa: BLE001 - the Job runs it again, and the log has one line of it
        note(f"error: {type(error).__name__}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
