"""The argument `logs` of the observability component."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Final

from pulumi import Input

from aiplatform._shared.args import Problem, between, distinct, length, matches, obeys
from aiplatform._shared.cloud_support import Cloud
from aiplatform._shared.key_grants import KeyGrants
from aiplatform._shared.logs import retention
from aiplatform._shared.rules import Rule
from aiplatform._shared.secret_names import key_problems
from aiplatform.naming import dns_label

ENDPOINTS: Final = ("eks-auth", "logs")
"""AWS services that Fluent Bit calls: a network without access to the internet needs interface endpoints for
them."""
_RETENTION: Final[dict[Cloud, Rule]] = {
    "aws": retention(),
    # LogBucket.retentionDays (Cloud Logging, "Configure custom retention").
    "gcp": between(1, 3650, "days"),
}


@dataclass(frozen=True)
class Logs(KeyGrants):
    """The logs of containers in the cloud's store: CloudWatch Logs on AWS, Cloud Logging on Google Cloud.
    Fluent Bit on each node collects them, adds the Pod's labels, and removes secrets."""

    retention_days: Input[int] = 30
    """How long logs are kept, in days: on AWS a period of CloudWatch Logs (1, 3, 5, 7, 14, 30, 60, 90 ...),
    on Google Cloud 1 to 3650. Default 30."""
    kms_key: Input[str] | None = None
    """The key that encrypts the logs. AWS: its arn, of the provider's region, with a policy that lets
    CloudWatch Logs use it for the log group (docs/bring-your-own.md); Google Cloud:
    `projects/.../cryptoKeys/...`, in the cluster's region. Default: a key that is created."""
    buffer_mib: Annotated[int, between(64, 65536, "MiB")] = 1024
    """Disk of each node for logs that wait for the cloud's store, MiB, 64 to 65536. The oldest are lost when
    it is full. Default 1024."""
    excluded_namespaces: Annotated[list[Annotated[str, dns_label]], distinct] = field(
        default_factory=list[str]
    )
    """Namespaces whose logs are not collected. Default: none."""
    secret_keys: Annotated[
        list[Annotated[str, matches(r"[A-Za-z0-9_.-]{3,64}", "3 to 64 letters, digits, _, - and .")]],
        length(0, 50, "keys"),
    ] = field(default_factory=list[str])
    """Names of keys whose values are removed (`card_number`), in addition to the platform's, such as
    `password`, `token` and `api_key`: in structured logs, and as `key=value` or `key: value` in texts. A key
    that ends with such a name counts, too; upper and lower case, `_`, `-` and `.` make no difference.
    Default: none."""

    def problems(self, cloud: Cloud, region: str | None, path: str) -> Iterator[Problem]:
        """Yield the problems that depend on the cloud. region: the cluster's on Google Cloud. path: the
        argument's."""
        yield from obeys(f"{path}.retention_days", self.retention_days, _RETENTION[cloud])
        yield from key_problems(f"{path}.kms_key", self.kms_key, cloud, region)
        yield from self.key_grants_problems(self.kms_key, path=path)
