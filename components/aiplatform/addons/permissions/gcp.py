"""An add-on's permissions on Google Cloud, of its Kubernetes service account itself (Workload Identity
Federation for GKE). Only external-dns and KEDA have any: each SecretStore reads secrets by a service account
of its namespace, and GKE creates load balancers itself."""

from typing import Final

import pulumi
from pulumi import Input, Output
from pulumi_gcp import dns, organizations, projects

from aiplatform._shared.context import Context
from aiplatform._shared.gcp.apis import enable_apis
from aiplatform.addons.catalog import Addon
from aiplatform.addons.permissions.settings import SERVICE_ACCOUNTS, Settings

_CHANGES_RECORDS: Final = (
    "dns.changes.create",
    "dns.changes.get",
    "dns.changes.list",
    "dns.managedZones.get",
    "dns.resourceRecordSets.create",
    "dns.resourceRecordSets.delete",
    "dns.resourceRecordSets.get",
    "dns.resourceRecordSets.list",
    "dns.resourceRecordSets.update",
)


def grant_dns(context: Context[Settings], addon: Addon) -> list[pulumi.Resource]:
    """Allow external-dns to change records of the listed zones. It lists the zones of the project, which no
    role of a single zone allows."""
    settings, logical = context.settings, f"{context.name}-{addon.name}"
    project = settings.cluster.project or ""
    apis = enable_apis(context.parent, logical, project, ["cloudresourcemanager", "dns", "iam"])
    member = _member(context, addon, project, list(apis.values()))
    role = projects.IAMCustomRole(
        f"{logical}-role",
        project=project,
        # Ids of roles allow no hyphens.
        role_id=f"{settings.prefix.replace('-', '_')}_external_dns",
        title=f"Changes DNS records, {settings.prefix}",
        permissions=list(_CHANGES_RECORDS),
        opts=context.options(apis["iam"], delete_before_replace=True),
    )
    reads = projects.IAMMember(
        f"{logical}-reads",
        project=project,
        role="roles/dns.reader",
        member=member,
        opts=context.options(),
    )
    changes = [
        dns.DnsManagedZoneIamMember(
            f"{logical}-{_key(zone, position)}",
            project=project,
            managed_zone=zone,
            role=role.name,
            member=member,
            opts=context.options(),
        )
        for position, zone in enumerate(settings.dns_zones)
    ]
    return [reads, *changes]


def grant_keda(context: Context[Settings], addon: Addon) -> list[pulumi.Resource]:
    """Allow KEDA's operator to read metrics of the project, by which it knows how many messages a
    subscription has (KEDA documentation, scaler "Google Cloud Platform Pub/Sub")."""
    settings, logical = context.settings, f"{context.name}-{addon.name}"
    project = settings.cluster.project or ""
    apis = enable_apis(context.parent, logical, project, ["cloudresourcemanager", "iam", "monitoring"])
    reads = projects.IAMMember(
        f"{logical}-reads",
        project=project,
        role="roles/monitoring.viewer",
        member=_member(context, addon, project, list(apis.values())),
        opts=context.options(),
    )
    return [reads]


def _member(
    context: Context[Settings], addon: Addon, project: str, apis: list[pulumi.Resource]
) -> Output[str]:
    """Return the principal of the service account of an add-on's controller ("Authenticate to Google Cloud
    APIs from GKE workloads")."""
    account = SERVICE_ACCOUNTS.get(addon.name, addon.name)
    options = pulumi.InvokeOutputOptions(parent=context.parent, depends_on=apis)
    number = organizations.get_project_output(project_id=project, opts=options).number
    pool = context.settings.cluster.workload_pool or f"{project}.svc.id.goog"
    return Output.all(number, pool).apply(
        lambda known: (
            f"principal://iam.googleapis.com/projects/{known[0]}/locations/global/workloadIdentityPools/"
            f"{known[1]}/subject/ns/{addon.namespace}/sa/{account}"
        )
    )


def _key(zone: Input[str], position: int) -> str:
    return zone if isinstance(zone, str) else str(position)
