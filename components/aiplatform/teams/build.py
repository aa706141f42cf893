"""What each team has, in the cloud and in its namespace."""

from collections.abc import Iterator, Mapping, Sequence

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta

from aiplatform._shared.kubernetes import namespaces
from aiplatform._shared.kubernetes.namespaces.limits import Quota
from aiplatform._shared.kubernetes.namespaces.traffic import Flow, Traffic
from aiplatform._shared.references.model_store import CHECKPOINTS_URI, RELEASES_URI
from aiplatform.teams import claims, queues, secrets
from aiplatform.teams.args import CONFIGURATION, FILES, QUEUE, ROLES, Team, TeamsSettings
from aiplatform.teams.context import TEAM_LABEL, TeamsContext
from aiplatform.teams.members import group_names
from aiplatform.teams.outputs import TeamsOutputs


def build(
    component: pulumi.ComponentResource, name: str, settings: TeamsSettings, opts: ResourceOptions | None
) -> TeamsOutputs:
    """Create all teams as children of `component`. opts: those of the component."""
    after = ResourceOptions(depends_on=opts.depends_on if opts is not None else None)
    context = TeamsContext(component, name, settings, after)
    if settings.cloud == "gcp":
        from aiplatform.teams import gcp as cloud
        from aiplatform.teams import gcp_store as store
    else:
        from aiplatform.teams import aws as cloud
        from aiplatform.teams import aws_store as store
    ready = cloud.admit_members(context)
    roles: dict[str, Output[str]] = {}
    for team_name, team in settings.teams.items():
        exists = _namespace(context, team_name, team)
        _service_account(context, team_name, team, exists)
        _configuration(context, team_name, team, exists)
        if settings.model_store is not None and team.identity is not None:
            store.grant(context, team_name, team, settings.model_store, team.identity)
        if team.queue is not None:
            queues.local_queue(context, team_name, team.queue, exists)
            claims.templates(context, team_name, exists)
        if settings.secret_stores:
            secret_store = cloud.secret_store(context, team_name, [*exists, *ready])
            secrets.external_secrets(context, team_name, secret_store)
            if secret_store.role_arn is not None:
                roles[team_name] = secret_store.role_arn
    return {
        "namespaces": {team: settings.namespace(team) for team in settings.teams},
        "service_accounts": {
            team: declared.identity.service_account
            for team, declared in settings.teams.items()
            if declared.identity is not None and declared.identity.service_account is not None
        },
        "secret_roles": Output.all(**roles),
    }


def _namespace(context: TeamsContext, name: str, team: Team) -> list[pulumi.Resource]:
    limits = team.limits
    return namespaces.create(
        context.parent,
        f"{context.name}-{name}",
        namespaces.NamespaceContents(
            namespace=context.settings.namespace(name),
            cloud=context.settings.cloud,
            labels={TEAM_LABEL: name},
            queues=[QUEUE] if team.queue is not None else [],
            priority_classes=team.priority_classes,
            pod_security="privileged" if team.fabric else "restricted",
            quota=Quota(
                pods=limits.pods,
                cpu=limits.cpu,
                memory=limits.memory,
                volumes=limits.volumes,
                storage=limits.storage,
                load_balancers=limits.load_balancers,
            ),
            traffic=Traffic(
                clients=list(_flows(team.clients)),
                services=list(_flows(team.services)),
            ),
            members={role: group_names(context.settings.cloud, name, role, team) for role in ROLES},
        ),
        # Kueue has finalizers on work that waits, too: without it the namespace would never be gone.
        context.after,
    )


def _flows(ports: Mapping[str, Sequence[int]]) -> Iterator[Flow]:
    for namespace, numbers in ports.items():
        yield from (Flow(namespace, number) for number in numbers)


def _service_account(context: TeamsContext, name: str, team: Team, exists: list[pulumi.Resource]) -> None:
    if team.identity is None:
        return
    core.ServiceAccount(
        f"{context.name}-{name}-service-account",
        metadata=meta.ObjectMetaArgs(
            name=team.identity.service_account,
            namespace=context.settings.namespace(name),
            labels={TEAM_LABEL: name},
            annotations=team.identity.annotations,
        ),
        opts=context.options(*exists),
    )


def _configuration(context: TeamsContext, name: str, team: Team, exists: list[pulumi.Resource]) -> None:
    for part, object_name, data in (
        ("configuration", CONFIGURATION, {**team.configuration, **_uris(context, name)}),
        ("files", FILES, team.files),
    ):
        if not data:
            continue
        core.ConfigMap(
            f"{context.name}-{name}-{part}",
            metadata=meta.ObjectMetaArgs(
                # Not generated: Pods refer to it by this name.
                name=object_name,
                namespace=context.settings.namespace(name),
                labels={TEAM_LABEL: name},
            ),
            data=dict(data),
            opts=context.options(*exists),
        )


def _uris(context: TeamsContext, name: str) -> dict[str, Input[str]]:
    """Return the variables by which Pods find the checkpoints of the team, and releases."""
    store = context.settings.model_store
    if store is None:
        return {}
    return {
        CHECKPOINTS_URI: store.uri(store.checkpoints_bucket, context.settings.namespace(name)),
        RELEASES_URI: store.uri(store.releases_bucket),
    }
