"""The context of the component while its resources are declared."""

from dataclasses import dataclass, field

import pulumi
from pulumi import ResourceOptions

from aiplatform._shared.context import Context
from aiplatform._shared.kubernetes.names import TEAM_LABEL as TEAM_LABEL
from aiplatform.teams.args import TeamsSettings


@dataclass(frozen=True)
class TeamsContext(Context[TeamsSettings]):
    """A component of teams while its resources are declared.

    after: what the component depends on, such as the add-ons. The engine does not pass it on to children, and
    custom resources have to be deleted while their controllers still run.
    """

    after: ResourceOptions = field(default_factory=ResourceOptions)

    def custom_resource_options(self, *depends_on: pulumi.Resource, replaced_on: str = "") -> ResourceOptions:
        """Return the options of an object of an add-on. replaced_on: a field that cannot be changed."""
        return ResourceOptions.merge(
            self.after,
            ResourceOptions(
                parent=self.parent,
                depends_on=list(depends_on),
                replace_on_changes=[replaced_on] if replaced_on else None,
                delete_before_replace=True if replaced_on else None,
            ),
        )
