"""Isolation of teams: what two of them may not share, and grants on what belongs to another team."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from aiplatform._shared.args import Problem, got, nearest
from aiplatform._shared.secret_names import google_id
from aiplatform.model_registry.accounts import ADMIN
from aiplatform.workload_identity.args import physical_name
from stacks import team_parts
from stacks.settings import Settings
from stacks.settings.generated import stated
from stacks.settings.teams import MODELS, Team

_ROLES: Final = ("owners", "developers", "readers")
_EVERYTHING: Final = ("writers", "file_readers", "admins")
"""Keys of the lakehouse whose principals reach every table."""


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield what two teams share, and grants on what is another team's without its consent."""
    yield from _names(settings)
    yield from _namespaces(settings)
    yield from _queues(settings)
    yield from _members(settings)
    yield from _secrets(settings)
    yield from _owned_tables(settings)
    yield from _shares(settings)
    yield from _grants(settings)
    yield from _accounts(settings)
    yield from _repositories(settings)
    yield from _sources(settings)


def _names(settings: Settings) -> Iterator[Problem]:
    """Yield names that are also those of accounts of the model registry with further rights: a team has the
    account of its name."""
    accounts: Mapping[str, Any] = {}
    if settings.model_registry is not None:
        accounts = stated(settings.model_registry).get("accounts", {})
    for name in settings.teams:
        rights = "administers it" if name == ADMIN else "promotes models of all teams"
        if name == ADMIN or accounts.get(name, {}).get("promotes"):
            yield Problem(
                f"teams.{name}",
                f"got {name!r}, which is the account of the model registry that {rights}, and each team has "
                "the account of its name; expected another name",
            )


def _namespaces(settings: Settings) -> Iterator[Problem]:
    """Yield namespaces of archived teams: checkpoints, artifacts and requests are left below their names.
    Those of other teams are compared by the component."""
    left = {settings.namespace_of(name): name for name in settings.archived_teams}
    for name in settings.teams:
        namespace = settings.namespace_of(name)
        if namespace in left:
            yield Problem(
                f"teams.{name}.namespace",
                f"got {namespace!r}, which was that of {left[namespace]}, an archived team with data below "
                "its name; expected another one",
            )


def _queues(settings: Settings) -> Iterator[Problem]:
    """Yield queues of two teams: the quota of one would be what the other leaves."""
    first: dict[str, str] = {}
    for name, team in settings.teams.items():
        queue = stated(team).get("queue")
        if queue is not None and first.setdefault(queue, name) != name:
            yield Problem(
                f"teams.{name}.queue",
                f"got {queue!r}, which is the queue of {first[queue]}; expected another one: teams share "
                "unused quota by a cohort of their queues",
            )


def _members(settings: Settings) -> Iterator[Problem]:
    """Yield owners and developers that another team has, too. Readers run nothing: one group may read
    several teams."""
    for name, team in settings.teams.items():
        others = {
            member: f"teams.{other}.{role}"
            for other, block in settings.teams.items()
            if other != name
            for role in _ROLES
            for member in stated(block).get(role, [])
        }
        for role in _ROLES[:2]:
            for index, member in enumerate(stated(team).get(role, [])):
                if member in others:
                    yield Problem(
                        f"teams.{name}.{role}[{index}]",
                        f"got {member!r}, which is in {others[member]}, too; expected a principal of this "
                        "team alone: what it runs has the team's cloud identity",
                    )


def _secrets(settings: Settings) -> Iterator[Problem]:
    """Yield secrets below the path of another team, and its account in the model registry."""
    others = _all(settings)
    for name, team in settings.teams.items():
        for key, entry in stated(team).get("secrets", {}).items():
            path, secret = f"teams.{name}.secrets.{key}.secret", _secret_name(settings, entry["secret"])
            for other in others.keys() - {name}:
                if secret.startswith(secrets_path(settings, other)):
                    yield Problem(
                        path,
                        f"{got(entry['secret'])}, which is below the path of {other}; expected a secret "
                        f"below {secrets_path(settings, name)}, or one of no team",
                    )
                is_account = _account(settings, other).fullmatch(secret) is not None
                if is_account and MODELS not in others[other].shares.get(name, []):
                    yield Problem(
                        path,
                        f"{got(entry['secret'])}, the account of {other} in the model registry; expected "
                        f"its consent: teams.{other}.shares.{name}: [{MODELS}]",
                    )


def _account(settings: Settings, team: str) -> re.Pattern[str]:
    """Return the name of the secret of a team's account in the model registry, with or without the six
    characters at the end of its arn."""
    prefix = re.escape(settings.environment.prefix)
    if settings.environment.cloud == "gcp":
        return re.compile(f"{prefix}-mlflow-account-{team}")
    return re.compile(rf"{prefix}/mlflow/accounts/{team}(-\w{{6}})?")


def secrets_path(settings: Settings, team: str) -> str:
    """Return what the names of a team's secrets begin with."""
    prefix = settings.environment.prefix
    return f"{prefix}/teams/{team}/" if settings.environment.cloud == "aws" else f"{prefix}-teams-{team}_"


def _secret_name(settings: Settings, secret: str) -> str:
    """Return the name of a secret that is stated as name, arn or path."""
    if settings.environment.cloud == "gcp":
        return str(google_id(secret))
    return re.sub(r"^arn:[^:]+:secretsmanager:[^:]+:\d+:secret:", "", secret)


def _all(settings: Settings) -> Mapping[str, Team]:
    return {**settings.archived_teams, **settings.teams}


def owners_of_tables(settings: Settings) -> dict[str, str]:
    """Return table -> the team that it belongs to, also an archived one."""
    return {table: name for name, team in reversed([*_all(settings).items()]) for table in team.tables}


def _owned_tables(settings: Settings) -> Iterator[Problem]:
    lakehouse: Mapping[str, Any] = stated(settings.lakehouse) if settings.lakehouse is not None else {}
    known = [f"{table['zone']}.{table['name']}" for table in lakehouse.get("tables", [])]
    owners = owners_of_tables(settings)
    for name, team in _all(settings).items():
        for index, table in enumerate(team.tables):
            path = f"teams.{name}.tables[{index}]"
            if table not in known:
                expected = nearest(table, known) or "; expected one of lakehouse.tables"
                yield Problem(path, f"got {table!r}, which is no table of the file{expected}")
            elif owners[table] != name:
                yield Problem(
                    path, f"got {table!r}, which is a table of {owners[table]}; expected one team for each"
                )


def _shares(settings: Settings) -> Iterator[Problem]:
    for name, team in settings.teams.items():
        for other, shared in team.shares.items():
            path = f"teams.{name}.shares.{other}"
            if other == name or other not in settings.teams:
                expected = nearest(other, [team for team in settings.teams if team != name])
                yield Problem(path, f"got {other!r}, which is no other team of the file{expected}")
            for index, entry in enumerate(shared):
                known = [*team.tables, MODELS]
                if entry not in known:
                    yield Problem(
                        f"{path}[{index}]",
                        f"got {entry!r}, which is not the team's; expected one of {', '.join(known)}"
                        f"{nearest(entry, known)}",
                    )


def _teams_of(settings: Settings, principal: str) -> set[str]:
    """Return the teams of a principal: of their identity, by its name or in the cloud, and of members."""
    prefix = settings.environment.prefix
    return {
        name
        for name, team in settings.teams.items()
        if principal == name
        or principal.endswith(f":role/{physical_name(prefix, name)}")
        or principal.startswith(f"serviceAccount:{physical_name(prefix, name)}@")
        or any(principal in stated(team).get(role, []) for role in _ROLES)
    }


def _without_consent(
    settings: Settings, principal: str, owner: str, what: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Yield what of an owner a principal would get without its consent: the team that gets it, and the
    thing. A principal that is also the owner's needs none."""
    teams = _teams_of(settings, principal)
    if owner in teams:
        return
    shares = _all(settings)[owner].shares
    for team in sorted(teams):
        yield from ((team, entry) for entry in what if entry not in shares.get(team, []))


def _reason(owner: str, team: str, thing: str) -> str:
    what = f"the models of {owner}" if thing == MODELS else f"{thing}, a table of {owner}"
    return f"gives {what}, to {team}; expected its consent: teams.{owner}.shares.{team}: [{thing}]"


def _grants(settings: Settings) -> Iterator[Problem]:
    if settings.lakehouse is None:
        return
    topic = stated(settings.lakehouse)
    owners = owners_of_tables(settings)
    for index, grant in enumerate(topic.get("grants", [])):
        path = f"lakehouse.grants[{index}]"
        stated_tables: Sequence[str] = grant.get("tables", [])
        for number, table in enumerate(stated_tables):
            if table in owners:
                for team, thing in _without_consent(settings, grant["principal"], owners[table], [table]):
                    yield Problem(f"{path}.tables[{number}]", _reason(owners[table], team, thing))
        for number, zone in enumerate(grant.get("zones", [])):
            yield from _of_tables(settings, f"{path}.zones[{number}]", grant["principal"], owners, f"{zone}.")
    for key in _EVERYTHING:
        for index, principal in enumerate(topic.get(key, [])):
            yield from _of_tables(settings, f"lakehouse.{key}[{index}]", principal, owners)


def _of_tables(
    settings: Settings, path: str, principal: str, owners: Mapping[str, str], zone: str = ""
) -> Iterator[Problem]:
    """Yield the tables of other teams, of a zone or all, that a key gives to a principal."""
    for table, owner in sorted(owners.items()):
        if table.startswith(zone):
            for team, thing in _without_consent(settings, principal, owner, [table]):
                yield Problem(path, _reason(owner, team, thing))


def _accounts(settings: Settings) -> Iterator[Problem]:
    """Yield principals that would use the account of another team in the model registry, or one that reads or
    promotes its models; and accounts of teams that read another team's."""
    if settings.model_registry is None:
        return
    for account, entry in stated(settings.model_registry).get("accounts", {}).items():
        read: Sequence[str] = entry.get("reads", [])
        for index, owner in enumerate(read):
            if account in settings.teams and owner in _all(settings):
                for team, thing in _without_consent(settings, account, owner, [MODELS]):
                    yield Problem(
                        f"model_registry.accounts.{account}.reads[{index}]", _reason(owner, team, thing)
                    )
        owners = list(settings.teams) if entry.get("promotes") else [account, *read]
        for index, principal in enumerate(entry.get("principals", [])):
            for owner in owners:
                if owner in settings.teams:
                    for team, thing in _without_consent(settings, principal, owner, [MODELS]):
                        yield Problem(
                            f"model_registry.accounts.{account}.principals[{index}]",
                            _reason(owner, team, thing),
                        )


def _repositories(settings: Settings) -> Iterator[Problem]:
    """Yield repositories without a registry, and those whose name another one has, too."""
    of_teams = team_parts.repositories(settings)
    if of_teams and settings.container_registry is None:
        yield Problem(
            next(iter(of_teams.values())).rpartition("[")[0],
            "the file has no container registry; expected the topic container_registry",
        )
        return
    topic = stated(settings.container_registry) if settings.container_registry is not None else {}
    taken = {
        _comparable(name): f"container_registry.repositories[{index}]"
        for index, name in enumerate(topic.get("repositories", []))
    }
    for team, block in _all(settings).items():
        for index, entry in enumerate(block.repositories):
            path, name = f"teams.{team}.repositories[{index}]", team_parts.repository(settings, team, entry)
            before = taken.setdefault(_comparable(name), path)
            if before != path:
                yield Problem(
                    path, f"got {entry!r}, whose name {name} is that of {before}, too; expected another one"
                )
        if block.pushers and not block.repositories:
            yield Problem(
                f"teams.{team}.pushers", "got some without `repositories`; expected both, or none of them"
            )


def _comparable(repository: str) -> str:
    """Return what logical names have of a repository's name."""
    return repository.replace("/", "-")


def _sources(settings: Settings) -> Iterator[Problem]:
    """Yield what the block of a team and another topic both state."""
    budgets: Mapping[str, Any] = stated(settings.cost).get("team_budgets", {})
    for name in team_parts.budgets(settings):
        if name in budgets:
            yield Problem(
                f"teams.{name}.budget", f"cost.team_budgets.{name} states one, too; expected one of the two"
            )
    with_alerts = team_parts.with_alerts(settings)
    if with_alerts and settings.observability is None:
        yield Problem(
            f"teams.{with_alerts[0]}.alerts",
            "the file has no Alertmanager; expected the topic observability",
        )
        return
    topic = stated(settings.observability) if settings.observability is not None else {}
    notifications: Mapping[str, Any] = topic.get("notifications", {})
    receivers = [receiver["name"] for receiver in notifications.get("receivers", [])]
    for name in with_alerts:
        if name in receivers:
            yield Problem(
                f"teams.{name}.alerts",
                f"observability.notifications has a receiver {name!r}, too; expected one of the two",
            )
        for index, route in enumerate(notifications.get("routes", [])):
            if route.get("labels", {}).get("namespace") == settings.namespace_of(name):
                yield Problem(
                    f"teams.{name}.alerts",
                    f"observability.notifications.routes[{index}] routes the alerts of its namespace, too; "
                    "expected one of the two",
                )
