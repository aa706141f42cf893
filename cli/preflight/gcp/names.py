"""Whether names that the preview would create exist already: in the project, or, of buckets, anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cli.clients.errors import UncheckedError
from cli.clients.gcp import FORBIDDEN, ApiError, segment
from cli.estimate.resources import Resource
from cli.preflight.names import CHECK, collision, summary
from cli.preflight.results import Result, not_checked, problem
from cli.preflight.scope import Scope

_BUCKET: Final = "gcp:storage/bucket:Bucket"


@dataclass(frozen=True)
class Kind:
    """How to look for resources of a type.

    name: the input that has it. path: below the endpoint of the API, and delete: the command, both with
    `{project}`, `{place}` and `{name}`. place: the input with the location.
    """

    name: str
    api: str
    path: str
    delete: str
    place: str = ""


KINDS: Final[Mapping[str, Kind]] = {
    _BUCKET: Kind("name", "storage", "b/{name}", "gcloud storage rm --recursive gs://{name}"),
    "gcp:container/cluster:Cluster": Kind(
        "name",
        "container",
        "projects/{project}/locations/{place}/clusters/{name}",
        "gcloud container clusters delete {name} --location {place} --project {project}",
        "location",
    ),
    "gcp:compute/network:Network": Kind(
        "name",
        "compute",
        "projects/{project}/global/networks/{name}",
        "gcloud compute networks delete {name} --project {project}",
    ),
    "gcp:artifactregistry/repository:Repository": Kind(
        "repositoryId",
        "artifactregistry",
        "projects/{project}/locations/{place}/repositories/{name}",
        "gcloud artifacts repositories delete {name} --location {place} --project {project}",
        "location",
    ),
    "gcp:serviceaccount/account:Account": Kind(
        "accountId",
        "iam",
        "projects/{project}/serviceAccounts/{name}@{project}.iam.gserviceaccount.com",
        "gcloud iam service-accounts delete {name}@{project}.iam.gserviceaccount.com --project {project}",
    ),
    "gcp:secretmanager/secret:Secret": Kind(
        "secretId",
        "secretmanager",
        "projects/{project}/secrets/{name}",
        "gcloud secrets delete {name} --project {project}",
    ),
    "gcp:sql/databaseInstance:DatabaseInstance": Kind(
        "name",
        "sqladmin",
        "projects/{project}/instances/{name}",
        "gcloud sql instances delete {name} --project {project} (the name stays taken for a week)",
    ),
    "gcp:bigquery/dataset:Dataset": Kind(
        "datasetId",
        "bigquery",
        "projects/{project}/datasets/{name}",
        "bq rm -r -d {project}:{name}",
    ),
    "gcp:pubsub/topic:Topic": Kind(
        "name",
        "pubsub",
        "projects/{project}/topics/{name}",
        "gcloud pubsub topics delete {name} --project {project}",
    ),
}


def check(scope: Scope) -> Iterator[Result]:
    """Look for each name of what would be created."""
    looked_for: dict[str, int] = {}
    for type_, kind in KINDS.items():
        for resource in scope.new(type_):
            name = str(resource.get(kind.name, ""))
            if not name:
                continue
            try:
                existing = _existing(scope, kind, resource, name)
            except UncheckedError as error:
                yield not_checked(CHECK, name, str(error))
                continue
            looked_for[type_] = looked_for.get(type_, 0) + 1
            if existing is not None:
                yield existing
    yield from summary(looked_for)


def _existing(scope: Scope, kind: Kind, resource: Resource, name: str) -> Result | None:
    values = {
        "project": str(resource.get("project", scope.account)),
        "place": str(resource.get(kind.place, scope.region)) if kind.place else "",
    }
    try:
        exists = scope.client.exists(kind.api, kind.path.format(name=segment(name), **values))
    except ApiError as error:
        if resource.type == _BUCKET and error.status == FORBIDDEN:
            reason = "another project has it (names of buckets are global), or this principal may not read it"
            return problem(CHECK, name, reason, "state another environment.org or environment.name")
        raise UncheckedError(f"{kind.api}: {error}") from error
    return collision(resource, name, kind.delete.format(name=name, **values)) if exists else None
