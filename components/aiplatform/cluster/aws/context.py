"""What the modules of a cluster on EKS share."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi import ResourceOptions

from aiplatform._shared.aws.account import Account
from aiplatform._shared.context import Context
from aiplatform._shared.dependencies import Dependency
from aiplatform._shared.outputs import Tags, merged
from aiplatform.cluster.args import CLUSTER, ClusterSettings


@dataclass(frozen=True)
class EksContext(Context[ClusterSettings]):
    """The component, its settings, and the account and region of its provider."""

    account: Account

    @property
    def cluster_name(self) -> str:
        """The physical name of the cluster."""
        return CLUSTER.of(self.settings.prefix)

    def tags(self, purpose: str) -> Tags:
        """Return the tags of a resource that has a `Name`."""
        return merged(self.settings.tags, {"Name": f"{self.settings.prefix}-{purpose}"})

    def options(
        self,
        *depends_on: Dependency,
        retain: bool = False,
        delete_before_replace: bool | None = None,
        protect: bool = False,
        ignore_changes: Sequence[str] | None = None,
        replace_on_changes: Sequence[str] | None = None,
        former_names: Sequence[str] = (),
    ) -> ResourceOptions:
        """Return the options of a child. retain, protect: whether it is retained or protected where the
        settings state it. former_names: logical names that it had."""
        return ResourceOptions(
            parent=self.parent,
            depends_on=list(depends_on) or None,
            ignore_changes=list(ignore_changes or ()) or None,
            replace_on_changes=list(replace_on_changes or ()) or None,
            # None, not False: an enclosing component's option applies.
            protect=True if protect and self.settings.protect else None,
            retain_on_delete=True if retain and self.settings.retain_data else None,
            delete_before_replace=delete_before_replace,
            aliases=[pulumi.Alias(name=former) for former in former_names] or None,
        )
