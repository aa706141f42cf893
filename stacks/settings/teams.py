"""The topic `teams`."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from aiplatform.teams.args import LONGEST_NAME, NAME
from aiplatform.teams.args import Team as TeamSettings
from aiplatform.teams.inputs import TeamArgs
from stacks.settings.generated import topic_of

SERVICE_ACCOUNT: Final = "workloads"
"""The service account of a team's Pods, which has its cloud identity."""
MODELS: Final = "models"
"""What a team shares in `shares` besides tables: its account in the model registry, with all its models."""


TeamName = Annotated[str, StringConstraints(pattern=f"^{NAME}$", max_length=LONGEST_NAME)]


class Team(topic_of(TeamArgs, TeamSettings, without=("identity",))):
    """A team of the cluster. Its name is also that of its workload identity, for grants, and of its account
    in the model registry. An owner or developer is a member of no other team, and no other team has its
    queue."""

    archive: bool = False
    """Whether the team is retired: everything of it is deleted but protected data, which the output
    `archived_teams` lists. No other topic may name it any more. Default false."""
    tables: list[str] = Field(default_factory=list)
    """Tables of `lakehouse` that are the team's, `curated.orders`: no grant gives them to another team
    without an entry in `shares`. Default: none."""
    shares: dict[str, list[str]] = Field(default_factory=dict)
    """Other team -> what of this team it may be granted: tables of `tables`, and `models`, the account of
    this team in the model registry. It grants nothing itself. Default: nothing."""


OF_PLATFORM: Final = frozenset(Team.model_fields) - frozenset(TeamArgs.__annotations__)
"""Keys that are no arguments of the component Teams."""
