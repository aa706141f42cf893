"""The context of a function on Google Cloud, and what is checked before anything is created."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Input
from pulumi_gcp import storage

from aiplatform._shared.args import ArgumentError, Problem, got
from aiplatform._shared.dependencies import Dependency
from aiplatform._shared.gcp import keys
from aiplatform._shared.gcp.apis import enable_apis
from aiplatform._shared.gcp.context import GcpDataContext
from aiplatform._shared.gcp.names import api_is_off
from aiplatform._shared.outputs import Tags
from aiplatform.function.args import FunctionSettings

_APIS: Final = ("cloudkms", "cloudresourcemanager", "iam", "logging", "monitoring", "run", "storage")


@dataclass(frozen=True)
class Context(GcpDataContext[FunctionSettings]):
    """The component, its settings, project, region and APIs."""

    @property
    def labels(self) -> Tags | None:
        """The labels, with the owner's."""
        return self.settings.all_tags

    @property
    def service(self) -> str:
        """The service's name."""
        return self.settings.physical_name


@dataclass(frozen=True)
class Key:
    """The key of what the function has, its id, and the permissions of services to use it."""

    key: keys.Key
    id: Input[str]
    grants: Sequence[Dependency]


def context_of(parent: pulumi.ComponentResource, name: str, settings: FunctionSettings) -> Context:
    """Return the context. Raises ArgumentError where the project cannot have the function."""
    project, region = settings.project or "", settings.region or ""
    problems = list(_bucket(parent, settings))
    if problems:
        raise ArgumentError(problems)
    apis = [*_APIS, *(["pubsub"] if settings.event is not None else [])]
    return Context(parent, name, settings, project, region, enable_apis(parent, name, project, apis))


def _bucket(parent: pulumi.ComponentResource, settings: FunctionSettings) -> Iterator[Problem]:
    event = settings.event
    if event is None or not isinstance(event.bucket, str):
        return
    try:
        storage.get_bucket(
            name=event.bucket, project=settings.project, opts=pulumi.InvokeOptions(parent=parent)
        )
    except Exception as error:
        if api_is_off(error):
            pulumi.log.warn(f"only `up` checks that {event.bucket} exists: {error}", parent)
            return
        if not any(words in str(error) for words in ("notFound", "not found", "404")):
            raise
        yield Problem(
            "FunctionArgs.event.bucket",
            f"{got(event.bucket)}; expected a bucket that exists, or the output of one of this program",
        )
