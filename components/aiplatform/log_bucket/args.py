"""Arguments of a log bucket."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final

from pulumi import Input

from aiplatform._shared.args import Problem, between, distinct, length, obeys
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform._shared.gcp.names import PROJECT, REGION
from aiplatform._shared.key_grants import KeyGrants
from aiplatform._shared.outputs import Tags
from aiplatform._shared.secret_names import key_problems
from aiplatform.log_bucket.cloud_support import SUPPORT
from aiplatform.log_bucket.inputs import LogBucketArgs as LogBucketArgs
from aiplatform.naming import LOG_BUCKET, TAG_RULES, PhysicalName, dns_label, prefix_for

NAME: Final = "{prefix}-functions"
"""The name of sink and exclusion, and the first part of the bucket's."""
_PREFIX: Final = prefix_for(PhysicalName(LOG_BUCKET, f"{NAME}-0a1b2c3d"))
_LONGEST_FILTER: Final = 20_000
"""Characters of a filter of Cloud Logging ("Quotas and limits": length of a sink inclusion or exclusion
filter)."""


@dataclass(frozen=True)
class LogBucketSettings(KeyGrants, CloudNeutral):
    """The log bucket that the functions and workflows of a prefix share, with one sink and one exclusion."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: str
    """First part of every physical name, `{org}-{environment}`: the bucket receives the logs of all functions
    and workflows whose names begin with `{prefix}-`."""
    cloud: Cloud = "aws"
    """`gcp`, and required. AWS has no log buckets."""
    project: Annotated[str, PROJECT] | None = None
    """The id of the project. Required."""
    region: Annotated[str, REGION] | None = None
    """The region of the bucket, and of the functions and workflows. Required."""
    retention_days: Input[Annotated[int, between(1, 3650, "days")]] = 90
    """How long the logs of all of them are retained, in days, 1 to 3650. Default 90."""
    excluded_functions: Annotated[list[Annotated[str, dns_label]], distinct, length(0, 1000, "functions")] = (
        field(default_factory=list[str])
    )
    """Functions whose logs are in another bucket, by their names without the prefix. Default none."""
    excluded_workflows: Annotated[list[Annotated[str, dns_label]], distinct, length(0, 1000, "workflows")] = (
        field(default_factory=list[str])
    )
    """Workflows whose logs are in another bucket, by their names without the prefix. Default none."""
    kms_key: Input[str] | None = None
    """The key that encrypts the logs: `projects/.../cryptoKeys/...`, in the region. Default: a key that is
    created."""
    retain_data: bool = False
    """Whether bucket and key stay in the cloud when the component is destroyed. Default false."""
    tags: Tags = field(default_factory=dict[str, Input[str]])
    """Labels of the key. Log buckets have none."""

    @property
    def protect(self) -> bool:
        """Whether Pulumi refuses to delete the key: `retain_data` keeps what it encrypts."""
        return False

    @property
    def physical_name(self) -> str:
        """The name of sink and exclusion."""
        return NAME.format(prefix=self.prefix)

    @property
    def filter(self) -> str:
        """The query of Cloud Logging for the logs. NOT binds closer than OR, and OR than AND ("Logging query
        language"), so each part is in parentheses."""
        functions = self._entries("cloud_run_revision", "service_name", self.excluded_functions)
        workflows = self._entries("workflows.googleapis.com/Workflow", "workflow_id", self.excluded_workflows)
        return f'resource.labels.location="{self.region}" AND ({functions} OR {workflows})'

    def _entries(self, kind: str, label: str, excluded: Sequence[str]) -> str:
        """Return the query for the resources of a type whose names have the prefix. It has letters, digits
        and hyphens alone, none of which regular expressions interpret."""
        query = f'resource.type="{kind}" AND resource.labels.{label}=~"^{self.prefix}-"'
        if excluded:
            names = " OR ".join(f'"{self.prefix}-{name}"' for name in sorted(excluded))
            query += f" AND NOT resource.labels.{label}=({names})"
        return f"({query})"

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        yield from obeys("prefix", self.prefix, _PREFIX)
        yield from obeys("tags", self.tags, TAG_RULES[self.cloud])
        yield from key_problems("kms_key", self.kms_key, self.cloud, self.region)
        yield from self.key_grants_problems(self.kms_key)
        for key in ("project", "region"):
            if self.cloud == "gcp" and getattr(self, key) is None:
                yield Problem(key, f"missing; expected the {key} in which the resources are created")
        size = len(self.filter)
        if size > _LONGEST_FILTER:
            longest = max("excluded_functions", "excluded_workflows", key=lambda key: len(getattr(self, key)))
            yield Problem(
                longest,
                f"got so many that the filter of the sink has {size} characters; expected at most "
                f"{_LONGEST_FILTER}: leave out `log_bucket` of fewer of them",
            )
