"""Teams that leave: what of an archived one is left, and which one may not leave the file yet.

Buckets, tables and secrets of teams are not resources of the team, so nothing of the engine keeps a team in
the file as long as they exist. What was deployed last states which teams there were: the stack reads its own
outputs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, cast

import pulumi
from pulumi import Output

from aiplatform._shared.args import Problem
from stacks import repositories, team_parts
from stacks.ml import Models
from stacks.settings import Settings
from stacks.settings.composition import LAYERS
from stacks.validation.teams import secrets_path

OUTPUT: Final = "archived_teams"
"""The key of the layer's output."""
_REFERENCE: Final = "last-update"
"""The logical name of the reference to the stack's own outputs."""


def left(settings: Settings, models: Models) -> dict[str, dict[str, Any]]:
    """Return archived team -> what is left of it, as the output states it."""
    return {name: _left(settings, models, name) for name in settings.archived_teams}


def _left(settings: Settings, models: Models, name: str) -> dict[str, Any]:
    team = settings.archived_teams[name]
    entries: dict[str, Any] = {"secrets": f"{secrets_path(settings, name)}*"}
    if team.repositories:
        urls = repositories.urls(settings)
        names = (team_parts.repository(settings, name, repository) for repository in team.repositories)
        entries["repositories"] = [urls.get(repository, repository) for repository in names]
    if team.tables:
        entries["tables"] = list(team.tables)
    if models.model_registry is not None:
        entries["model_registry"] = f"experiments and models of the account {name}"
    store = models.model_store
    if store is not None:
        scheme = "s3" if settings.environment.cloud == "aws" else "gs"
        namespace = settings.namespace_of(name)
        entries["releases"] = Output.concat(f"{scheme}://", store["releases_bucket"], f"/{name}/")
        entries["checkpoints"] = Output.concat(f"{scheme}://", store["checkpoints_bucket"], f"/{namespace}/")
    return entries


def protected(settings: Settings) -> bool:
    """Return whether the environment protects its data."""
    environment = settings.environment
    return environment.profile == "prod" and not environment.teardown and not environment.bootstrap


async def problems(settings: Settings) -> list[Problem]:
    """Return the teams of the last update of this stack that are missing in the file, although the
    environment protects their data."""
    if not protected(settings):
        return []
    stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    details = await pulumi.StackReference(_REFERENCE, stack_name=stack).get_output_details(
        LAYERS["teams"].output
    )
    outputs = cast(
        "Mapping[str, Any]",
        (details.secret_value if details.secret_value is not None else details.value) or {},
    )
    teams = cast("Mapping[str, Any]", outputs.get("teams") or {}).get("namespaces", {})
    archived = cast("Mapping[str, Mapping[str, Any]]", outputs.get(OUTPUT) or {})
    of_file = {**settings.teams, **settings.archived_teams}
    return [
        *(
            Problem(
                f"teams.{name}",
                "missing, and its repositories are protected "
                f"({', '.join(entry['repositories'])}); "
                "expected its block, with archive: true, as long as they exist",
            )
            for name, entry in archived.items()
            if name not in of_file and entry.get("repositories")
        ),
        *_removed(teams, of_file),
    ]


def _removed(teams: Iterable[str], of_file: Collection[str]) -> list[Problem]:
    return [
        Problem(
            f"teams.{name}",
            "missing, while the last update had it and its data is protected; expected its block "
            "with archive: true, which deletes the rest and states what is left, and the block removed after "
            "that `up`",
        )
        for name in teams
        if name not in of_file
    ]
