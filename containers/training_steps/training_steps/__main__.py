"""The command line: the steps of a training, and the Jobs that handle messages.

Progress and errors go to stderr; results are files of the folder that OUTPUTS names. Exit codes: 2 where a
step is refused, which running it again does not change; 1 for other errors.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import typer

from training_steps import declaration, dispatch, evaluation, queues, tables
from training_steps.errors import RefusedError
from training_steps.jobs import Jobs, Owner, manifest

_REFUSED: Final = 2
app = typer.Typer(
    name="training_steps",
    help="Steps of continuous training.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
MODEL = typer.Argument(metavar="MODEL", help="A model of the ConfigMap.")
SNAPSHOTS = typer.Option(..., "--snapshots", help="JSON: table -> snapshot.")
VIEWS = typer.Option(..., "--feature-views", help="JSON: feature view -> version.")
NAME = typer.Option(..., "--name", help="Of the workflow, and of its first TrainJob.")
UID = typer.Option(..., "--uid", help="Of the workflow.")
RUN = typer.Option(..., "--run", help="The run in MLflow.")
CHAMPION = typer.Option("", "--champion", help="Its version; empty: there is none.")


def _note(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _outputs(**results: str) -> None:
    folder = Path(os.environ.get("OUTPUTS", "/tmp/outputs"))  # noqa: S108 - a volume of the Pod
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in results.items():
        (folder / name).write_text(value)
        _note(f"{name}: {value}")


def _variable(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise RefusedError(f"{name}: missing; expected the variable of the platform's template")
    return value


def _registered_name(model: str) -> str:
    return f"{_variable('PLATFORM_TEAM')}.{model}"


def _kubernetes() -> Any:
    from kubernetes import client, config

    # In a Pod that of its service account.
    config.load_config()
    return client.CustomObjectsApi()


def _namespace() -> str:
    return _variable("NAMESPACE")


def _registry(model: str) -> Any:
    from training_steps.registry import Registry

    return Registry(_registered_name(model))


@app.command()
def pin(model: str = MODEL) -> None:
    """Pin the table's current snapshot, which all later steps read."""
    table = declaration.model(model).table
    _outputs(snapshot=str(tables.current_snapshot(table)))


@app.command()
def features(model: str = MODEL, snapshot: str = typer.Option(..., "--snapshot")) -> None:
    """Pin the tables of the feature views, and state the versions of the views."""
    declared = declaration.model(model)
    views, snapshots = tables.features(declared.feature_views)
    all_snapshots = {**snapshots, declared.table: int(snapshot)}
    _outputs(feature_views=json.dumps(views), snapshots=json.dumps(all_snapshots))


def _values(model: str, name: str, snapshots: str, views: str, more: Mapping[str, str]) -> dict[str, str]:
    declared = declaration.model(model)
    return {
        "PLATFORM_TEAM": _variable("PLATFORM_TEAM"),
        "MODEL": model,
        "TABLE": declared.table,
        "SNAPSHOT": str(json.loads(snapshots)[declared.table]),
        "SNAPSHOTS": snapshots,
        "FEATURE_VIEWS": views,
        "RUN_NAME": name,
        **more,
    }


@app.command()
def train(
    model: str = MODEL,
    name: str = NAME,
    uid: str = UID,
    snapshots: str = SNAPSHOTS,
    views: str = VIEWS,
) -> None:
    """Train: create the TrainJob in the team's queue, and wait for its end."""
    job = declaration.model(model).training
    values = _values(model, name, snapshots, views, {})
    Jobs(_kubernetes(), _namespace()).run(manifest(name, Owner(name, uid), job, values))


@app.command()
def candidate(model: str = MODEL, name: str = NAME) -> None:
    """Find the run of the training, and the champion to compare it with."""
    found = _registry(model).candidate(name)
    _outputs(run=found.run, champion=found.champion)


@app.command()
def evaluate(
    model: str = MODEL,
    name: str = NAME,
    uid: str = UID,
    snapshots: str = SNAPSHOTS,
    views: str = VIEWS,
    run: str = RUN,
    champion: str = CHAMPION,
) -> None:
    """Evaluate candidate and champion on the same snapshot: a TrainJob that writes `evaluation.json`."""
    declared = declaration.model(model).evaluation
    prompts = json.dumps([entry.prompt for entry in declared.prompts])
    more = {
        "RUN_ID": run,
        "CANDIDATE": f"runs:/{run}/model",
        "CHAMPION": f"models:/{_registered_name(model)}/{champion}" if champion else "",
        **({"PROMPTS": prompts} if declared.kind == "prompts" else {}),
    }
    values = _values(model, name, snapshots, views, more)
    body = manifest(f"{name}-eval", Owner(name, uid), declared.job, values)
    Jobs(_kubernetes(), _namespace()).run(body)


@app.command()
def register(
    model: str = MODEL,
    snapshots: str = SNAPSHOTS,
    views: str = VIEWS,
    run: str = RUN,
    champion: str = CHAMPION,
) -> None:
    """Register the version, with what it was made of and how it compares."""
    from training_steps.registry import tags

    declared = declaration.model(model)
    registry = _registry(model)
    result = evaluation.evaluate(declared.evaluation, registry.report(run), has_champion=bool(champion))
    stated = tags(declared, json.loads(snapshots), json.loads(views), champion, result)
    version = registry.register(run, stated)
    for reason in result.reasons:
        _note(f"not promoted: {reason}")
    _outputs(version=version, better=json.dumps(result.is_better))


@app.command()
def request(model: str = MODEL, version: str = typer.Option(..., "--version")) -> None:
    """Request the promotion of a version."""
    text = json.dumps({"promote": {"model": model, "version": version}})
    _note(f"message {queues.send(_variable('PROMOTIONS_QUEUE'), text)}")


@app.command()
def stop(name: str = NAME) -> None:
    """Delete the TrainJobs of a workflow that did not end well."""
    jobs = Jobs(_kubernetes(), _namespace())
    for job in (name, f"{name}-eval"):
        jobs.stop(job)


def _handle(queue: str, bodies: Any, namespace: str) -> None:
    """Make workflows of one message of a queue. A message that is refused is deleted with a note: it would
    come back for ever."""
    message = queues.receive(queue)
    if message is None:
        _note("no message")
        return
    workflows = None
    try:
        text = dispatch.content_of(message)
        for body in bodies(text, message.id) if text is not None else ():
            workflows = workflows or dispatch.Workflows(_kubernetes(), namespace)
            name = f"{namespace}/{body['metadata']['name']}"
            _note(f"workflow {name}" if workflows.submit(body) else f"workflow {name}: nothing to do")
    except RefusedError:
        queues.delete(queue, message)
        raise
    queues.delete(queue, message)


@app.command(name="team-message")
def team_message() -> None:
    """Handle a message of the team's queue: start a training or a rollout."""
    team, releases = _variable("PLATFORM_TEAM"), _variable("RELEASES_URI")
    models = declaration.models()
    _handle(
        _variable("QUEUE"),
        lambda text, identifier: dispatch.of_team(text, identifier, models, team, releases),
        _namespace(),
    )


@app.command(name="promotion-message")
def promotion_message() -> None:
    """Handle a request for a promotion: make the workflow in the namespace `release`."""
    team, answers = _variable("PLATFORM_TEAM"), os.environ.get("TEAM_QUEUE", "")
    waits = _variable("PROFILE") == "prod"
    _handle(
        _variable("QUEUE"),
        lambda text, identifier: [dispatch.of_promotions(text, identifier, team, answers, waits=waits)],
        _variable("RELEASE_NAMESPACE"),
    )


def main() -> int:
    """Run the command line."""
    try:
        app(prog_name="training_steps", standalone_mode=True)
    except RefusedError as error:
        _note(f"error: {error}")
        return _REFUSED
    except Exception as error:  # noqa: BLE001 - the step runs again, and the log has one line of it
        _note(f"error: {type(error).__name__}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
