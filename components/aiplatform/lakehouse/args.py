"""Arguments of the lakehouse."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal

from pulumi import Input

from aiplatform._shared.args import Problem, between, distinct, got, length, matches, obeys
from aiplatform._shared.bucket_names import bucket_problems
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform._shared.gcp.names import PROJECT, REGION
from aiplatform._shared.key_grants import KeyGrants
from aiplatform._shared.outputs import Tags
from aiplatform._shared.principals import assignable_role, identity
from aiplatform._shared.secret_names import key_problems
from aiplatform.lakehouse import ingestion, snapshots
from aiplatform.lakehouse.aws.names import NAMES, name_problems
from aiplatform.lakehouse.billing import LakehouseBillingExportSettings
from aiplatform.lakehouse.cloud_support import SUPPORT
from aiplatform.lakehouse.gcp import rules as google
from aiplatform.lakehouse.grants import (
    LakehouseGrantSettings,
    grants_of_everything,
    ineffective_conditions,
    overlapping_grants,
    role_arn,
)
from aiplatform.lakehouse.ingestion import (
    LakehouseBatchSettings,
    LakehouseCaptureSettings,
    LakehouseStreamSettings,
)
from aiplatform.lakehouse.inputs import LakehouseArgs as LakehouseArgs
from aiplatform.lakehouse.inputs import LakehouseLegalHoldArgs as LakehouseLegalHoldArgs
from aiplatform.lakehouse.inputs import LakehouseZoneArgs as LakehouseZoneArgs
from aiplatform.lakehouse.inputs import LakehouseZonesArgs as LakehouseZonesArgs
from aiplatform.lakehouse.perimeter import LakehousePerimeterSettings
from aiplatform.lakehouse.snapshots import LakehouseSnapshotSettings
from aiplatform.lakehouse.table_store import Store, unfit_for_s3_tables
from aiplatform.lakehouse.tables import LakehouseTableSettings, Zone, shadowed
from aiplatform.naming import aws_tags, dns_label, google_labels, prefix_for
from aiplatform.network.args import NetworkReference

ENDPOINTS: Final = ("athena", "glue", "kms", "lakeformation", "sts")
"""AWS: interface endpoints that Pods need to query tables and to use an Iceberg client; S3's gateway endpoint
always exists (AWS PrivateLink guide, "AWS services that integrate with AWS PrivateLink")."""
MOST_PRINCIPALS: Final = 50
"""AWS: principals of grants. A key policy has at most 32,768 characters (KMS developer guide, "Quotas"), and
one statement for each principal: 300 characters, up to 160 of the workgroup's arn and 95 of the role's,
without a long path. 50 of 555 are 27,750, which leaves 5,000 for all other statements."""
LEAST_CUTOFF: Final = 10 * 1024**2
"""Athena's lowest limit of a query (pulumi_aws, WorkgroupConfigurationArgs); Google Cloud's is higher."""
MOST_CUTOFF: Final = 1024**5
DAYS: Final = between(1, 3650, "days")
CUTOFF: Final = between(LEAST_CUTOFF, MOST_CUTOFF, "bytes")

LegalHoldMode = Literal["governance", "compliance"]


@dataclass(frozen=True)
class LakehouseZoneSettings:
    """Retention in a zone. Files that a table uses never expire."""

    snapshot_days: Input[Annotated[int, DAYS]] = 7
    """How long snapshots of tables are retained, in days; earlier states of a table cannot be read. 1 to
    3650. Default 7."""
    deleted_days: Input[Annotated[int, DAYS]] | None = None
    """How long deleted and overwritten objects can be restored, in days. 1 to 3650. Default 30, or the legal
    hold's days."""
    file_days: Input[Annotated[int, DAYS]] | None = None
    """How long files outside of tables (under `files/`) are retained, in days. 1 to 3650. Default without
    limit."""


@dataclass(frozen=True)
class LakehouseZonesSettings:
    """The zones: data arrives in raw, is cleaned in curated, and is read from serving."""

    raw: LakehouseZoneSettings = LakehouseZoneSettings()
    """Data as it arrived."""
    curated: LakehouseZoneSettings = LakehouseZoneSettings()
    """Data that is checked and joined."""
    serving: LakehouseZoneSettings = LakehouseZoneSettings()
    """Data for applications and models."""

    def of(self, zone: Zone) -> LakehouseZoneSettings:
        """Return the settings of a zone."""
        return {"raw": self.raw, "curated": self.curated, "serving": self.serving}[zone]


@dataclass(frozen=True)
class LakehouseLegalHoldSettings:
    """A period in which data in raw cannot be deleted. It cannot be lifted for objects that it applies to.

    AWS: S3 then accepts only uploads with a checksum (`Content-MD5` or `x-amz-checksum-...`), which AWS SDKs
    send by default since 2025. The guides of Firehose, DMS and Glue do not state whether these services send
    one: test `streams` and `captures` in an account before you use them with a legal hold."""

    days: Annotated[int, DAYS]
    """The period in days: 1 to 3650."""
    mode: LegalHoldMode = "governance"
    """`governance`: only principals with s3:BypassGovernanceRetention can delete. `compliance`: no principal
    can, the account's root included. Default `governance`."""


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
class LakehouseSettings(KeyGrants, CloudNeutral):
    """A governed lakehouse: zones, Iceberg tables, grants, and a query engine."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: str
    """First part of every physical name, `{org}-{environment}`; buckets are `{prefix}-{zone}-{account}`, or
    `{prefix}-{zone}-{project}` on Google Cloud."""
    writers: Annotated[list[Input[str]], length(1, 20, "roles"), distinct]
    """Principals that write: pipelines, not teams. AWS: arns of IAM roles of this account that may assume the
    writer role `{prefix}-lakehouse-writer`, the only one with permissions on the buckets; not roles of IAM
    Identity Center or of services, to which only AWS can attach policies. Google Cloud: service accounts
    (`serviceAccount:EMAIL`) and groups (`group:EMAIL`) that may change every table and file."""
    cloud: Cloud = "aws"
    """`aws` or `gcp`. Default `aws`."""
    project: Annotated[str, PROJECT] | None = None
    """Google Cloud, and required there: the id of the project."""
    region: Annotated[str, REGION] | None = None
    """Google Cloud, and required there: the region, `europe-west4`."""
    zones: LakehouseZonesSettings = LakehouseZonesSettings()
    """Retention in each zone."""
    store: Store = "buckets"
    """AWS: the store of tables: `buckets` (the zones'), or `s3_tables` (S3 Tables, which maintains tables
    itself). It cannot be changed after the lakehouse is created. Default `buckets`."""
    tables: Annotated[list[LakehouseTableSettings], length(0, 1000, "tables")] = field(
        default_factory=list[LakehouseTableSettings]
    )
    """The Iceberg tables, at most 1000. Default none."""
    streams: Annotated[list[LakehouseStreamSettings], length(0, 50, "streams")] = field(
        default_factory=list[LakehouseStreamSettings]
    )
    """Events that are appended to tables of raw as they arrive. Default none."""
    captures: Annotated[list[LakehouseCaptureSettings], length(0, 20, "captures")] = field(
        default_factory=list[LakehouseCaptureSettings]
    )
    """Databases whose changes are captured into raw. Default none."""
    batches: Annotated[list[LakehouseBatchSettings], length(0, 100, "batches")] = field(
        default_factory=list[LakehouseBatchSettings]
    )
    """Jobs that read and write tables. Default none."""
    snapshots: Annotated[list[LakehouseSnapshotSettings], length(0, 1000, "snapshots")] = field(
        default_factory=list[LakehouseSnapshotSettings]
    )
    """Names of snapshots of tables, so that they are retained. Default none."""
    network: NetworkReference | None = None
    """The network in which `captures` run and reach their databases; on Google Cloud, that of `batches`.
    Required with them."""
    grants: Annotated[list[LakehouseGrantSettings], length(0, 200, "grants")] = field(
        default_factory=list[LakehouseGrantSettings]
    )
    """What principals may read and write. Default none."""
    billing_export: LakehouseBillingExportSettings | None = None
    """The export of what the account or project costs, as a table that grants with `billing` read. Default
    none."""
    legal_hold: LakehouseLegalHoldSettings | None = None
    """A period in which data in raw cannot be deleted (Object Lock). It cannot be added to or removed from an
    existing bucket. Default none."""
    query_cutoff_bytes: Input[Annotated[int, CUTOFF]] | None = None
    """AWS: the most bytes that one query may scan; a query that would scan more is cancelled; at least 10
    MiB, default 100 GiB. Google Cloud: the most bytes that the queries of one principal may scan in a day,
    which also limits one query; whole MiB, at least 1 GiB, default 10 TiB."""
    access_log_days: Input[Annotated[int, DAYS]] = 90
    """How long access logs of objects are retained, in days. Default 90."""
    access_log_bucket: Input[str] | None = None
    """A bucket that exists, of the same region, for access logs; its retention is not changed. AWS: of the
    same account, encrypted by S3's managed keys, with a policy that lets `logging.s3.amazonaws.com` write.
    Google Cloud: `cloud-storage-analytics@google.com` has roles/storage.objectCreator on it. Default: one
    that is created."""
    arrival_events: bool = True
    """Whether an event is sent for each object that arrives in raw: to EventBridge on AWS, to Pub/Sub on
    Google Cloud. Default true."""
    table_events: bool = False
    """AWS: whether EventBridge is notified of objects in the buckets of all zones, by which commits to tables
    start trainings (component ContinuousTraining). Default false."""
    arrival_targets: Targets = field(default_factory=dict[str, Input[str]])
    """Targets of an event for each file that arrives under `files/` of raw, by names of your choice. AWS: the
    arn of an SQS queue, an SNS topic or a Lambda function, whose policy allows the rule `{prefix}-arrivals`.
    Google Cloud: a service account or group. At most 5. Default none."""
    file_readers: Annotated[list[Input[str]], length(0, 20, "roles"), distinct] = field(
        default_factory=list[Input[str]]
    )
    """AWS: arns of IAM roles that read files outside of tables in raw, by policies of theirs: functions that
    process what arrives. The policy of the bucket denies it to all others but writers. They need not exist.
    Default none."""
    quality_targets: Targets = field(default_factory=dict[str, Input[str]])
    """Targets of an event when a rule of a table's `quality` is violated, by names of your choice. AWS: the
    arn of an SQS queue, an SNS topic or a Lambda function, whose policy allows the rule `{prefix}-quality`.
    Google Cloud: a service account or group. At most 5. Default none."""
    admins: Annotated[list[Input[str]], length(0, 9, "roles"), distinct] = field(
        default_factory=list[Input[str]]
    )
    """Data lake administrators in addition to the principal that applies the program. AWS: arns of IAM roles.
    Google Cloud: all other principals that apply the program (`serviceAccount:EMAIL`, `group:EMAIL`,
    `user:EMAIL`), which could not read its tables otherwise. Default none."""
    account_settings: bool = True
    """Whether this lakehouse sets the data lake administrators of the whole account and region, and that new
    tables are not left to IAM. Account and region have one such setting: false where something else manages
    it. The role that deploys then has to be a data lake administrator, default permissions of databases and
    tables have to be empty, and full-table access of external engines allowed. Google Cloud: data access logs
    and the quota of queries of the project. Default true."""
    kms_key: Input[str] | None = None
    """The key that encrypts all data. AWS: its arn, of the provider's region, with the policy that
    docs/bring-your-own.md lists: Athena, CloudWatch Logs and, where they are used, S3 Tables and Data Exports
    use it. Google Cloud: `projects/.../cryptoKeys/...`, in the region. Default: a key that is created."""
    protect: bool = False
    """Whether Pulumi refuses to delete buckets, key, databases and tables. Default false."""
    retain_data: bool = False
    """Whether buckets, key, databases and tables stay in the cloud when the lakehouse is destroyed. Default
    false."""
    force_destroy: bool = False
    """Whether buckets are emptied when they are destroyed; otherwise a bucket with data is not deleted.
    Default false."""
    perimeter: LakehousePerimeterSettings | None = None
    """Google Cloud: a perimeter of VPC Service Controls around the project, so that its data does not leave
    it, regardless of IAM. Default none."""
    tags: Tags = field(default_factory=dict[str, Input[str]])
    """Tags of every resource, in addition to the provider's."""

    @property
    def cutoff_bytes(self) -> Input[int]:
        """The most bytes that a query may scan; on Google Cloud, the queries of a principal in a day."""
        return _CUTOFF[self.cloud] if self.query_cutoff_bytes is None else self.query_cutoff_bytes

    def snapshot_days(self, table: LakehouseTableSettings) -> Input[int]:
        """Return how long snapshots of a table are retained."""
        if table.snapshot_days is not None:
            return table.snapshot_days
        return self.zones.of(table.zone).snapshot_days

    def deleted_days(self, zone: Zone) -> Input[int]:
        """Return how long deleted objects of a zone can be restored."""
        days = self.zones.of(zone).deleted_days
        if days is not None:
            return days
        return max(30, self.legal_hold.days) if zone == "raw" and self.legal_hold else 30

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        yield from bucket_problems("access_log_bucket", self.access_log_bucket, self.cloud)
        yield from self._names()
        yield from key_problems("kms_key", self.kms_key, self.cloud, self.region)
        yield from self.key_grants_problems(self.kms_key)
        for index, grant in enumerate(self.grants):
            for problem in grant.misfits(self.tables):
                yield Problem(f"grants[{index}].{problem.path}", problem.reason)
        yield from () if self.store == "s3_tables" else shadowed(self.tables)
        yield from grants_of_everything(self.grants)
        yield from overlapping_grants(self.grants)
        yield from ineffective_conditions(self.grants)
        yield from self._billing()
        yield from self._hold()
        yield from ingestion.problems(self.streams, self.batches, self.tables, self.cloud)
        yield from snapshots.problems(self.snapshots, self.tables)
        yield from self._on_google() if self.cloud == "gcp" else self._on_aws()
        if self.arrival_targets and not self.arrival_events:
            yield Problem("arrival_targets", "got some without arrival_events; expected it to be true")
        yield from self._teardown()

    def _on_aws(self) -> Iterator[Problem]:
        yield from obeys("prefix", self.prefix, prefix_for(*NAMES))
        yield from obeys("tags", self.tags, aws_tags)
        for index, writer in enumerate(self.writers):
            yield from obeys(f"writers[{index}]", writer, role_arn, assignable_role)
        for index, reader in enumerate(self.file_readers):
            yield from obeys(f"file_readers[{index}]", reader, role_arn)
        for index, admin in enumerate(self.admins):
            yield from obeys(f"admins[{index}]", admin, role_arn)
        for index, grant in enumerate(self.grants):
            yield from obeys(f"grants[{index}].principal", grant.principal, role_arn)
        principals = {identity(grant.principal) for grant in self.grants}
        if len(principals) > MOST_PRINCIPALS:
            yield Problem(
                "grants",
                f"got {len(principals)} principals; expected at most {MOST_PRINCIPALS}: the key's "
                "policy has a statement for each, and at most 32 KB; let teams share a role",
            )
        for where in ("arrival_targets", "quality_targets"):
            for name, arn in getattr(self, where).items():
                yield from obeys(f"{where}.{name}", arn, TARGET)
        if self.captures and self.network is None:
            yield Problem(
                "network", "missing; expected the network that `captures` reach their databases from"
            )
        if self.store == "s3_tables":
            yield from unfit_for_s3_tables(self.tables, self.grants)
        yield from name_problems(self.prefix, self.streams, self.captures)

    def _on_google(self) -> Iterator[Problem]:
        for key in ("project", "region"):
            if getattr(self, key) is None:
                yield Problem(key, f"missing; expected the {key} in which the resources are created")
        yield from google.prefix_problems(
            self.prefix, self.project, perimeter=self.perimeter is not None, batches=bool(self.batches)
        )
        yield from obeys("tags", self.tags, google_labels)
        for index, writer in enumerate(self.writers):
            yield from obeys(f"writers[{index}]", writer, google.member)
        for index, admin in enumerate(self.admins):
            yield from obeys(f"admins[{index}]", admin, google.administrator)
        yield from google.grant_problems(self.grants, self.streams)
        yield from google.table_problems(self.prefix, self.tables, self.grants, self.streams)
        if self.query_cutoff_bytes is not None:
            yield from obeys("query_cutoff_bytes", self.query_cutoff_bytes, google.cutoff)
        if self.batches and self.network is None:
            yield Problem("network", "missing; expected the network that `batches` run in")
        for where in ("arrival_targets", "quality_targets"):
            for name, principal in getattr(self, where).items():
                yield from obeys(f"{where}.{name}", principal, google.member)

    def _names(self) -> Iterator[Problem]:
        names_of = {
            "tables": [table.path for table in self.tables],
            "grants": [grant.name for grant in self.grants],
            "streams": [stream.name for stream in self.streams],
            "captures": [capture.name for capture in self.captures],
            "batches": [batch.name for batch in self.batches],
        }
        for where, names in names_of.items():
            for index, name in enumerate(names):
                if name in names[:index]:
                    yield Problem(f"{where}[{index}].name", f"{got(name)} twice; expected each only once")

    def _billing(self) -> Iterator[Problem]:
        if self.billing_export is not None:
            for problem in self.billing_export.check_on(self.cloud):
                yield Problem(f"billing_export.{problem.path}", problem.reason)
            return
        for index, grant in enumerate(self.grants):
            if grant.billing:
                yield Problem(
                    f"grants[{index}].billing", "got true; expected `billing_export`, or it left out"
                )

    def _hold(self) -> Iterator[Problem]:
        if self.legal_hold is None:
            return
        for key in ("deleted_days", "file_days"):
            days = getattr(self.zones.raw, key)
            if isinstance(days, int) and days < self.legal_hold.days:
                yield Problem(
                    f"zones.raw.{key}",
                    f"got {days}, shorter than the legal hold; expected at least {self.legal_hold.days} days",
                )

    def _teardown(self) -> Iterator[Problem]:
        if not self.force_destroy:
            return
        if self.protect or self.retain_data:
            other = "protect" if self.protect else "retain_data"
            yield Problem("force_destroy", f"got true together with {other}; expected one of the two")
        if self.legal_hold is not None and self.legal_hold.mode == "compliance":
            yield Problem(
                "force_destroy",
                "got true; expected false: under a legal hold with compliance no object can be deleted",
            )
