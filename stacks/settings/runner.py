"""The topic `runner`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from pydantic import ConfigDict

from aiplatform.runner.args import RunnerArgs, RunnerSettings
from stacks.settings.generated import topic_of

ENVIRONMENT_KEYS: Final = ("enabled", "state")
"""Keys that are no arguments of the component."""
PLATFORM_VARIABLES: Final = ("STACK", "COMMAND", "PULUMI_BACKEND_URL")
"""Environment variables of a run that the platform sets."""


class Runner(topic_of(RunnerArgs, RunnerSettings)):
    """Where the program runs if the Kubernetes API is reached only from the network: CodeBuild, on demand."""

    renamed: ClassVar[Mapping[str, str]] = {
        "deployer": "deployer_role_arn",
        "connection": "connection_arn",
        "workflows": "github_workflows",
        "actors": "github_actors",
    }

    model_config = ConfigDict(use_attribute_docstrings=True)

    enabled: bool | None = None
    """Whether there is a runner. Default: with `api_access.mode: in_vpc`. Set false where you reach the
    network by a VPN or have your own runners: then every address of the network reaches the API."""
    state: str | None = None
    """Where Pulumi stores the state, as `pulumi login` takes it: `s3://acme-pulumi-state`."""
    deployer_role_arn: str | None = None
