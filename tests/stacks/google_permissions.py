"""Resource type -> the IAM permissions that the principal that applies the program needs for it.

Source: "IAM permissions reference", and the calls of the provider's resources (GoogleCloudPlatform/
magic-modules: create, read, update, delete, and getIamPolicy and setIamPolicy of members).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final


def _life(kind: str, *more: str) -> tuple[str, ...]:
    """Return permissions to create, read, update and delete a kind of resource, and more of its service."""
    service = kind.partition(".")[0]
    return (
        *(f"{kind}.{word}" for word in ("create", "get", "update", "delete")),
        *(f"{service}.{verb}" for verb in more),
    )


def _fixed(kind: str, *more: str) -> tuple[str, ...]:
    """Return the same for a kind that is never updated in place."""
    return tuple(permission for permission in _life(kind, *more) if permission != f"{kind}.update")


def _policy(kind: str) -> tuple[str, ...]:
    return (f"{kind}.getIamPolicy", f"{kind}.setIamPolicy")


ALWAYS: Final = (
    # The provider's user_project_override, and calls before anything is registered.
    "serviceusage.services.use",
    "serviceusage.services.list",
    "resourcemanager.projects.get",
    "compute.regions.list",
    "compute.zones.list",
    "compute.machineTypes.list",
    "compute.reservations.get",
    "cloudquotas.quotas.get",
    "container.clusters.get",
    # The cluster's DNS endpoint.
    "container.clusters.connect",
)
OF_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "gcp:artifactregistry/repository:Repository": _life("artifactregistry.repositories"),
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": _policy("artifactregistry.repositories"),
    "gcp:biglake/icebergCatalog:IcebergCatalog": _life("biglake.catalogs"),
    "gcp:biglake/icebergCatalogIamMember:IcebergCatalogIamMember": _policy("biglake.catalogs"),
    "gcp:biglake/icebergNamespace:IcebergNamespace": _life("biglake.namespaces"),
    "gcp:biglake/icebergNamespaceIamMember:IcebergNamespaceIamMember": _policy("biglake.namespaces"),
    "gcp:biglake/icebergTable:IcebergTable": _life("biglake.tables"),
    "gcp:biglake/icebergTableIamMember:IcebergTableIamMember": _policy("biglake.tables"),
    "gcp:bigquery/datapolicyv2DataPolicy:Datapolicyv2DataPolicy": (
        *_life("bigquery.dataPolicies"),
        *_policy("bigquery.dataPolicies"),
    ),
    "gcp:bigquery/dataset:Dataset": _life("bigquery.datasets"),
    "gcp:bigquery/datasetIamMember:DatasetIamMember": _policy("bigquery.datasets"),
    "gcp:bigquery/job:Job": (
        # Its statements set column and row policies.
        *("bigquery.jobs.create", "bigquery.jobs.get", "bigquery.tables.get", "bigquery.tables.update"),
        *("bigquery.tables.setColumnDataPolicy", "bigquery.dataPolicies.attach"),
        *("bigquery.rowAccessPolicies.create", "bigquery.rowAccessPolicies.setIamPolicy"),
    ),
    "gcp:binaryauthorization/policy:Policy": (
        "binaryauthorization.policy.get",
        "binaryauthorization.policy.update",
    ),
    "gcp:compute/address:Address": _fixed(
        "compute.addresses", "addresses.createInternal", "subnetworks.use", "subnetworks.useExternalIp"
    ),
    "gcp:compute/firewall:Firewall": _life("compute.firewalls", "networks.updatePolicy"),
    "gcp:compute/globalAddress:GlobalAddress": _fixed(
        "compute.globalAddresses",
        *("globalAddresses.createInternal", "globalAddresses.deleteInternal", "networks.use"),
    ),
    "gcp:compute/network:Network": _life("compute.networks"),
    "gcp:compute/networkFirewallPolicy:NetworkFirewallPolicy": _life("compute.firewallPolicies"),
    "gcp:compute/networkFirewallPolicyAssociation:NetworkFirewallPolicyAssociation": (
        "compute.firewallPolicies.use",
        "compute.networks.setFirewallPolicy",
    ),
    "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule": (
        "compute.firewallPolicies.get",
        "compute.firewallPolicies.update",
    ),
    "gcp:compute/resourcePolicy:ResourcePolicy": _fixed("compute.resourcePolicies"),
    "gcp:compute/route:Route": _fixed("compute.routes", "networks.updatePolicy"),
    "gcp:compute/router:Router": _life("compute.routers", "networks.updatePolicy"),
    "gcp:compute/routerNat:RouterNat": ("compute.routers.get", "compute.routers.update"),
    "gcp:compute/subnetwork:Subnetwork": _life("compute.subnetworks", "networks.updatePolicy"),
    "gcp:container/cluster:Cluster": (*_life("container.clusters"), "iam.serviceAccounts.actAs"),
    "gcp:container/nodePool:NodePool": (
        # There are no permissions of node pools: those of clusters apply.
        *("container.clusters.get", "container.clusters.update", "container.operations.get"),
        *("iam.serviceAccounts.actAs", "compute.instanceGroupManagers.get"),
    ),
    "gcp:dns/managedZone:ManagedZone": _life("dns.managedZones", "networks.bindPrivateDNSZone"),
    "gcp:dns/policy:Policy": _life("dns.policies", "networks.bindPrivateDNSPolicy"),
    "gcp:dns/recordSet:RecordSet": (
        *("dns.changes.create", "dns.changes.get", "dns.resourceRecordSets.list"),
        *(f"dns.resourceRecordSets.{word}" for word in ("create", "update", "delete")),
    ),
    "gcp:firestore/backupSchedule:BackupSchedule": _life("datastore.backupSchedules"),
    "gcp:firestore/database:Database": (
        *("datastore.databases.create", "datastore.databases.getMetadata", "datastore.databases.update"),
        *("datastore.databases.delete", "datastore.operations.get"),
    ),
    "gcp:kms/cryptoKey:CryptoKey": (
        *(f"cloudkms.cryptoKeys.{word}" for word in ("create", "get", "update")),
        *("cloudkms.cryptoKeyVersions.list", "cloudkms.cryptoKeyVersions.destroy"),
    ),
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": _policy("cloudkms.cryptoKeys"),
    "gcp:kms/keyRing:KeyRing": ("cloudkms.keyRings.create", "cloudkms.keyRings.get"),
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": _life("logging.buckets"),
    "gcp:logging/projectExclusion:ProjectExclusion": _life("logging.exclusions"),
    "gcp:logging/projectSink:ProjectSink": _life("logging.sinks"),
    "gcp:monitoring/alertPolicy:AlertPolicy": _life("monitoring.alertPolicies"),
    "gcp:projects/iAMAuditConfig:IAMAuditConfig": _policy("resourcemanager.projects"),
    "gcp:projects/iAMCustomRole:IAMCustomRole": (*_life("iam.roles"), "iam.roles.undelete"),
    "gcp:projects/iAMMember:IAMMember": _policy("resourcemanager.projects"),
    "gcp:projects/service:Service": ("serviceusage.services.enable", "serviceusage.services.get"),
    "gcp:projects/serviceIdentity:ServiceIdentity": ("serviceusage.services.enable",),
    # On the billing account, where docs/google-cloud.md names the role.
    "gcp:billing/budget:Budget": (),
    "gcp:monitoring/notificationChannel:NotificationChannel": _life("monitoring.notificationChannels"),
    "gcp:pubsub/subscription:Subscription": (
        *_life("pubsub.subscriptions"),
        "pubsub.topics.attachSubscription",
    ),
    "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember": _policy("pubsub.subscriptions"),
    "gcp:pubsub/topic:Topic": _life("pubsub.topics"),
    "gcp:pubsub/topicIAMMember:TopicIAMMember": _policy("pubsub.topics"),
    "gcp:secretmanager/secret:Secret": _life("secretmanager.secrets"),
    "gcp:secretmanager/secretIamMember:SecretIamMember": _policy("secretmanager.secrets"),
    "gcp:serviceaccount/account:Account": _life("iam.serviceAccounts"),
    "gcp:serviceaccount/iAMMember:IAMMember": _policy("iam.serviceAccounts"),
    "gcp:servicenetworking/connection:Connection": (
        *("servicenetworking.services.addPeering", "servicenetworking.services.deleteConnection"),
        *("servicenetworking.operations.get", "compute.networks.get", "compute.networks.removePeering"),
    ),
    "gcp:serviceusage/consumerQuotaOverride:ConsumerQuotaOverride": (
        "serviceusage.quotas.get",
        "serviceusage.quotas.update",
    ),
    "gcp:sql/database:Database": _life("cloudsql.databases"),
    "gcp:sql/databaseInstance:DatabaseInstance": _life("cloudsql.instances"),
    "gcp:sql/user:User": (
        *("cloudsql.users.create", "cloudsql.users.list", "cloudsql.users.update", "cloudsql.users.delete"),
    ),
    "gcp:storage/bucket:Bucket": _life("storage.buckets", "objects.list", "objects.delete"),
    "gcp:storage/bucketIAMMember:BucketIAMMember": _policy("storage.buckets"),
    "gcp:storage/bucketObject:BucketObject": _life("storage.objects"),
    "gcp:storage/managedFolder:ManagedFolder": _fixed("storage.managedFolders"),
    "gcp:storage/managedFolderIamMember:ManagedFolderIamMember": _policy("storage.managedFolders"),
    "gcp:storage/notification:Notification": ("storage.buckets.get", "storage.buckets.update"),
}
"""Google's resource types that the environments register, and the permissions that each needs."""

IN_KUBERNETES: Final = {
    # A principal can grant no more than it has; the DNS endpoint and the API server ask IAM.
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding": (
        "container.clusterRoleBindings.create",
        "container.clusterRoles.bind",
    ),
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding": (
        "container.roleBindings.create",
        "container.roles.bind",
    ),
}
