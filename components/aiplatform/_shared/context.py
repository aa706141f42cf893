"""What the modules that build a component share: the component, its settings, options of its resources."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import pulumi
from pulumi import ResourceOptions

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
        *depends_on: pulumi.Resource,
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


class Keeping(Protocol):
    """Settings that say what becomes of data."""

    @property
    def protect(self) -> bool:
        """Whether Pulumi refuses to delete what keeps data."""
        ...

    @property
    def retain_data(self) -> bool:
        """Whether what keeps data stays in the cloud when the component goes."""
        ...


S = TypeVar("S", bound=Keeping)


@dataclass(frozen=True)
class KeepingContext(Generic[S]):
    """The component and its settings. A component's own context adds where it is made."""

    parent: pulumi.ComponentResource
    name: str
    settings: S

    def options(
        self,
        *depends_on: pulumi.Resource,
        data: bool = False,
        retain: bool = False,
        delete_before_replace: bool | None = None,
        ignore_changes: Sequence[str] | None = None,
        formerly: Sequence[str] = (),
    ) -> ResourceOptions:
        """Options of a child. data: whether it is or keeps data, and so is protected and retained. retain:
        whether what is retained needs it. formerly: logical names that it had, for what must not be created
        again under another one."""
        return ResourceOptions(
            parent=self.parent,
            depends_on=list(depends_on) or None,
            ignore_changes=list(ignore_changes or ()) or None,
            # None, not False: what an enclosing component says stays.
            protect=True if data and self.settings.protect else None,
            retain_on_delete=True if (data or retain) and self.settings.retain_data else None,
            delete_before_replace=delete_before_replace,
            aliases=[pulumi.Alias(name=name) for name in formerly] or None,
        )
