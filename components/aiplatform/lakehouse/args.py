"""Arguments of the lakehouse."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal, NotRequired, TypedDict

from pulumi import Input

from aiplatform._shared.args import Problem, between, distinct, got, length, matches, obeys
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform._shared.gcp.names import PROJECT, REGION
from aiplatform._shared.principals import identity, own_role
from aiplatform.lakehouse import ingestion, snapshots
from aiplatform.lakehouse.aws.names import NAMES, own_names
from aiplatform.lakehouse.cloud_support import SUPPORT
from aiplatform.lakehouse.gcp import rules as google_rules
from aiplatform.lakehouse.grants import (
    GrantSettings,
    LakehouseGrantArgs,
    everything,
    overlaps,
    passed_by,
    role_arn,
)
from aiplatform.lakehouse.ingestion import (
    BatchSettings,
    CaptureSettings,
    LakehouseBatchArgs,
    LakehouseCaptureArgs,
    LakehouseStreamArgs,
    StreamSettings,
)
from aiplatform.lakehouse.perimeter import LakehousePerimeterArgs, PerimeterSettings
from aiplatform.lakehouse.snapshots import LakehouseSnapshotArgs, SnapshotSettings
from aiplatform.lakehouse.table_store import Store, unfit_for_s3_tables
from aiplatform.lakehouse.tables import LakehouseTableArgs, TableSettings, Zone, shadowed
from aiplatform.naming import aws_tags, dns_label, prefix_for
from aiplatform.network.args import NetworkReference, NetworkReferenceArgs

ENDPOINTS: Final = ("athena", "glue", "kms", "lakeformation", "sts")
"""AWS: interface endpoints that Pods call for to query tables and to be an Iceberg client; S3's gateway
endpoint is always there (AWS PrivateLink guide, "AWS services that integrate with AWS PrivateLink")."""
MOST_PRINCIPALS: Final = 50
"""AWS: principals of grants. A key policy has at most 32,768 characters (KMS developer guide, "Quotas"), and
one statement for each principal: 300 characters of its own, up to 160 of the workgroup's arn and 95 of the
role's, without a long path. 50 of 555 are 27,750, which leaves 5,000 for all other statements."""
LEAST_CUTOFF: Final = 10 * 1024**2
"""Athena's least limit of a query (pulumi_aws, WorkgroupConfigurationArgs); Google Cloud's is higher."""
MOST_CUTOFF: Final = 1024**5
DAYS: Final = between(1, 3650, "days")

LegalHoldMode = Literal["governance", "compliance"]


class LakehouseZoneArgs(TypedDict):
    """How long a zone keeps what. Files of tables that are in use are never taken away by age."""

    snapshot_days: NotRequired[int]
    """How long snapshots of tables are kept, in days: how far one can read back in time. 1 to 3650. Default
    7."""
    deleted_days: NotRequired[int]
    """How long what was deleted or overwritten can be called back, in days. 1 to 3650. Default 30, or the
    legal hold's."""
    file_days: NotRequired[int]
    """How long files beside the tables are kept, those under `files/`, in days. 1 to 3650. Default for
    ever."""


class LakehouseZonesArgs(TypedDict):
    """The zones: data comes in to raw, is made right in curated, and is read from serving."""

    raw: NotRequired[LakehouseZoneArgs]
    """What came in, as it came."""
    curated: NotRequired[LakehouseZoneArgs]
    """What is checked and joined."""
    serving: NotRequired[LakehouseZoneArgs]
    """What applications and models read."""


class LakehouseLegalHoldArgs(TypedDict):
    """A time in which nobody can delete what came in. It cannot be taken back from what it holds.

    AWS: S3 then takes only uploads with a checksum (`Content-MD5` or `x-amz-checksum-...`), which AWS SDKs
    send by themselves since 2025. Whether Firehose, DMS and Glue send one, their guides do not say: try
    `streams` and `captures` on an account before you rely on them with a legal hold."""

    days: int
    """How long, in days: 1 to 3650."""
    mode: NotRequired[LegalHoldMode]
    """`governance`: who has s3:BypassGovernanceRetention may delete. `compliance`: nobody, the account's root
    included. Default `governance`."""


class LakehouseArgs(TypedDict):
    """A governed lakehouse: zones, Iceberg tables, who may read what, and a way to query it."""

    prefix: str
    """First part of every physical name, `{org}-{environment}`; buckets are `{prefix}-{zone}-{account}`, or
    `{prefix}-{zone}-{project}` on Google Cloud."""
    writers: list[Input[str]]
    """Who writes: pipelines, not teams. AWS: arns of the IAM roles of this account that may become the writer
    role `{prefix}-lakehouse-writer`, the only one with rights on the buckets; none of IAM Identity Center or
    of services, on which AWS alone can put policies. Google Cloud: service accounts
    (`serviceAccount:EMAIL`) and groups (`group:EMAIL`) that may change every table and file."""
    cloud: NotRequired[Cloud]
    """`aws` or `gcp`. Default `aws`."""
    project: NotRequired[str]
    """Google Cloud, and required there: the id of the project."""
    region: NotRequired[str]
    """Google Cloud, and required there: the region, `europe-west4`."""
    zones: NotRequired[LakehouseZonesArgs]
    """How long each zone keeps what."""
    store: NotRequired[Store]
    """AWS: where the tables are: `buckets` (the zones' own), or `s3_tables` (S3 Tables, which looks after
    them itself). Said when the lakehouse is made, and for good. Default `buckets`."""
    tables: NotRequired[list[LakehouseTableArgs]]
    """The Iceberg tables. Default none."""
    streams: NotRequired[list[LakehouseStreamArgs]]
    """Events that are appended to tables of raw as they come. Default none."""
    captures: NotRequired[list[LakehouseCaptureArgs]]
    """Databases whose changes are captured into raw. Default none."""
    batches: NotRequired[list[LakehouseBatchArgs]]
    """Jobs that read and write tables. Default none."""
    snapshots: NotRequired[list[LakehouseSnapshotArgs]]
    """Names that snapshots of tables get, so that they are kept. Default none."""
    network: NotRequired[Input[NetworkReferenceArgs]]
    """The network that `captures` stand in, from where they reach their databases. Required with them."""
    grants: NotRequired[list[LakehouseGrantArgs]]
    """Who may do what. Default nobody anything."""
    legal_hold: NotRequired[LakehouseLegalHoldArgs]
    """A time in which nobody can delete from raw (Object Lock). Said when the bucket is made, and for good.
    Default none."""
    query_cutoff_bytes: NotRequired[int]
    """AWS: the most bytes that one query may scan; one that would scan more is cancelled; at least 10 MiB,
    default 100 GiB. Google Cloud: the most bytes that the queries of one principal may scan in a day, and so
    one query; whole MiB, at least 1 GiB, default 10 TiB."""
    access_log_days: NotRequired[int]
    """How long it is kept who read and wrote which object, in days. Default 90."""
    arrival_events: NotRequired[bool]
    """Whether each object that comes in to raw is told to EventBridge. Default true."""
    arrival_targets: NotRequired[dict[str, Input[str]]]
    """Who is told of each file that arrives under `files/` of raw, by a name of yours: the arn of an SQS
    queue, an SNS topic or a Lambda function, whose policy lets the rule `{prefix}-arrivals` in. At most 5.
    Default nobody."""
    quality_targets: NotRequired[dict[str, Input[str]]]
    """Who is told when a rule of a table's `quality` does not hold, by a name of yours: the arn of an SQS
    queue, an SNS topic or a Lambda function, whose policy lets the rule `{prefix}-quality` in. At most 5.
    Default nobody."""
    admins: NotRequired[list[Input[str]]]
    """Further data lake administrators; whoever applies the program is one. AWS: arns of IAM roles. Google
    Cloud: all others that apply the program (`serviceAccount:EMAIL`, `group:EMAIL`, `user:EMAIL`), who could
    not read its tables otherwise. Default none."""
    account_settings: NotRequired[bool]
    """Whether this lakehouse sets who administers the data lake of the whole account and region, and switches
    off that IAM alone decides on new tables. There is one such setting: false where something else makes it.
    Default true."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete buckets, key, databases and tables. Default false."""
    retain_data: NotRequired[bool]
    """Whether buckets, key, databases and tables stay in the cloud when the lakehouse is destroyed. Default
    false."""
    force_destroy: NotRequired[bool]
    """Whether buckets are emptied when they are destroyed; a bucket with data in it is not deleted otherwise.
    Default false."""
    perimeter: NotRequired[LakehousePerimeterArgs]
    """Google Cloud: a perimeter of VPC Service Controls around the project, so that its data does not leave
    it whatever IAM says. Default none."""
    tags: NotRequired[dict[str, str]]
    """Tags of every resource, beside those of the provider."""


@dataclass(frozen=True)
class ZoneSettings:
    """A checked zone."""

    snapshot_days: Annotated[int, DAYS] = 7
    deleted_days: Annotated[int, DAYS] | None = None
    file_days: Annotated[int, DAYS] | None = None


@dataclass(frozen=True)
class ZonesSettings:
    """Checked zones."""

    raw: ZoneSettings = ZoneSettings()
    curated: ZoneSettings = ZoneSettings()
    serving: ZoneSettings = ZoneSettings()

    def of(self, zone: Zone) -> ZoneSettings:
        """One of them."""
        return {"raw": self.raw, "curated": self.curated, "serving": self.serving}[zone]


@dataclass(frozen=True)
class LegalHoldSettings:
    """A checked legal hold."""

    days: Annotated[int, DAYS]
    mode: LegalHoldMode = "governance"


TARGET: Final = matches(
    r"arn:aws[a-z-]*:(sqs|sns|lambda):[a-z0-9-]+:\d{12}:(function:)?[\w.:-]+",
    "the arn of an SQS queue, an SNS topic or a Lambda function",
)


def _target_names(value: Mapping[str, Any]) -> str | None:
    for name in value:
        if dns_label(name):
            return f"{name!r}: {dns_label(name)}"
    return None


Targets = Annotated[dict[str, Input[str]], length(0, 5, "targets"), _target_names]


_CUTOFF: Final[Mapping[Cloud, int]] = {"aws": 100 * 1024**3, "gcp": 10 * 1024**4}


@dataclass(frozen=True)
class LakehouseSettings(CloudNeutral):
    """Checked arguments of a lakehouse."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: str
    writers: Annotated[list[Input[str]], length(1, 20, "roles"), distinct]
    cloud: Cloud = "aws"
    project: Annotated[str, PROJECT] | None = None
    region: Annotated[str, REGION] | None = None
    zones: ZonesSettings = ZonesSettings()
    store: Store = "buckets"
    tables: Annotated[list[TableSettings], length(0, 200, "tables")] = field(
        default_factory=list[TableSettings]
    )
    streams: Annotated[list[StreamSettings], length(0, 50, "streams")] = field(
        default_factory=list[StreamSettings]
    )
    captures: Annotated[list[CaptureSettings], length(0, 20, "captures")] = field(
        default_factory=list[CaptureSettings]
    )
    batches: Annotated[list[BatchSettings], length(0, 100, "batches")] = field(
        default_factory=list[BatchSettings]
    )
    snapshots: Annotated[list[SnapshotSettings], length(0, 1000, "snapshots")] = field(
        default_factory=list[SnapshotSettings]
    )
    network: NetworkReference | None = None
    grants: Annotated[list[GrantSettings], length(0, 200, "grants")] = field(
        default_factory=list[GrantSettings]
    )
    legal_hold: LegalHoldSettings | None = None
    query_cutoff_bytes: Annotated[int, between(LEAST_CUTOFF, MOST_CUTOFF, "bytes")] | None = None
    access_log_days: Annotated[int, DAYS] = 90
    arrival_events: bool = True
    arrival_targets: Targets = field(default_factory=dict[str, Input[str]])
    quality_targets: Targets = field(default_factory=dict[str, Input[str]])
    admins: Annotated[list[Input[str]], length(0, 9, "roles"), distinct] = field(
        default_factory=list[Input[str]]
    )
    account_settings: bool = True
    protect: bool = False
    retain_data: bool = False
    force_destroy: bool = False
    perimeter: PerimeterSettings | None = None
    tags: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def cutoff_bytes(self) -> int:
        """The most bytes that a query may scan, or the queries of a day on Google Cloud."""
        return self.query_cutoff_bytes or _CUTOFF[self.cloud]

    def deleted_days(self, zone: Zone) -> int:
        """How long what was deleted from a zone can be called back."""
        said = self.zones.of(zone).deleted_days
        if said is not None:
            return said
        return max(30, self.legal_hold.days) if zone == "raw" and self.legal_hold else 30

    def check(self) -> Iterator[Problem]:
        """What no single key tells."""
        yield from self._names()
        for index, grant in enumerate(self.grants):
            for problem in grant.misfits(self.tables):
                yield Problem(f"grants[{index}].{problem.path}", problem.reason)
        yield from () if self.store == "s3_tables" else shadowed(self.tables)
        yield from everything(self.grants)
        yield from overlaps(self.grants)
        yield from passed_by(self.grants)
        yield from self._hold()
        yield from ingestion.problems(self.streams, self.batches, self.tables, self.cloud)
        yield from snapshots.problems(self.snapshots, self.tables)
        yield from google_rules.problems(self) if self.cloud == "gcp" else self._on_aws()
        if self.arrival_targets and not self.arrival_events:
            yield Problem("arrival_targets", "got some without arrival_events, expected it to be true")
        yield from self._teardown()

    def _on_aws(self) -> Iterator[Problem]:
        yield from obeys("prefix", self.prefix, prefix_for(*NAMES))
        yield from obeys("tags", self.tags, aws_tags)
        for index, writer in enumerate(self.writers):
            yield from obeys(f"writers[{index}]", writer, role_arn, own_role)
        for index, admin in enumerate(self.admins):
            yield from obeys(f"admins[{index}]", admin, role_arn)
        for index, grant in enumerate(self.grants):
            yield from obeys(f"grants[{index}].principal", grant.principal, role_arn)
        principals = {identity(grant.principal) for grant in self.grants}
        if len(principals) > MOST_PRINCIPALS:
            yield Problem(
                "grants",
                f"got {len(principals)} principals, expected at most {MOST_PRINCIPALS}: the key's "
                "policy has a statement for each, and at most 32 KB; let teams share a role",
            )
        for where in ("arrival_targets", "quality_targets"):
            for name, arn in getattr(self, where).items():
                yield from obeys(f"{where}.{name}", arn, TARGET)
        if self.captures and self.network is None:
            yield Problem(
                "network", "missing, expected the network that `captures` reach their databases from"
            )
        if self.store == "s3_tables":
            yield from unfit_for_s3_tables(self.tables, self.grants)
        yield from own_names(self.prefix, self.streams, self.captures)

    def _names(self) -> Iterator[Problem]:
        said = {
            "tables": [table.path for table in self.tables],
            "grants": [grant.name for grant in self.grants],
            "streams": [stream.name for stream in self.streams],
            "captures": [capture.name for capture in self.captures],
            "batches": [batch.name for batch in self.batches],
        }
        for where, names in said.items():
            for index, name in enumerate(names):
                if name in names[:index]:
                    yield Problem(f"{where}[{index}].name", f"{got(name)} twice, expected each only once")

    def _hold(self) -> Iterator[Problem]:
        if self.legal_hold is None:
            return
        for key in ("deleted_days", "file_days"):
            days = getattr(self.zones.raw, key)
            if days is not None and days < self.legal_hold.days:
                yield Problem(
                    f"zones.raw.{key}",
                    f"got {days}, shorter than the legal hold, expected at least {self.legal_hold.days} days",
                )

    def _teardown(self) -> Iterator[Problem]:
        if not self.force_destroy:
            return
        if self.protect or self.retain_data:
            other = "protect" if self.protect else "retain_data"
            yield Problem("force_destroy", f"got true beside {other}, expected one of the two")
        if self.legal_hold is not None and self.legal_hold.mode == "compliance":
            yield Problem(
                "force_destroy", "got true, expected false: nobody can delete what compliance holds"
            )
