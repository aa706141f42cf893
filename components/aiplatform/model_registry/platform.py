"""What the workloads of a model registry need from the cloud: identities, database, files and secrets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from pulumi import Input, Output

from aiplatform.model_registry import container_files
from aiplatform.model_registry.existing_database import ModelRegistryExistingDatabaseSettings
from aiplatform.workload_identity import WorkloadIdentity

DATABASES: Final = ("mlflow", "mlflow_accounts")
"""The databases of the metadata and of accounts in a server that is created."""


@dataclass(frozen=True)
class Identity:
    """A workload identity of Pods. annotations: of their service account. ready: known once they get
    credentials."""

    annotations: Input[Mapping[str, str]]
    ready: Input[str]


def identity_of(identity: WorkloadIdentity) -> Identity:
    """Return a workload identity as Pods use it."""
    return Identity(identity.annotations, identity.ready)


@dataclass(frozen=True)
class Database:
    """The connection to the database. names: of the databases of the metadata and of accounts. user: the
    server's. ssl_mode: libpq's. certificates: PEM, those that verify the database's certificate. addresses: a
    range that contains the database's address."""

    names: tuple[str, str]
    host: Input[str]
    port: int
    user: Input[str]
    ssl_mode: str
    certificates: Input[str]
    addresses: Input[str]

    def uri(self, name: str) -> Output[str]:
        """Return SQLAlchemy's URL of a database. It has no password: a token takes its place
        (container_files/sitecustomize.py)."""
        certificates = f"{container_files.FOLDER}/{container_files.CERTIFICATES}"
        return Output.all(self.host, self.user).apply(
            lambda known: (
                f"postgresql+psycopg2://{quote(str(known[1]), safe='')}@{known[0]}:{self.port}/{name}"
                f"?sslmode={self.ssl_mode}&sslrootcert={certificates}"
            )
        )


def names_of_databases(existing: ModelRegistryExistingDatabaseSettings | None) -> tuple[str, str]:
    """Return the names of the databases of the metadata and of accounts."""
    return existing.names if existing is not None else DATABASES


def setup_of_existing(
    existing: ModelRegistryExistingDatabaseSettings | None, prefix: str
) -> Mapping[str, Input[str]]:
    """Return the variables of the setup Job in a server that exists: none in one that is created."""
    if existing is None:
        return {}
    return {
        "REGISTRY_PREFIX": prefix,
        "REGISTRY_CREATE_DATABASES": str(existing.create_databases).lower(),
    }


@dataclass(frozen=True)
class Built:
    """What differs by cloud in the component's outputs. server: known once it runs. secrets: account -> the
    secret of its password."""

    server: Output[str]
    artifact_bucket: Output[str]
    log_bucket: Output[str]
    database_endpoint: Output[str]
    kms_key: Output[str]
    principal: Output[str]
    secrets: Mapping[str, Output[str]]


@dataclass(frozen=True)
class Platform:
    """What differs by cloud. variables: environment variables of every container. setup_variables: those of
    the step that signs in as the database's master. artifacts: the URL of files of runs. secrets: account ->
    its secret."""

    server: Identity
    setup: Identity
    variables: Mapping[str, Input[str]]
    setup_variables: Mapping[str, Input[str]]
    database: Database
    artifacts: Input[str]
    server_secret: Input[str]
    secrets: Mapping[str, Input[str]]
