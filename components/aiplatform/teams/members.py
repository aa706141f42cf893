"""The groups of Kubernetes by which the members of a team have its roles."""

from collections.abc import Sequence
from typing import Final

from pulumi import Input

from aiplatform._shared.cloud_support import Cloud
from aiplatform._shared.outputs import mapped
from aiplatform.teams.args import ROLES, Role, Team, TeamsSettings

_PREFIX: Final = "ai-platform:team"


def group_name(team: str, role: Role) -> str:
    """Return the group of Kubernetes that the access entries of a team's members name, on EKS."""
    return f"{_PREFIX}:{team}:{role}"


def group_names(cloud: Cloud, name: str, role: Role, team: Team) -> Sequence[Input[str]]:
    """Return the groups that have a role of a team; on GKE they are the Google groups themselves, by their
    email addresses (GKE documentation, "Configure Google Groups for RBAC")."""
    members = team.members(role)
    if cloud == "aws":
        return [group_name(name, role)] if members else []
    return [mapped(member, lambda known: known.partition(":")[2]) for member in members]


def by_path(settings: TeamsSettings) -> dict[str, tuple[Input[str], str]]:
    """Return where a member is named, `TeamsArgs.teams.search.owners[0]` -> the member, and its group on
    EKS."""
    return {
        f"TeamsArgs.teams.{name}.{role}s[{index}]": (member, group_name(name, role))
        for name, team in settings.teams.items()
        for role in ROLES
        for index, member in enumerate(team.members(role))
    }
