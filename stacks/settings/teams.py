"""The topic `teams`."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import ConfigDict, Field, StringConstraints

from aiplatform.cost.args import CostBudget
from aiplatform.cost.inputs import CostBudgetArgs
from aiplatform.observability.inputs import ReceiverArgs
from aiplatform.observability.notifications import Receiver
from aiplatform.teams.args import LONGEST_NAME, NAME
from aiplatform.teams.args import Team as TeamSettings
from aiplatform.teams.inputs import TeamArgs
from stacks.settings.generated import topic_of

SERVICE_ACCOUNT: Final = "workloads"
"""The service account of a team's Pods, which has its cloud identity."""
MODELS: Final = "models"
"""What a team shares in `shares` besides tables: what its account in the model registry created."""


TeamName = Annotated[str, StringConstraints(pattern=f"^{NAME}$", max_length=LONGEST_NAME)]


RepositoryName = Annotated[str, StringConstraints(pattern=f"^{NAME}$", max_length=30)]


class TeamBudget(topic_of(CostBudgetArgs, CostBudget, without=("tag",))):
    """The budget of a team, of what has its tag."""


class TeamAlerts(topic_of(ReceiverArgs, Receiver, without=("name", "owners"))):
    """What gets the alerts of a team's namespace, and of objectives (`slos`) whose owner it is."""


class Team(topic_of(TeamArgs, TeamSettings, without=("identity",))):
    """A team of the cluster. Its name is also that of its workload identity, for grants, and of its account
    in the model registry. An owner or developer is a member of no other team, and no other team has its
    queue."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    archive: bool = False
    """Whether the team is retired: everything of it is deleted but protected data, which the output
    `archived_teams` lists. No other topic may name it any more. Default false."""
    repositories: list[RepositoryName] = Field(default_factory=list)
    """Its repositories of container images, next to those of `container_registry`: TEAM/NAME on AWS,
    TEAM-NAME on Google Cloud. All nodes pull from them; `pushers` alone push. Default: none."""
    pushers: list[str] = Field(default_factory=list)
    """Principals that push to `repositories`, such as the team's CI: workload identities of the file by name,
    or principals of the cloud as in `container_registry.writers`. Default: none."""
    budget: TeamBudget | None = None
    """Its budget of a month, an entry of `cost.team_budgets`, which then has none of the team. Default:
    none."""
    alerts: TeamAlerts | None = None
    """A receiver of `observability.notifications`, TEAM, which gets the alerts with the team's namespace
    before the routes of the file. Default: none; they go where the file routes them."""
    tables: list[str] = Field(default_factory=list)
    """Tables of `lakehouse` that are the team's, `curated.orders`: no grant gives them to another team
    without an entry in `shares`. Default: none."""
    shares: dict[str, list[str]] = Field(default_factory=dict)
    """Other team -> what of this team it may be granted: tables of `tables`, and `models`, what the account
    of this team in the model registry created (`model_registry.accounts.<other team>.reads`), or that account
    itself. It grants nothing itself. Default: nothing."""


OF_PLATFORM: Final = frozenset(Team.model_fields) - frozenset(TeamArgs.__annotations__)
"""Keys that are no arguments of the component Teams."""
