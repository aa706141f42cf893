"""The topic `teams`."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import StringConstraints

from aiplatform.teams.args import LONGEST_NAME, NAME
from aiplatform.teams.args import Team as TeamSettings
from aiplatform.teams.inputs import TeamArgs
from stacks.settings.generated import topic_of

SERVICE_ACCOUNT: Final = "workloads"
"""The service account of a team's Pods, which has its cloud identity."""


TeamName = Annotated[str, StringConstraints(pattern=f"^{NAME}$", max_length=LONGEST_NAME)]


class Team(topic_of(TeamArgs, TeamSettings, without=("identity",))):
    """A team of the cluster. Its name is also that of its workload identity, for grants, and of its account
    in the model registry."""
