"""What the modules that build a component share: the component, its settings, options of its resources."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import pulumi
from pulumi import ResourceOptions

from aiplatform._shared.dependencies import Dependency
from aiplatform._shared.outputs import Tags

T = TypeVar("T")


@dataclass(frozen=True)
class Context(Generic[T]):
    """A component while its resources are declared: parent of each of them, first part of their logical
    names, and the checked arguments."""

    parent: pulumi.ComponentResource
    name: str
    settings: T

    def options(
        self,
        *depends_on: Dependency,
        retain: bool = False,
        delete_before_replace: bool | None = None,
    ) -> ResourceOptions:
        """Return the options of a child. retain: whether it stays in the cloud when it is destroyed."""
        return ResourceOptions(
            parent=self.parent,
            depends_on=list(depends_on) or None,
            # None, not False: an enclosing component's option applies.
            retain_on_delete=True if retain else None,
            delete_before_replace=delete_before_replace,
        )

    @property
    def invoke_options(self) -> pulumi.InvokeOptions:
        """Options of a function call of a provider: the component's provider."""
        return pulumi.InvokeOptions(parent=self.parent)


class DataSettings(Protocol):
    """Settings of a component that stores data."""

    @property
    def prefix(self) -> str:
        """First part of every physical name."""
        ...

    @property
    def tags(self) -> Tags:
        """Tags of every resource; labels on Google Cloud."""
        ...

    @property
    def protect(self) -> bool:
        """Whether Pulumi refuses to delete what stores data."""
        ...

    @property
    def retain_data(self) -> bool:
        """Whether what stores data stays in the cloud when the component is destroyed."""
        ...


S = TypeVar("S", bound=DataSettings)


@dataclass(frozen=True)
class DataContext(Context[S]):
    """The context of a component that stores data; `AwsDataContext` and `GcpDataContext` add the cloud's
    account or project."""

    def options(
        self,
        *depends_on: Dependency,
        retain: bool = False,
        delete_before_replace: bool | None = None,
        data: bool = False,
        ignore_changes: Sequence[str] | None = None,
        former_names: Sequence[str] = (),
    ) -> ResourceOptions:
        """Return the options of a child.

        data: whether it stores data, and so is protected and retained as the settings state. retain: whether
        what is retained needs it. former_names: logical names that it had, so that it is not created again.
        """
        return ResourceOptions(
            parent=self.parent,
            depends_on=list(depends_on) or None,
            ignore_changes=list(ignore_changes or ()) or None,
            # None, not False: an enclosing component's option applies.
            protect=True if data and self.settings.protect else None,
            retain_on_delete=True if (data or retain) and self.settings.retain_data else None,
            delete_before_replace=delete_before_replace,
            aliases=[pulumi.Alias(name=name) for name in former_names] or None,
        )
