"""Arguments of the long-term storage of metrics."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Final

from pulumi import Input

from aiplatform._shared.args import Problem, between, distinct, got, is_unknown, length, matches

ENDPOINTS: Final = ("aps-workspaces", "eks-auth")
"""AWS services that Prometheus calls: a network without access to the internet needs interface endpoints for
them (Amazon Managed Service for Prometheus user guide, "Using interface VPC endpoints")."""
_WORKSPACE: Final = matches(
    r"ws-[a-z0-9-]{10,64}", "the id of a workspace, ws-0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
)
_KEY: Final = matches(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[\w-]+", "the arn of a KMS key")
TARGET: Final = {
    "aws": matches(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}", "the arn of an SNS topic"),
    "gcp": matches(
        r"projects/[^/\s]+/notificationChannels/\d+", "projects/PROJECT/notificationChannels/NUMBER"
    ),
}
"""Cloud -> the rule of what the alarm notifies."""


@dataclass(frozen=True)
class Alarm:
    """The alarm of the cloud when the metrics of this cluster stay away: Prometheus, or all of the cluster,
    has stopped, and with it all alerts."""

    notify: Annotated[list[Input[str]], length(0, 5, "targets"), distinct] = field(
        default_factory=list[Input[str]]
    )
    """What it notifies. AWS: arns of SNS topics, whose policy allows cloudwatch.amazonaws.com to publish;
    Google Cloud: names of notification channels, `projects/PROJECT/notificationChannels/NUMBER`. Default:
    nothing; the alarm is in the console only."""
    minutes: Annotated[int, between(5, 60, "minutes")] = 10
    """Minutes without metrics after which it is raised, 5 to 60. Default 10."""


@dataclass(frozen=True)
class LongTermStorage:
    """A copy of the metrics in the cloud's service, which keeps them longer than Prometheus' volume. AWS:
    Amazon Managed Service for Prometheus. Google Cloud: Managed Service for Prometheus, in the cluster's
    project."""

    workspace_id: Input[Annotated[str, _WORKSPACE]] | None = None
    """AWS: a workspace that exists, `ws-...`, which the program does not change. Where other clusters write
    to it, too, the alarm is raised only once all of them have stopped. Default: the program creates one."""
    retention_days: Annotated[int, between(1, 1095, "days")] | None = None
    """AWS: days that the created workspace keeps metrics, 1 to 1095. Default: AWS' default, 150. Google Cloud
    keeps metrics for 24 months, which cannot be changed."""
    kms_key_arn: Input[Annotated[str, _KEY]] | None = None
    """AWS: the customer managed key that encrypts the created workspace; it cannot be changed. Default: a key
    of AWS."""
    data_source: bool = False
    """AWS: whether Grafana has the workspace as a data source, with the plugin of Grafana Labs, which its Pod
    downloads when it starts. Default false: metrics beyond Prometheus' retention are read elsewhere."""
    alarm: Alarm = field(default_factory=Alarm)
    """The alarm for metrics that stay away."""

    def check(self) -> Iterator[Problem]:
        """Report arguments of a workspace that is not created."""
        if self.workspace_id is None:
            return
        for key in ("retention_days", "kms_key_arn"):
            value = getattr(self, key)
            if value is not None:
                text = "an output" if is_unknown(value) else got(value)
                yield Problem(key, f"{text}, and workspace_id names a workspace; expected it left out")
