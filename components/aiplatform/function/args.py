"""Arguments of a function."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal

from pulumi import Input

from aiplatform import naming
from aiplatform._shared.args import (
    Problem,
    Rule,
    between,
    distinct,
    got,
    is_unknown,
    length,
    matches,
    obeys,
)
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform._shared.gcp.names import LOG_BUCKET, PROJECT, REGION
from aiplatform._shared.key_grants import KeyGrants
from aiplatform._shared.logs import DEFAULT_DAYS, log_bucket_problems, retention
from aiplatform._shared.outputs import Tags, merged
from aiplatform._shared.principals import PRINCIPAL, assignable_role
from aiplatform._shared.references.lakehouse import LakehouseReference
from aiplatform._shared.secret_names import KEY, key_problems
from aiplatform.function import limits
from aiplatform.function.cloud_support import SUPPORT
from aiplatform.function.inputs import FunctionArgs as FunctionArgs
from aiplatform.function.inputs import FunctionEventArgs as FunctionEventArgs
from aiplatform.function.inputs import FunctionHttpArgs as FunctionHttpArgs
from aiplatform.function.inputs import FunctionObjectsArgs as FunctionObjectsArgs
from aiplatform.function.inputs import FunctionPackageArgs as FunctionPackageArgs
from aiplatform.function.sources import FunctionEvent, FunctionHttp, FunctionObjects, FunctionPackage
from aiplatform.naming import (
    CLOUD_RUN_SERVICE,
    EVENT_RULE,
    GOOGLE_SERVICE_ACCOUNT,
    IAM_ROLE,
    LAMBDA_FUNCTION,
    PUBSUB_TOPIC,
    SECURITY_GROUP_PREFIX,
    SQS_QUEUE,
    TAG_RULES,
    PhysicalName,
    dns_label,
    prefix_for,
)
from aiplatform.network.args import NetworkReference

LATEST: Final = "latest"
"""In `traffic`: the version that this update creates, or created last."""
ALIAS: Final = "live"
"""AWS: the alias that events and requests go to."""
_NAME_LENGTH: Final = 20
_IMAGE: Final = matches(r"[^\s:@]+(:\d+/[^\s:@]+)?(:[\w.-]+)?@sha256:[0-9a-f]{64}", "an image with a digest")
_REGISTRY: Final[Mapping[Cloud, Rule]] = {
    # Lambda API, CreateFunction: FunctionCode.ImageUri; Cloud Run, "Deploying container images".
    "aws": matches(
        r"\d{12}\.dkr[.-]ecr(-fips)?\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|on\.aws)/.*",
        "an image in a private repository of ECR, ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME@sha256:...: "
        "Lambda takes no other",
    ),
    "gcp": matches(
        r"([a-z0-9-]+-docker\.pkg\.dev|([a-z]+\.)?gcr\.io|(\w+\.)?docker\.io)/.*|[^./]+(/.*)?",
        "an image of Artifact Registry, REGION-docker.pkg.dev/PROJECT/REPOSITORY/NAME@sha256:..., or of "
        "Docker Hub: Cloud Run takes no other",
    ),
}
"""Cloud -> the registries of images."""
_TARGET: Final[Mapping[Cloud, Rule]] = {
    "aws": matches(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+", "the arn of a topic of SNS"),
    "gcp": matches(r"projects/[^/\s]+/notificationChannels/\d+", "projects/PROJECT/notificationChannels/ID"),
}
_VERSION: Final[Mapping[Cloud, Rule]] = {
    "aws": matches(r"latest|[1-9]\d*", "`latest`, or the number of a version"),
    "gcp": matches(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", "`latest`, or the name of a revision"),
}
_EVERYBODY: Final = ("*", "allUsers", "allAuthenticatedUsers")
_MOST_VERSIONS: Final[Mapping[Cloud, int]] = {"aws": 2, "gcp": 10}
"""AWS: an alias has two ("Lambda function aliases")."""
_ACCOUNT: Final = matches(
    r"serviceAccount:[^\s@:*]+@[^\s@:*]+\.iam\.gserviceaccount\.com", "serviceAccount:EMAIL"
)
_OWNER: Final = length(1, 256, "characters")


def names(name: str) -> Mapping[Cloud, Sequence[PhysicalName]]:
    """Return the names of a function's resources."""
    return {
        "aws": (
            PhysicalName(LAMBDA_FUNCTION, f"{{prefix}}-{name}"),
            PhysicalName(IAM_ROLE, f"{{prefix}}-fn-{name}"),
            PhysicalName(EVENT_RULE, f"{{prefix}}-{name}"),
            PhysicalName(SQS_QUEUE, f"{{prefix}}-{name}-dead"),
            PhysicalName(SECURITY_GROUP_PREFIX, f"{{prefix}}-{name}"),
        ),
        "gcp": (
            PhysicalName(CLOUD_RUN_SERVICE, f"{{prefix}}-{name}"),
            PhysicalName(GOOGLE_SERVICE_ACCOUNT, f"{{prefix}}-fn-{name}"),
            PhysicalName(PUBSUB_TOPIC, f"{{prefix}}-{name}-dead"),
            PhysicalName(naming.LOG_BUCKET, f"{{prefix}}-{name}-0a1b2c3d"),
        ),
    }


@dataclass(frozen=True)
class FunctionSettings(KeyGrants, CloudNeutral):
    """A function: code that runs for each event or request, and costs nothing while there is none."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: str
    """First part of every physical name, `{org}-{environment}`."""
    name: Annotated[str, dns_label, length(1, _NAME_LENGTH, "characters")]
    """The function's name, a DNS label of at most 20 characters; the physical name is `{prefix}-{name}`."""
    owner: Annotated[str, _OWNER]
    """Who owns it: a team, or a mail address on AWS. The tag or label `owner`."""
    cloud: Cloud = "aws"
    """`aws` or `gcp`. Default `aws`."""
    project: Annotated[str, PROJECT] | None = None
    """Google Cloud, and required there: the id of the project."""
    region: Annotated[str, REGION] | None = None
    """Google Cloud, and required there: the region, `europe-west4`."""
    image: Annotated[Input[str], _IMAGE] | None = None
    """The image that runs, with a digest. Either this or `package`."""
    package: FunctionPackage | None = None
    """AWS: the zip archive that runs."""
    architecture: Literal["arm64", "x86_64"] = "arm64"
    """AWS: the processor that image or package are built for. Default `arm64`, a fifth cheaper."""
    memory_mib: int = 512
    """Memory of an instance, MiB. Default 512."""
    timeout_seconds: int = 60
    """How long a call may take, seconds. Default 60."""
    max_instances: Annotated[int, between(1, 1000, "instances")] = 10
    """The most instances at a time; requests beyond are refused with 429, and events wait. AWS reserves them,
    and leaves at least 100 of the account's to functions that reserve none. Default 10."""
    concurrency: Annotated[int, between(1, 1000, "requests")] = 1
    """Google Cloud: the requests of an instance at a time. Default 1."""
    environment: dict[str, Input[str]] = field(default_factory=dict[str, Input[str]])
    """Environment variables. No secrets: they are visible in the function's configuration. Default none."""
    lakehouse: LakehouseReference | None = None
    """The lakehouse whose zones `event`, `reads` and `writes` name: `Lakehouse.outputs`. Default none."""
    event: FunctionEvent | None = None
    """Objects whose creation calls it. Default none."""
    http: FunctionHttp | None = None
    """A URL by which callers call it. Default none."""
    traffic: Annotated[dict[str, Annotated[int, between(1, 100, "percent")]], length(0, 10, "versions")] = (
        field(default_factory=dict[str, int])
    )
    """Version -> its part of requests and events, percent, 100 in all: `{"7": 90, "latest": 10}` is a canary.
    A version is `latest`, on AWS the number of a version, of two at most, on Google Cloud the name of a
    revision. Default all to the latest."""
    role: Input[str] | None = None
    """Identity of the code that exists, to which the function's permissions are added. AWS: the arn of a role
    that Lambda may assume; Google Cloud: `serviceAccount:EMAIL`. Default: one that is created."""
    reads: Annotated[list[FunctionObjects], length(0, 10, "entries")] = field(
        default_factory=list[FunctionObjects]
    )
    """Objects that the code reads. Default none."""
    writes: Annotated[list[FunctionObjects], length(0, 10, "entries")] = field(
        default_factory=list[FunctionObjects]
    )
    """Objects that the code creates; none where an object of `event` would be. Default none."""
    network: NetworkReference | None = None
    """The network whose private addresses the code calls. Default: none; it reaches the APIs of the cloud
    without one."""
    kms_key: Input[str] | None = None
    """The key of environment variables, logs and dead letters. AWS: its arn, with a policy that lets
    CloudWatch Logs and EventBridge use it; Google Cloud: `projects/.../cryptoKeys/...` in the region.
    Default: a key that is created, and none in dev."""
    profile: Literal["dev", "staging", "prod"] = "prod"
    """`dev`: no key is created. Default `prod`."""
    log_days: Annotated[int, retention()] | None = None
    """How long logs are retained, days: 7, 30, 90, 365 and others that CloudWatch Logs has. Default 90.
    Not with `log_bucket`, whose retention applies."""
    log_bucket: Annotated[Input[str], LOG_BUCKET] | None = None
    """Google Cloud: the log bucket that exists and receives the logs, `projects/P/locations/L/buckets/B`:
    `log_bucket` of a LogBucket, or one to which a sink of the project routes them. No bucket, sink and
    exclusion are created. Default: they are created for the function alone."""
    tracing: bool = True
    """Whether calls are traced. Default true."""
    alarm_targets: Annotated[list[Input[str]], length(0, 5, "targets"), distinct] = field(
        default_factory=list[Input[str]]
    )
    """What alarms of failed calls, throttling and dead letters notify. AWS: arns of topics of SNS; Google
    Cloud: names of notification channels. Default none: alarms are only visible."""
    tags: Tags = field(default_factory=dict[str, Input[str]])
    """Tags of every resource, in addition to those of the provider and `owner`; labels on Google Cloud."""

    @property
    def protect(self) -> bool:
        """Whether Pulumi refuses to delete the key: it encrypts nothing that is kept."""
        return False

    @property
    def retain_data(self) -> bool:
        """Whether the key stays in the cloud when the component is destroyed."""
        return False

    @property
    def physical_name(self) -> str:
        """The name of the function in the cloud."""
        return f"{self.prefix}-{self.name}"

    @property
    def all_tags(self) -> Tags:
        """The tags with the owner's."""
        return merged(self.tags, {"owner": self.owner})

    @property
    def retention_days(self) -> int:
        """How long logs are retained that the function has by itself, days."""
        return DEFAULT_DAYS if self.log_days is None else self.log_days

    @property
    def has_key(self) -> bool:
        """Whether a key of the customer encrypts what the function has."""
        return self.kms_key is not None or self.profile != "dev"

    def bucket(self, objects: FunctionObjects | FunctionEvent) -> Input[str]:
        """Return the name of the bucket of objects."""
        if objects.bucket is not None:
            return objects.bucket
        if self.lakehouse is None or objects.zone is None:
            raise ValueError("objects have neither a bucket nor a zone of a lakehouse")
        return self.lakehouse.zone(objects.zone).bucket

    def key(self, objects: FunctionObjects) -> Input[str] | None:
        """Return the key of objects, by which the code reads and writes them; None: one that needs no
        permission."""
        of_zone = self.lakehouse.kms_key if self.lakehouse is not None and objects.zone is not None else None
        return objects.kms_key if objects.kms_key is not None else of_zone

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        yield from obeys("prefix", self.prefix, prefix_for(*names(self.name)[self.cloud]))
        yield from obeys("tags", self.tags, TAG_RULES[self.cloud])
        reason = TAG_RULES[self.cloud]({"owner": self.owner})
        if reason is not None:
            yield Problem("owner", f"which is a tag or label: {reason}")
        for key in ("project", "region"):
            if self.cloud == "gcp" and getattr(self, key) is None:
                yield Problem(key, f"missing; expected the {key} in which the resources are created")
        yield from log_bucket_problems(self.log_bucket, self.log_days)
        yield from self._code()
        yield from self._size()
        yield from self._sources()
        yield from self._principals()
        yield from self._traffic()

    def _code(self) -> Iterator[Problem]:
        if (self.image is None) == (self.package is None):
            both = "got both" if self.image is not None else "got none"
            yield Problem("image", f"{both} `image` and `package`; expected one of the two")
        if self.image is not None:
            yield from obeys("image", self.image, _REGISTRY[self.cloud])
        for name, reason in limits.variable_problems(self.environment, self.cloud):
            yield Problem(f"environment.{name}" if name else "environment", reason)

    def _size(self) -> Iterator[Problem]:
        yield from obeys("memory_mib", self.memory_mib, limits.MEMORY[self.cloud])
        pushed = self.cloud == "gcp" and self.event is not None
        yield from obeys(
            "timeout_seconds",
            self.timeout_seconds,
            limits.PUSH_TIMEOUT if pushed else limits.TIMEOUT[self.cloud],
        )

    def _sources(self) -> Iterator[Problem]:
        if self.event is not None and self.http is not None:
            yield Problem("http", "got it with `event`; expected one of the two: add another function")
        entries: list[tuple[str, FunctionObjects | FunctionEvent]] = [
            *((f"reads[{index}]", entry) for index, entry in enumerate(self.reads)),
            *((f"writes[{index}]", entry) for index, entry in enumerate(self.writes)),
            *([("event", self.event)] if self.event is not None else []),
        ]
        for path, entry in entries:
            if entry.zone is not None and self.lakehouse is None:
                yield Problem(
                    f"{path}.zone", f"{got(entry.zone)} without a lakehouse; expected `lakehouse`, too"
                )
        if self.lakehouse is not None and self.lakehouse.cloud != self.cloud:
            yield Problem("lakehouse", f"is on {self.lakehouse.cloud}; expected one on {self.cloud}")
        if self.network is not None and self.network.cloud != self.cloud:
            yield Problem("network", f"is on {self.network.cloud}; expected one on {self.cloud}")
        for index, entry in enumerate(self.writes):
            event = self.event
            if event is not None and self._same_bucket(entry, event) and _overlap(entry.prefix, event.prefix):
                yield Problem(
                    f"writes[{index}]",
                    f"got {entry.prefix!r} in the bucket of `event`, whose prefix is {event.prefix!r}; "
                    "expected another place: the function would call itself without end",
                )

    def _same_bucket(self, written: FunctionObjects, event: FunctionEvent) -> bool:
        """Return whether both are known to be of one bucket."""
        if written.zone is not None and event.zone is not None:
            return written.zone == event.zone
        if any(
            entry.bucket is None and (entry.zone is None or self.lakehouse is None)
            for entry in (written, event)
        ):
            return False
        one, other = self.bucket(written), self.bucket(event)
        return one is other or (not is_unknown(one) and not is_unknown(other) and one == other)

    def _principals(self) -> Iterator[Problem]:
        yield from key_problems("kms_key", self.kms_key, self.cloud, self.region)
        yield from self.key_grants_problems(self.kms_key)
        for path, entries in (("reads", self.reads), ("writes", self.writes)):
            for index, entry in enumerate(entries):
                if entry.kms_key is not None:
                    yield from obeys(f"{path}[{index}].kms_key", entry.kms_key, KEY[self.cloud])
        if self.role is not None:
            rules = (PRINCIPAL["aws"], assignable_role) if self.cloud == "aws" else (_ACCOUNT,)
            yield from obeys("role", self.role, *rules)
        for index, target in enumerate(self.alarm_targets):
            yield from obeys(f"alarm_targets[{index}]", target, _TARGET[self.cloud])
        for index, caller in enumerate(self.http.callers if self.http is not None else ()):
            yield from obeys(f"http.callers[{index}]", caller, _authenticated, PRINCIPAL[self.cloud])

    def _traffic(self) -> Iterator[Problem]:
        for version in self.traffic:
            yield from obeys(f"traffic.{version}", version, _VERSION[self.cloud])
        most = _MOST_VERSIONS[self.cloud]
        if len(self.traffic) > most:
            yield Problem("traffic", f"got {len(self.traffic)} versions; expected at most {most}")
        if self.traffic and sum(self.traffic.values()) != 100:
            yield Problem("traffic", f"got {sum(self.traffic.values())} percent in all; expected 100")


def _authenticated(value: Any) -> str | None:
    """A rule: one principal, which the cloud authenticates."""
    if value in _EVERYBODY or str(value).endswith(":root"):
        return "which is everybody; expected single principals: a function without authentication is refused"
    return None


def _overlap(prefix: str, of_event: str) -> bool:
    """Return whether an object of one prefix may have the other."""
    return prefix.startswith(of_event) or of_event.startswith(prefix)
