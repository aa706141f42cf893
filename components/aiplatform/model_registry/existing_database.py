"""Arguments of a database server that exists, in which a model registry has its databases."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pulumi import Input

from aiplatform._shared.addresses import private_range
from aiplatform._shared.args import Problem, Rule, between, got, is_unknown, matches, obeys
from aiplatform._shared.cloud_support import Cloud
from aiplatform._shared.secret_names import key_problems
from aiplatform.model_registry.inputs import (
    ModelRegistryExistingDatabaseArgs as ModelRegistryExistingDatabaseArgs,
)

# RDS user guide, "Finding the connection information": the endpoint of an instance, and the writer endpoint
# of a cluster. In China the region follows `rds`.
_ENDPOINT: Final = re.compile(
    r"[a-z]([a-z0-9-]*[a-z0-9])?\.(?P<cluster>cluster-)?[a-z0-9]+"
    r"\.((?P<region>[a-z0-9-]+)\.rds|rds\.(?P<region_in_china>[a-z0-9-]+))\.[a-z.]+"
)
_SECRET: Final = re.compile(
    # The names of secrets that RDS manages have an exclamation mark, rds!db-...
    r"arn:aws[a-z-]*:secretsmanager:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):secret:[\w/+=.@!-]+-\w{6}"
)
_CONNECTION: Final = re.compile(
    r"(?P<project>[a-z][a-z0-9-]{4,28}[a-z0-9]):(?P<region>[a-z]+-[a-z]+\d+):(?P<instance>[a-z][a-z0-9-]{0,96})"
)
_RESOURCE_ID: Final = matches(
    r"(db|cluster)-[A-Z0-9]+",
    "the resource id of an instance or a cluster, db-ABCDEFGHIJKL01234 or cluster-ABCDEFGHIJKL01234",
)
_SECURITY_GROUP: Final = matches(r"sg-[0-9a-f]{8,17}", "a security group, sg-0123456789abcdef0")
_REQUIRED: Final[Mapping[Cloud, Mapping[str, str]]] = {
    "aws": {
        "host": "the endpoint of the instance, or the writer endpoint of the cluster",
        "resource_id": "the resource id of the instance or cluster, db-... or cluster-...",
        "master_secret": "the arn of the secret with the master's name and password",
    },
    "gcp": {"connection_name": "the connection name of the instance, project:region:instance"},
}
# Databases and roles of PostgreSQL and of both clouds.
_RESERVED: Final = re.compile(r"(pg_|rds|cloudsql|aws).*|postgres|template[01]|public|none")
_ACCOUNTS: Final = "_accounts"


def name_rule(value: str) -> str | None:
    """A rule for the name of the database, with which the one of accounts has at most 63 characters."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", value) or len(value + _ACCOUNTS) > 63:
        return "expected 1 to 54 lower-case letters, digits and _, a letter first"
    if _RESERVED.fullmatch(value):
        return "a name that PostgreSQL or the cloud reserves; expected another one, such as mlflow"
    return None


def endpoint_in(region: str | None) -> Rule:
    """Return a rule: an endpoint of RDS or Aurora that accepts writes, in this region where it is known.

    Other names of the same address do not do: tokens of IAM are for the endpoint (RDS user guide, "IAM
    database authentication": limitations), and so is the certificate.
    """

    def rule(value: str) -> str | None:
        match = _ENDPOINT.fullmatch(value)
        if match is None:
            return (
                "expected the endpoint of an instance, or the writer endpoint of a cluster "
                "(models.cluster-c1a2b3c4d5e6.us-west-2.rds.amazonaws.com), not one of a reader, a proxy or "
                "another name of it"
            )
        location = match["region"] or match["region_in_china"]
        return _elsewhere(location, region, "a database")

    return rule


def secret_in(region: str | None, account: str | None = None) -> Rule:
    """Return a rule: a secret's arn, in this region, and of this account, each where it is known."""

    def rule(value: str) -> str | None:
        match = _SECRET.fullmatch(value)
        if match is None:
            return (
                "expected the arn of a secret with the six characters at its end, "
                "arn:aws:secretsmanager:us-west-2:111122223333:secret:rds!db-...-AbCdEf"
            )
        if account is not None and match["account"] != account:
            return (
                f"a secret of the account {match['account']} that the key of AWS encrypts, which no other "
                "account may use; expected master_secret_kms_key, or a secret of this account"
            )
        return _elsewhere(match["region"], region, "a secret")

    return rule


def instance_in(region: str | None) -> Rule:
    """Return a rule: the connection name of an instance of Cloud SQL, in this region where it is known."""

    def rule(value: str) -> str | None:
        match = _CONNECTION.fullmatch(value)
        if match is None:
            return "expected an instance's connection name, acme-data:europe-west4:models"
        return _elsewhere(match["region"], region, "an instance")

    return rule


def parts_of_connection(name: str) -> tuple[str, str]:
    """Return project and name of the instance with this connection name."""
    project, _, instance = name.split(":")
    return project, instance


def _elsewhere(location: str, region: str | None, what: str) -> str | None:
    if region is None or location == region:
        return None
    return f"{what} in {location}; expected one in {region}, as the cluster"


@dataclass(frozen=True)
class ModelRegistryExistingDatabaseSettings:
    """A database server that exists: an instance of RDS or a cluster of Aurora, an instance of Cloud SQL;
    each of PostgreSQL 16 or later, with IAM database authentication. The registry has two databases in it,
    and a user that signs in by IAM. Nothing else of the server is changed, and the databases stay when the
    registry is destroyed."""

    host: Input[str] | None = None
    """AWS, required: the endpoint of the instance, or the writer endpoint of the cluster. In this account and
    region."""
    port: Annotated[int, between(1150, 65535)] | None = None
    """AWS: its port, 1150 to 65535. Default 5432."""
    resource_id: Input[str] | None = None
    """AWS, required: the resource id of the instance (`db-...`) or of the cluster (`cluster-...`), by which
    IAM names its users."""
    master_secret: Input[str] | None = None
    """AWS, required: the arn of the secret in Secrets Manager of the master, or of a user that may create
    databases and roles and grant `rds_iam`: JSON with `username` and `password`, as RDS manages it. A Job
    reads it when it runs, so a rotation needs no update."""
    master_secret_kms_key: Input[str] | None = None
    """AWS: the arn of the key that encrypts that secret. Default: AWS's own key."""
    security_group_id: Input[str] | None = None
    """AWS: a security group of the database, to which an ingress rule from the cluster's security group is
    added. Default none: the owner has allowed the cluster."""
    cidr: Input[str] | None = None
    """AWS: a range that contains the database's addresses, to which the registry's Pods may connect. Default:
    the network's. Needed in another VPC, or in another range of the same."""
    connection_name: Input[str] | None = None
    """Google Cloud, required: `project:region:instance`, in the cluster's region, with a private address that
    the cluster's network reaches. The project may be another than the cluster's."""
    name: Annotated[str, name_rule] = "mlflow"
    """The database of the metadata; that of accounts is `{name}_accounts`, and on AWS the server's user
    `{name}`. Each registry on one server needs another name. Default `mlflow`."""
    create_databases: bool = True
    """Whether the two databases are created. False: they exist, such as those of a registry that was
    destroyed, and are used with their data. On AWS true also uses those that exist. Default true."""
    create_user: bool = True
    """Google Cloud: whether the server's user is created in the instance. False: it exists, as that of a
    registry that was destroyed, or in a clone. On AWS the setup creates it where it is missing. Default
    true."""

    @property
    def names(self) -> tuple[str, str]:
        """The databases of the metadata and of accounts."""
        return self.name, f"{self.name}{_ACCOUNTS}"

    def misfits(self, cloud: Cloud, region: str | None) -> Iterator[Problem]:
        """Return the problems on this cloud. region: the cluster's, None where it is not known."""
        for key, expected in _REQUIRED[cloud].items():
            if getattr(self, key) is None:
                yield Problem(key, f"missing; expected {expected}")
        rules: Mapping[str, Rule] = {
            "host": endpoint_in(region),
            "resource_id": _RESOURCE_ID,
            "master_secret": secret_in(region),
            "security_group_id": _SECURITY_GROUP,
            "cidr": private_range(8, 32),
            "connection_name": instance_in(region),
        }
        wrong = [problem for key, rule in rules.items() for problem in self._obeys(key, rule)]
        yield from wrong
        yield from key_problems("master_secret_kms_key", self.master_secret_kms_key, "aws", region)
        if not wrong:
            yield from self._kind()

    def _obeys(self, key: str, rule: Rule) -> Iterator[Problem]:
        value: Any = getattr(self, key)
        if value is not None:
            yield from obeys(key, value, rule)

    def _kind(self) -> Iterator[Problem]:
        """Return the problem of an id that is not of the server that the endpoint names: RDS would refuse
        each token."""
        stated: list[Any] = [self.host, self.resource_id]
        if any(value is None or is_unknown(value) for value in stated):
            return
        match = _ENDPOINT.fullmatch(str(self.host))
        kind = "cluster" if match and match["cluster"] else "db"
        if not str(self.resource_id).startswith(f"{kind}-"):
            whose = "a cluster" if kind == "cluster" else "an instance"
            yield Problem(
                "resource_id",
                f"{got(self.resource_id)} with the endpoint of {whose}; expected its id, {kind}-...; of an "
                "instance in a cluster state the writer endpoint and the id of the cluster",
            )
