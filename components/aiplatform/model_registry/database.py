"""Arguments of the database of a model registry's metadata."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, Final, Literal

from pulumi import Input

from aiplatform._shared.args import Problem, Rule, between, got, matches, obeys, one_of
from aiplatform._shared.cloud_support import Cloud
from aiplatform.model_registry.existing_database import ModelRegistryExistingDatabaseSettings
from aiplatform.model_registry.inputs import ModelRegistryDatabaseArgs as ModelRegistryDatabaseArgs

VERSIONS: Final = ("16", "17", "18")
DAYS_OF_WEEK: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

Size = Literal["micro", "small", "medium", "large"]

_STORAGE: Final[dict[Cloud, Rule]] = {
    # RDS user guide, "Amazon RDS DB instance storage": General Purpose SSD of PostgreSQL, 20 to 65,536 GiB.
    "aws": between(20, 65_536, "GiB, RDS's limits for PostgreSQL"),
    # Cloud SQL, "Instance settings: storage capacity": 10 GB and more; 65,536 with more than one core.
    "gcp": between(10, 65_536, "GiB, Cloud SQL's limits"),
}
_BACKUPS: Final[dict[Cloud, Rule]] = {
    # RDS API, ModifyDBInstance: BackupRetentionPeriod is 0 to 35.
    "aws": between(0, 35, "days"),
    # Cloud SQL, "About backups": logs of an Enterprise instance are retained for at most 7 days, backups for
    # 365.
    "gcp": between(0, 365, "days"),
}
_PEM: Final = matches(
    r"\s*(-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+", "certificates, PEM"
)
LOG_DAYS: Final = 7
"""The longest period of point-in-time recovery of an Enterprise instance of Cloud SQL."""

MaintenanceDay = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


@dataclass(frozen=True)
class ModelRegistryDatabaseSettings:
    """The database of a model registry, PostgreSQL."""

    version: Annotated[str, one_of(VERSIONS)] = "18"
    """PostgreSQL's major version: `16`, `17` or `18`. Default `18`. A greater version is an upgrade in
    place, which cannot be undone; minor versions are upgraded automatically."""
    size: Size = "small"
    """`micro` (shared cores and 2 GiB of memory, 1.7 on Google Cloud, whose SLA excludes it), `small` (2
    cores, 4 GiB), `medium` (2 and 8) or `large` (4 and 16). Default `small`."""
    storage_gib: Input[int] = 20
    """Storage in GiB: at least 20 on AWS, 10 on Google Cloud. Default 20. It never shrinks."""
    most_storage_gib: int = 100
    """The limit of automatic growth of the storage, in GiB; 0: no growth. Default 100."""
    backup_days: int = 7
    """How long backups are retained, in days, and the period of point-in-time recovery (on Google Cloud at
    most 7 days of it). 0 to 35 on AWS, to 365 on Google Cloud; 0 means no backups, which is refused for a
    registry that is protected, retained or highly available. Default 7."""
    maintenance_day: MaintenanceDay = "sunday"
    """The day of minor upgrades, `sunday`. Default `sunday`."""
    maintenance_hour: Annotated[int, between(0, 23)] = 4
    """The hour of minor upgrades, in UTC, 0 to 23; backups start two hours before. Default 4."""
    deletion_protection: bool = False
    """Whether the cloud itself refuses to delete the database. Default false."""
    certificates: Input[Annotated[str, _PEM]] | None = None
    """AWS: the certificates that verify the database's certificate, PEM (the region's certificate bundle of
    RDS). Default: the authority `rds-ca-rsa2048-g1` of the region, where it is known here."""
    existing: ModelRegistryExistingDatabaseSettings | None = None
    """A database server that exists, in place of the one that is created: of the other arguments only
    `certificates` applies. State it when the registry is created: later it deletes the database that was
    created. Default: none."""

    def unsupported(self, arguments: Mapping[str, Any]) -> Iterator[Problem]:
        """Return the problems of arguments of a created database next to one that exists."""
        if self.existing is not None:
            for key in OF_CREATED:
                if key in arguments:
                    yield Problem(
                        key,
                        f"{got(arguments[key])} together with existing, of which nothing is changed; "
                        "expected one of the two",
                    )

    @property
    def backup_hour(self) -> int:
        """The hour when backups start: RDS refuses a backup window that overlaps the one of maintenance."""
        return (self.maintenance_hour - 2) % 24

    def misfits(self, cloud: Cloud, region: str | None, *, retaining: str | None) -> Iterator[Problem]:
        """Return the problems on this cloud. region: the cluster's, None where it is not known. retaining:
        the argument because of which data must not be lost, or None."""
        if self.existing is not None:
            for problem in self.existing.misfits(cloud, region):
                yield Problem(f"existing.{problem.path}", problem.reason)
            return
        yield from obeys("storage_gib", self.storage_gib, _STORAGE[cloud])
        yield from obeys("backup_days", self.backup_days, _BACKUPS[cloud])
        if retaining is not None and self.backup_days == 0:
            yield Problem(
                "backup_days",
                f"got 0 together with {retaining}; expected at least 1: without backups lost data cannot be "
                "restored",
            )
        # RDS refuses a limit that is less than a tenth over the allocated storage (RDS user guide, "Managing
        # capacity automatically with Amazon RDS storage autoscaling").
        least = -(-self.storage_gib * 11 // 10) if isinstance(self.storage_gib, int) else 1
        if self.most_storage_gib != 0 and not least <= self.most_storage_gib <= 65_536:
            yield Problem(
                "most_storage_gib",
                f"{got(self.most_storage_gib)}; expected 0 (no growth) or {least} to 65536 GiB: at least a "
                "tenth over storage_gib",
            )


OF_CREATED: Final = tuple(
    field.name
    for field in fields(ModelRegistryDatabaseSettings)
    if field.name not in ("existing", "certificates")
)
"""The arguments of a database that is created, which one that exists excludes."""
