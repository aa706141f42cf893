"""docs/security-teams.md: what the members and identities of a team may do with its own and with another
team's things, from what an environment with two teams registers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from aiplatform.teams.args import ROLES
from tests.end_to_end.guardrail_teams import OF_ANOTHER_TEAM
from tests.generating.isolation import aws, google, kubernetes, registry
from tests.generating.isolation.access import Row
from tests.generating.tables import page, table

PAGE: Final = Path("docs/security-teams.md")
_WRITES: Final = ("create", "update", "patch", "delete", "deletecollection")


def _word(allowed: bool) -> str:
    return "yes" if allowed else "no"


def _cloud(rows: Iterable[Row]) -> str:
    return table(
        ["who", "thing", "action", "of the own team", "of another team"],
        [(row.who, row.what, row.action, _word(row.own_team), _word(row.other_team)) for row in rows],
    )


def _verbs(verbs: Sequence[str]) -> str:
    """Return verbs in short: `read` for get, list and watch, `all` for all of them."""
    if set(verbs) == set(kubernetes.VERBS):
        return "all"
    words = list(verbs)
    for word, group in (("read", ("get", "list", "watch")), ("write", _WRITES)):
        if set(group) <= set(words):
            words = [word, *(verb for verb in words if verb not in group)]
    return ", ".join(words)


def text() -> str:
    """Return the page."""
    rights = [
        (kind, *(_verbs(granted[role]) for role in ROLES), _verbs(foreign) or "nothing")
        for kind, granted, foreign in kubernetes.rights()
    ]
    connections = [
        (source, target, port, _word(reached)) for source, target, port, reached in kubernetes.connections()
    ]
    return page(
        "# Isolation of teams",
        "What a team may do with its own and with another team's things, evaluated from what the program "
        "registers for two teams, `search` and `search-ads`, whose names, namespaces and prefixes begin with "
        "the same characters. Tests compare the page with the program, refuse a *yes* in the column of "
        "another team, and evaluate the other direction, too. Which control stops which attempt: "
        "[security](security.md#threat-model).",
        "## AWS",
        "Policies of roles and resources as IAM evaluates them, and grants of Lake Formation.",
        _cloud(aws.rows()),
        "## Google Cloud",
        "Roles on the project, with their conditions, and on resources, with the permissions of Google's "
        "predefined roles.",
        _cloud(google.rows()),
        "## Model registry",
        "What an account of MLflow created is its own; a team's account has the password of a row above. "
        "Another team reads it where `model_registry.accounts.<team>.reads` names the account and its block "
        "consents (`shares`), and never changes it. Accounts that promote read everything. A real server "
        "answers so ([tests/end_to_end/test_mlflow_isolation.py](../tests/end_to_end/"
        "test_mlflow_isolation.py)), refuses ways around MLflow's own rights, and answers nothing of "
        "another account on any of its routes.",
        table(["request", "of the own team", "of another team", "of a team that it reads"], registry.rows()),
        "## Kubernetes: roles",
        "Verbs in the namespace of the team; `read` is get, list and watch, `write` create, update, patch, "
        "delete and deletecollection. A real API server answers the same to SubjectAccessReviews "
        "([tests/end_to_end/test_teams.py](../tests/end_to_end/test_teams.py)), and denies all verbs on "
        f"{', '.join(f'`{kind.name}`' for kind in kubernetes.CLUSTER_KINDS)} of the cluster.",
        table(["kind", *(f"{role}s" for role in ROLES), "any role of another team"], rights),
        "## Kubernetes: network policies",
        "Selectors of the policies against the labels of namespaces and Pods.",
        table(["from", "to", "port", "reached"], connections),
        "## Kubernetes: admission",
        "A workload in the own namespace could name another team's things. A LocalQueue that leads to "
        "another team's quota, and a workload without one of the own, are refused by the guardrails. A Pod "
        "has only service accounts of its namespace, no member changes their annotations "
        "([tests/end_to_end/test_teams.py](../tests/end_to_end/test_teams.py)), and the cloud gives an "
        "identity to its namespace and service account alone (`cloud identity` above). An annotation of an "
        "identity on any other object has no effect. What a real API server answers to a user with every "
        "right in the namespace ([tests/end_to_end/test_guardrails.py](../tests/end_to_end/"
        "test_guardrails.py)):",
        table(
            ["workload", "refused with"],
            [(name, case[3].removeprefix("ai-platform: ")) for name, case in OF_ANOTHER_TEAM.items()],
        ),
    )
