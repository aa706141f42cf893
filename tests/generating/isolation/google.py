"""IAM on Google Cloud: the roles that are registered, with the permissions of Google's predefined roles."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from tests.components.recording import Registered
from tests.generating.isolation import access, sample
from tests.generating.isolation.access import CI, POD, READER, WORKLOADS, Row
from tests.generating.isolation.sample import IDENTITY_OF, NAMESPACES, PROJECT, TABLES
from twin.gcp.services.iam import data

_CONDITION: Final = re.compile(r'resource\.name\.startsWith\("([^"]+)"\)')
_NUMBER: Final = "123456789012"
_POOL: Final = f"{PROJECT}.svc.id.goog"
_ON: Final[Mapping[str, tuple[str, ...]]] = {
    "gcp:projects/iAMMember:IAMMember": (),
    "gcp:storage/bucketIAMMember:BucketIAMMember": ("bucket",),
    "gcp:storage/managedFolderIamMember:ManagedFolderIamMember": ("bucket", "managedFolder"),
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": ("repository",),
    "gcp:secretmanager/secretIamMember:SecretIamMember": ("secretId",),
    "gcp:biglake/icebergCatalogIamMember:IcebergCatalogIamMember": ("name",),
    "gcp:biglake/icebergTableIamMember:IcebergTableIamMember": ("catalog", "namespace", "name"),
    "gcp:bigquery/datasetIamMember:DatasetIamMember": ("datasetId",),
    "gcp:bigquery/iamMember:IamMember": ("datasetId", "tableId"),
    "gcp:serviceaccount/iAMMember:IAMMember": ("serviceAccountId",),
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": ("cryptoKeyId",),
    "gcp:pubsub/topicIAMMember:TopicIAMMember": ("topic",),
}
"""Type of a grant -> its inputs that name the resource; none: the project."""


class Resource(NamedTuple):
    """What a permission is asked on. inside: the resources that contain it, each as in `_ON`. name: for
    conditions."""

    inside: tuple[tuple[str, ...], ...]
    name: str = ""


class Registrations:
    """What is registered for two teams, as IAM has it."""

    def __init__(self) -> None:
        recordings = (sample.recording("gcp"), sample.monitoring("gcp"))
        self._resources = [entry for recording in recordings for entry in recording.resources]
        self._custom = {
            entry.name: frozenset(entry.inputs["permissions"])
            for entry in self._all("gcp:projects/iAMCustomRole:IAMCustomRole")
        }
        grants = [
            entry for entry in self._resources if re.search(r"(IAM|Iam)(Member|Binding|Policy)$", entry.type)
        ]
        # Another type of grant has to be evaluated, too.
        assert {entry.type for entry in grants} <= _ON.keys(), {entry.type for entry in grants} - _ON.keys()
        self._grants = grants

    def _all(self, type_: str) -> Iterator[Registered]:
        return (entry for entry in self._resources if entry.type == type_)

    def id_of(self, type_: str, key: str, value: str) -> str:
        """Return what grants have as the name of a resource: the id that the engine knows it by."""
        [entry] = [entry for entry in self._all(type_) if entry.inputs[key] == value]
        return entry.id

    def allowed(self, member: str, permission: str, resource: Resource) -> bool:
        """Return whether a role of a member, on the resource or around it, has a permission."""
        return any(
            self._has(str(grant.inputs["role"]), permission) and self._applies(grant, resource)
            for grant in self._grants
            if grant.inputs.get("member") == member
        )

    def _has(self, role: str, permission: str) -> bool:
        if role.startswith("roles/"):
            assert data.exists(role), role
            return data.grants(role, permission)
        [permissions] = [have for name, have in self._custom.items() if role.startswith(f"{name}-")]
        return permission in permissions

    def _applies(self, grant: Registered, resource: Resource) -> bool:
        named = tuple(str(grant.inputs[key]) for key in _ON[grant.type])
        # Grants have ids as resources that a test recorded: their first characters.
        within = any(len(named) == len(place) and all(map(_same, named, place)) for place in resource.inside)
        condition: Mapping[str, Any] | None = grant.inputs.get("condition")
        if not within or condition is None:
            return within
        match = _CONDITION.fullmatch(str(condition["expression"]))
        # Another condition has to be evaluated, too.
        assert match is not None, condition
        return resource.name.startswith(match[1])


def _same(named: str, place: str) -> bool:
    return named == place or (len(named) > 8 and place.startswith(named) and len(place) == len(named) + 1)


def _identity(team: str) -> str:
    return IDENTITY_OF["gcp"].replace("TEAM", team)


def reader(team: str) -> str:
    """Return the principal as which External Secrets reads the secrets of a team."""
    return (
        f"principal://iam.googleapis.com/projects/{_NUMBER}/locations/global/workloadIdentityPools/{_POOL}"
        f"/subject/ns/{NAMESPACES[team]}/sa/external-secrets"
    )


def rows(reverse: bool = False) -> list[Row]:
    """Return the rows of Google Cloud. reverse: of the other team."""
    registered = Registrations()
    row = partial(access.rows, reverse=reverse)

    def objects(what: str, bucket: str, folder: str, **permissions: str) -> Iterator[Row]:
        """folder: with TEAM or NAMESPACE of the owner."""

        def allowed(permission: str, team: str, owner: str) -> bool:
            path = folder.replace("TEAM", owner).replace("NAMESPACE", NAMESPACES[owner])
            return registered.allowed(_identity(team), permission, Resource(((), (bucket,), (bucket, path))))

        for word, permission in permissions.items():
            yield row(WORKLOADS, what, f"{word} ({permission})", partial(allowed, permission))

    def table(team: str, owner: str) -> bool:
        zone, _, name = TABLES[owner].partition(".")
        place = ("acme-dev-lakehouse", f"acme_dev_{zone}", name)
        inside = ((), place[:1], (place[1],), place[1:], place)
        return registered.allowed(_identity(team), "biglake.tables.getData", Resource(inside))

    def secret(member: str, owner: str) -> bool:
        name = f"acme-dev-teams-{owner}_hub"
        path = f"projects/{_NUMBER}/secrets/{name}/versions/1"
        return registered.allowed(member, "secretmanager.versions.access", Resource(((), (name,)), path))

    def account(team: str, owner: str) -> bool:
        name = f"acme-dev-mlflow-account-{owner}"
        known = registered.id_of("gcp:secretmanager/secret:Secret", "secretId", name)
        path = f"projects/{_NUMBER}/secrets/{name}/versions/1"
        inside = ((), (name,), (known,))
        return registered.allowed(reader(team), "secretmanager.versions.access", Resource(inside, path))

    def repository(permission: str, member: str, team: str, owner: str) -> bool:
        kind = "gcp:artifactregistry/repository:Repository"
        known = registered.id_of(kind, "repositoryId", f"acme-dev-{owner}-train")
        return registered.allowed(member.replace("TEAM", team), permission, Resource(((), (known,))))

    def becomes(team: str, owner: str) -> bool:
        known = registered.id_of("gcp:serviceaccount/account:Account", "accountId", f"acme-dev-wi-{owner}")
        pod = f"serviceAccount:{_POOL}[{NAMESPACES[team]}/workloads]"
        return registered.allowed(pod, "iam.serviceAccounts.getAccessToken", Resource(((), (known,))))

    read_write = {
        "list": "storage.objects.list",
        "read": "storage.objects.get",
        "write": "storage.objects.create",
        "delete": "storage.objects.delete",
    }
    monitor = "acme-dev-model-monitor-acme"
    upload, download = (
        "artifactregistry.repositories.uploadArtifacts",
        "artifactregistry.repositories.downloadArtifacts",
    )
    ci = sample.CI["gcp"]
    return [
        *objects("checkpoints", f"acme-dev-checkpoints-{PROJECT}", "NAMESPACE/", **read_write),
        *objects("releases", f"acme-dev-releases-{PROJECT}", "TEAM/", **read_write),
        *objects("artifacts of pipelines", f"acme-dev-pipelines-{PROJECT}", "NAMESPACE/", **read_write),
        *objects("request logs", monitor, "logs/NAMESPACE/", **read_write),
        *objects(
            "reports of monitors",
            monitor,
            "reports/TEAM/",
            read=read_write["read"],
            write=read_write["write"],
        ),
        row(WORKLOADS, "tables", "read (biglake.tables.getData)", table),
        row(
            WORKLOADS,
            "secrets",
            "read without External Secrets (secretmanager.versions.access)",
            lambda team, owner: secret(_identity(team), owner),
        ),
        row(
            READER,
            "secrets",
            "read (secretmanager.versions.access)",
            lambda team, owner: secret(reader(team), owner),
        ),
        row(
            READER,
            "account of the model registry",
            "read its password (secretmanager.versions.access)",
            account,
        ),
        row(CI, "repositories", "push (repositories.uploadArtifacts)", partial(repository, upload, ci)),
        row(CI, "repositories", "pull (repositories.downloadArtifacts)", partial(repository, download, ci)),
        row(
            WORKLOADS,
            "repositories",
            "push (repositories.uploadArtifacts)",
            partial(repository, upload, IDENTITY_OF["gcp"]),
        ),
        row(POD, "cloud identity", "get its tokens (iam.serviceAccounts.getAccessToken)", becomes),
    ]
