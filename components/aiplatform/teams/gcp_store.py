"""What the identity of a team may do with checkpoints and releases on Google Cloud.

By managed folders, whose roles also allow to list objects below the folder: the resource of a list is the
bucket, which a condition on names of objects does not match ("Managed folders").
"""

from pulumi import Input
from pulumi_gcp import storage

from aiplatform._shared.references.identity import WorkloadIdentityReference
from aiplatform._shared.references.model_store import ModelStoreReference
from aiplatform.teams.args import Team
from aiplatform.teams.context import TeamsContext


def grant(
    context: TeamsContext,
    name: str,
    team: Team,
    store: ModelStoreReference,
    identity: WorkloadIdentityReference,
) -> None:
    """Allow the identity to use checkpoints below the prefix of its namespace and, where it serves, to read
    the releases of its team."""
    namespace = context.settings.namespace(name)
    member = identity.principal
    _folder(context, f"{name}-checkpoints", store.checkpoints_bucket, namespace, "objectUser", member)
    if team.serves:
        _folder(context, f"{name}-releases", store.releases_bucket, name, "objectViewer", member)


def _folder(
    context: TeamsContext, logical: str, bucket: Input[str], folder: str, role: str, member: Input[str]
) -> None:
    resource = storage.ManagedFolder(
        f"{context.name}-{logical}",
        bucket=bucket,
        # With the slash: `search` is not the beginning of `search-ads`.
        name=f"{folder}/",
        # Deletes only the folder: its objects stay.
        force_destroy=True,
        opts=context.options(delete_before_replace=True),
    )
    storage.ManagedFolderIamMember(
        f"{context.name}-{logical}",
        bucket=bucket,
        managed_folder=resource.name,
        role=f"roles/storage.{role}",
        member=member,
        opts=context.options(),
    )
