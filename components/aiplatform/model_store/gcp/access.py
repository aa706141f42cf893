"""What promotions and imports may do on Google Cloud, and what the members that approve reach the cluster
by."""

from typing import Final

import pulumi
from pulumi import Input
from pulumi_gcp import projects, secretmanager, storage

from aiplatform._shared.gcp.cluster_members import REACH
from aiplatform._shared.outputs import mapped
from aiplatform._shared.principals import members
from aiplatform._shared.references.model_store import IMPORTS
from aiplatform._shared.secret_names import google_id
from aiplatform.model_store.args import IMPORTER, PROMOTER
from aiplatform.model_store.gcp.context import Context
from aiplatform.model_store.gcp.storage import Buckets
from aiplatform.model_store.platform import Identities

_CREATE_AND_READ: Final = ("roles/storage.objectCreator", "roles/storage.objectViewer")
"""Neither has storage.objects.delete, which an overwrite needs, too ("IAM roles for Cloud Storage")."""
_ACCESSOR: Final = "roles/secretmanager.secretAccessor"


def admit_members(context: Context) -> list[Input[str]]:
    """Let each group that approves reach the cluster; returns the groups by their email addresses (GKE
    documentation, "Configure Google Groups for RBAC")."""
    groups: list[Input[str]] = []
    for member in members(context.settings.release_group):
        projects.IAMMember(
            f"{context.name}-{member.key}",
            project=context.project,
            role=REACH,
            member=member.principal,
            opts=context.options(),
        )
        groups.append(mapped(member.principal, lambda known: known.partition(":")[2]))
    return groups


def grant(context: Context, identities: Identities, buckets: Buckets) -> list[pulumi.Resource]:
    """Grant the roles of promotions, on the whole bucket of releases, and of imports, on their folder."""
    promoter, importer = (identities[account].principal for account in (PROMOTER, IMPORTER))
    folder = storage.ManagedFolder(
        f"{context.name}-{IMPORTS}",
        bucket=buckets.releases.name,
        name=f"{IMPORTS}/",
        # Deletes only the folder: its objects stay, or prevent the deletion of the bucket.
        force_destroy=True,
        opts=context.options(data=True, delete_before_replace=True),
    )
    granted: list[pulumi.Resource] = []
    for role in _CREATE_AND_READ:
        word = role.rpartition(".")[2]
        granted.append(
            storage.BucketIAMMember(
                f"{context.name}-{PROMOTER}-{word}",
                bucket=buckets.releases.name,
                role=role,
                member=promoter,
                opts=context.options(),
            )
        )
        granted.append(
            storage.ManagedFolderIamMember(
                f"{context.name}-{IMPORTER}-{word}",
                bucket=buckets.releases.name,
                managed_folder=folder.name,
                role=role,
                member=importer,
                opts=context.options(),
            )
        )
    return [*granted, *_secrets(context, identities)]


def _secrets(context: Context, identities: Identities) -> list[pulumi.Resource]:
    settings = context.settings
    return [
        secretmanager.SecretIamMember(
            f"{context.name}-{account}-secret",
            project=context.project,
            secret_id=google_id(named.secret),
            role=_ACCESSOR,
            member=identities[account].principal,
            opts=context.options(context.apis["secretmanager"]),
        )
        for account, named in ((PROMOTER, settings.registry), (IMPORTER, settings.hugging_face))
        if named is not None
    ]
