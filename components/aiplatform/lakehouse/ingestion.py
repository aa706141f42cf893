"""Ingestion into a lakehouse: streams of events, captured changes of databases, and batches."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from pulumi import Input

from aiplatform._shared.args import (
    Problem,
    between,
    distinct,
    got,
    is_unknown,
    length,
    matches,
    nearest,
    with_value,
)
from aiplatform._shared.cloud_support import CLOUDS, Cloud
from aiplatform.lakehouse.inputs import LakehouseBatchArgs as LakehouseBatchArgs
from aiplatform.lakehouse.inputs import LakehouseCaptureArgs as LakehouseCaptureArgs
from aiplatform.lakehouse.inputs import LakehouseStreamArgs as LakehouseStreamArgs
from aiplatform.lakehouse.schedules import schedule_rule
from aiplatform.lakehouse.tables import LakehouseTableSettings
from aiplatform.naming import dns_label

SECRET: Final = matches(
    r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@!-]+",
    "the arn of a secret in Secrets Manager, never a password",
)
KEY: Final = matches(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[\w-]+", "the arn of a KMS key")
SCRIPT: Final = matches(
    r"(s3|gs)://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^\s*?]+\.py",
    "the URL of a script, `s3://bucket/path/load.py`",
)
CERTIFICATE: Final = re.compile(
    r"\s*(-----BEGIN CERTIFICATE-----\s+[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+"
)
_SOURCE_TABLE: Final = matches(r"[\w$%-]+\.[\w$%-]+", "schema.table, where % stands for any letters")
CAPACITIES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 192, 256, 384)
"""Capacity units that a serverless replication can have (DMS user guide, "AWS DMS Serverless components")."""
OWN_ARGUMENTS: Final = frozenset(
    {
        "conf",
        "datalake-formats",
        "extra-py-files",
        "enable-glue-datacatalog",
        "job-language",
        "TempDir",
        "JOB_NAME",
    }
)
"""Arguments of a batch that the platform sets."""

_BUFFER_SECONDS: Final = between(0, 900, "seconds")
_BUFFER_MIB: Final = between(1, 128, "MiB")
_DATABASE: Final = length(1, 64, "characters")
_FILE_SECONDS: Final = between(60, 3600, "seconds")
_WORKERS: Final = between(2, 100, "workers")
_TIMEOUT: Final = between(1, 2880, "minutes")
_RETRIES: Final = between(0, 10)

CaptureEngine = Literal["postgresql", "mysql"]
WorkerSize = Literal["small", "medium", "large"]


@dataclass(frozen=True)
class LakehouseStreamSettings:
    """Events that are appended to a table: JSON objects whose keys are the table's columns. Events that do
    not fit are written to `files/errors/` of raw."""

    name: Annotated[str, dns_label]
    """The stream's name, a DNS label."""
    table: str
    """The table of raw that it appends to, `raw.clicks`. On Google Cloud it is in the dataset of streams,
    `{prefix}_streams.clicks`."""
    buffer_seconds: Input[Annotated[int, _BUFFER_SECONDS]] | None = None
    """How long events are buffered before they are committed, in seconds: 0 to 900. A shorter time makes more
    and smaller files. Default 300."""
    buffer_mib: Input[Annotated[int, _BUFFER_MIB]] | None = None
    """The size of the buffer at which it is committed earlier, in MiB: 1 to 128. Default 64."""


def _capacity(value: Any) -> str | None:
    capacities = ", ".join(map(str, CAPACITIES))
    return None if value in CAPACITIES else f"expected one of {capacities}"


def _certificates(value: Any) -> str | None:
    if CERTIFICATE.fullmatch(value):
        return None
    return "expected certificates in PEM, -----BEGIN CERTIFICATE----- and so on"


@dataclass(frozen=True)
class LakehouseCaptureSettings:
    """Change data capture of a database: first all rows, then every insert, update and delete, as Parquet
    files under `files/captures/{name}/` of raw, from which a batch merges them into a table."""

    name: Annotated[str, dns_label, length(1, 30, "characters")]
    """The capture's name, a DNS label of at most 30 characters."""
    engine: CaptureEngine
    """`postgresql` or `mysql`."""
    secret: Input[str]
    """The arn of the secret in Secrets Manager with host, port, username and password. Only the
    service reads the password."""
    tables: Annotated[list[Annotated[str, _SOURCE_TABLE]], length(1, 100, "tables"), distinct]
    """The tables to capture, `schema.table`; `%` stands for any characters: `public.%`. MySQL's schemas are
    its databases."""
    database: Input[Annotated[str, _DATABASE]] | None = None
    """The name of the database. Required with `postgresql`, and only allowed there."""
    secret_key: Input[Annotated[str, KEY]] | None = None
    """The arn of the KMS key of the secret. Default: AWS's managed key of Secrets Manager."""
    ca_certificate: Input[Annotated[str, _certificates]] | None = None
    """The certificates (PEM) that verify the database's certificate. Required with `mysql`; without it a
    connection to `postgresql` is encrypted, but the server is not verified."""
    capacity: Input[Annotated[int, _capacity]] = 4
    """The maximum capacity, in units of 2 GiB of memory: 1, 2, 4, 8 up to 384. Default 4."""
    multi_zone: bool = False
    """Whether it tolerates the failure of a zone, at twice the price. Default false."""
    file_seconds: Input[Annotated[int, _FILE_SECONDS]] = 300
    """How long changes are buffered before a file is written, in seconds: 60 to 3600. Default 300."""

    def check(self) -> Iterator[Problem]:
        """Return what the engine requires. For MySQL, DMS does not encrypt without a certificate (DMS user
        guide, "Using SSL with AWS Database Migration Service")."""
        if not is_unknown(self.secret) and SECRET(self.secret):
            # Not quoted: it may be a password.
            yield Problem("secret", f"{SECRET(self.secret)}; the value is not shown")
        if (self.engine == "postgresql") != (self.database is not None):
            expected = (
                "expected the database's name"
                if self.database is None
                else "expected it only with postgresql"
            )
            yield Problem(
                "database", f"{'missing' if self.database is None else got(self.database)}; {expected}"
            )
        if self.engine == "mysql" and self.ca_certificate is None:
            yield Problem("ca_certificate", "missing; expected the certificates (PEM) that verify MySQL's")


def _arguments(value: Mapping[str, Any]) -> str | None:
    for name in value:
        if name.startswith("-") or not re.fullmatch(r"[A-Za-z][\w-]*", name):
            return f"{name!r}: expected a name of letters, digits, _ and -, without --"
        if name in OWN_ARGUMENTS:
            return f"{name!r}: expected another name, the platform sets this one"
    return None


@dataclass(frozen=True)
class LakehouseBatchSettings:
    """A Spark job that runs with the permissions of a writer. The lakehouse's catalog is Spark's
    `glue_catalog` on AWS and its default catalog on Google Cloud."""

    name: Annotated[str, dns_label]
    """The job's name, a DNS label."""
    script: Annotated[str, SCRIPT]
    """The URL of its script, `s3://bucket/path/load.py` or `gs://...`. It may read the script and the
    lakehouse."""
    arguments: Annotated[dict[str, Input[str]], _arguments] = field(default_factory=dict[str, Input[str]])
    """Arguments of the script, without `--`. No secrets: they are visible in the job. Default none."""
    schedule: Input[Annotated[str, schedule_rule]] | None = None
    """When it runs, in UTC, in cron's format: `15 3 * * *`. Default: only when it is started by a user or a
    program."""
    worker_size: WorkerSize = "small"
    """`small` (4 vCPU, 16 GiB), `medium` (8, 32) or `large` (16, 64). Default `small`."""
    workers: Input[Annotated[int, _WORKERS]] = 2
    """The most workers, 2 to 100; Spark uses as many as it needs. Default 2."""
    timeout_minutes: Input[Annotated[int, _TIMEOUT]] = 60
    """The time limit of a run, in minutes: 1 to 2880. Default 60."""
    retries: Input[Annotated[int, _RETRIES]] | None = None
    """How often a failed run is repeated, 0 to 10. Default 0."""
    publishes: Annotated[list[str], distinct] = field(default_factory=list[str])
    """Tables with `quality` that it writes, `curated.orders`: it then writes to their branch `incoming`,
    which is published once the rules pass. Default none: it writes to the tables directly."""


_STORES: Final[Mapping[Cloud, str]] = {"aws": "s3://", "gcp": "gs://"}
"""The scheme of a script's URL."""


def problems(
    streams: Sequence[LakehouseStreamSettings],
    batches: Sequence[LakehouseBatchSettings],
    tables: Sequence[LakehouseTableSettings],
    cloud: Cloud,
) -> Iterator[Problem]:
    """Return the problems with the cloud and with the declared tables."""
    known = {table.path: table for table in tables}
    for index, stream in enumerate(streams):
        where = f"streams[{index}].table"
        if stream.table not in known:
            yield _unknown(where, stream.table, known)
        elif known[stream.table].zone != "raw":
            yield Problem(where, f"{got(stream.table)}; expected a table of raw, where data arrives")
    for index, batch in enumerate(batches):
        if not batch.script.startswith(_STORES[cloud]):
            reason = f"expected one in a bucket of {CLOUDS[cloud]}, {_STORES[cloud]}..."
            yield Problem(f"batches[{index}].script", with_value(batch.script, reason))
        for place, path in enumerate(batch.publishes):
            where = f"batches[{index}].publishes[{place}]"
            if path not in known:
                yield _unknown(where, path, known)
            elif known[path].quality is None:
                yield Problem(
                    where, f"{got(path)}, which has no `quality`; expected rules for it, or to leave it out"
                )


def _unknown(where: str, path: str, known: Mapping[str, LakehouseTableSettings]) -> Problem:
    return Problem(where, f"{got(path)}; expected one of {', '.join(known) or 'none'}{nearest(path, known)}")
