"""Teams on GKE: what lets their Google groups reach the cluster, and the principal of each SecretStore."""

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
from pulumi import Input, Output
from pulumi_gcp import organizations, projects, secretmanager
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta

from aiplatform._shared.gcp.apis import enable_apis
from aiplatform._shared.gcp.cluster_members import REACH
from aiplatform._shared.principals import identity, member_key
from aiplatform._shared.secret_names import google_id
from aiplatform.teams import secrets
from aiplatform.teams.args import READER, TeamSecret
from aiplatform.teams.context import TeamsContext
from aiplatform.teams.members import by_path

ACCESSOR: Final = "roles/secretmanager.secretAccessor"


def admit_members(context: TeamsContext) -> list[pulumi.Resource]:
    """Let each member reach the cluster. Returns what SecretStores depend on."""
    project = context.settings.cluster.project or ""
    admitted: set[str] = set()
    for path, (member, _) in by_path(context.settings).items():
        if identity(member) in admitted:
            continue
        admitted.add(identity(member))
        projects.IAMMember(
            f"{context.name}-{member_key(member, path.split('teams.', 1)[1])}",
            project=project,
            role=REACH,
            member=member,
            opts=context.options(),
        )
    if not context.settings.secret_stores:
        return []
    return list(enable_apis(context.parent, context.name, project, ["secretmanager"]).values())


def secret_store(context: TeamsContext, team: str, exists: Sequence[pulumi.Resource]) -> secrets.SecretStore:
    """Create the SecretStore of a team, the service account that it reads as, and that account's roles."""
    settings = context.settings
    project, namespace = settings.cluster.project or "", settings.namespace(team)
    logical = f"{context.name}-{team}"
    account = core.ServiceAccount(
        f"{logical}-secret-reader",
        metadata=meta.ObjectMetaArgs(name=READER, namespace=namespace),
        # External Secrets requests tokens of it; no Pod runs with it.
        automount_service_account_token=False,
        opts=context.options(*exists),
    )
    number = organizations.get_project_output(
        project_id=project, opts=pulumi.InvokeOutputOptions(parent=context.parent)
    ).number
    # Not `serviceAccount:`, which would need a Google service account for each team ("Authenticate to Google
    # Cloud APIs from GKE workloads").
    member = Output.all(number, settings.cluster.workload_pool).apply(
        lambda known: (
            f"principal://iam.googleapis.com/projects/{known[0]}/locations/global/workloadIdentityPools/"
            f"{known[1]}/subject/ns/{namespace}/sa/{READER}"
        )
    )
    # No team's name has the last character: `search` is not the beginning of `search-ads`.
    prefix = f"{settings.prefix}-teams-{team}_"
    grants: list[pulumi.Resource] = [
        projects.IAMMember(
            f"{logical}-secrets",
            project=project,
            role=ACCESSOR,
            member=member,
            condition=projects.IAMMemberConditionArgs(
                title=f"secrets-of-{team}",
                description=f"Secrets whose names begin with {prefix}",
                # Names of secrets in conditions have the project's number ("Resource attributes for IAM
                # conditions").
                expression=number.apply(
                    lambda known: f'resource.name.startsWith("projects/{known}/secrets/{prefix}")'
                ),
            ),
            opts=context.options(),
        )
    ]
    for key, secret in _secrets(settings.teams[team].secrets).items():
        grants.append(
            secretmanager.SecretIamMember(
                f"{logical}-secret-{key}",
                project=project,
                secret_id=secret,
                role=ACCESSOR,
                member=member,
                opts=context.options(),
            )
        )
    provider = {
        "gcpsm": {
            "projectID": project,
            "auth": {"workloadIdentity": {"serviceAccountRef": {"name": READER}}},
        }
    }
    resource = secrets.secret_store(context, team, provider, [account, *grants])
    return secrets.SecretStore(resource)


def _secrets(declared: Mapping[str, TeamSecret]) -> dict[str, Input[str]]:
    """Return the ids of a team's secrets, each once, by their part of logical names: deleting a resource
    removes the principal from the role, whichever resource added it. A secret that only the engine knows has
    the name of its Kubernetes Secret."""
    identifiers: dict[str, Input[str]] = {}
    for name, entry in declared.items():
        identifier = google_id(entry.secret)
        identifiers[identifier if isinstance(identifier, str) else f"output-{name}"] = identifier
    return identifiers
