"""The runner: what it needs, and where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aiplatform._shared.args import Problem, matches, obeys
from aiplatform._shared.cloud_support import CLOUDS
from stacks.settings import Settings
from stacks.settings.generated import stated
from stacks.settings.runner import PLATFORM_VARIABLES

_STATE: Final = matches(
    r"(s3|gs)://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/\S*)?(\?\S+)?|azblob://\S+|https://\S+",
    "s3://<your state bucket>, or another backend of `pulumi login` that the network reaches",
)


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield the problems of the topic `runner`, and of the topics that it depends on."""
    if settings.environment.cloud != "aws":
        yield from _not_supported(settings)
    elif settings.has_runner:
        yield from _on_aws(settings)
    else:
        yield from _without_effect(settings)


def _without_effect(settings: Settings) -> Iterator[Problem]:
    """Yield what the file states of a runner that there is none of. With `enabled: false` it is switched off,
    and may stay described."""
    if settings.runner.enabled is False or settings.cluster.api_access.mode == "dns":
        return  # The cluster refuses this mode on AWS.
    for name in sorted(settings.runner.model_fields_set - {"enabled"}):
        yield Problem(
            f"runner.{name}",
            "without effect: only cluster.api_access.mode: in_vpc has a runner; expected none, or enabled: "
            "false",
        )


def _not_supported(settings: Settings) -> Iterator[Problem]:
    cloud = CLOUDS[settings.environment.cloud]
    for name in sorted(settings.runner.model_fields_set):
        if name != "enabled" or settings.runner.enabled:
            yield Problem(
                f"runner.{name}",
                f"not supported on {cloud}, where the cluster's DNS endpoint is reachable from anywhere and "
                "protected by IAM; expected no runner, and cluster.api_access.mode: dns",
            )


def _on_aws(settings: Settings) -> Iterator[Problem]:
    runner, account = settings.runner, settings.environment.account_id
    if not settings.cluster.in_vpc:
        yield Problem(
            "runner.enabled",
            "got true, but only cluster.api_access.mode: in_vpc needs a runner; expected no runner with "
            "another mode",
        )
    if "security_group_id" in stated(settings.cluster.api_access):
        yield Problem(
            "cluster.api_access.security_group_id",
            "got one, but the runner's security group reaches the API; expected none, or runner.enabled: "
            "false",
        )
    for name in PLATFORM_VARIABLES:
        if name in runner.environment_variables:
            yield Problem(
                f"runner.environment_variables.{name}", "set by the platform; expected another variable"
            )
    role = runner.deployer_role_arn
    if role is None:
        yield Problem(
            "runner.deployer_role_arn",
            "missing; expected an IAM role for the runs: cluster.api_access.mode: in_vpc needs a runner in "
            "the network; or set enabled: false if you reach the network by other means",
        )
    elif account is not None and f":iam::{account}:" not in role and ":role/" in role:
        yield Problem("runner.deployer_role_arn", f"got {role!r}; expected a role of this account, {account}")
    if runner.state is None and runner.buildspec is None:
        yield Problem(
            "runner.state", "missing; expected where Pulumi keeps the state: s3://<your state bucket>"
        )
    if runner.state is not None:
        yield from obeys("runner.state", runner.state, _STATE)
    if settings.network.nat == "none" and runner.repository is not None:
        yield Problem(
            "network.nat",
            "got 'none'; expected 'single' or 'per_zone': the runner could not reach its repository",
        )
