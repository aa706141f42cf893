"""Teams on each cloud."""

from typing import Final

from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "prefix": CloudSupport(
        aws="first part of the names of roles and secrets", gcp="first part of the names of secrets"
    ),
    "cluster": CloudSupport(
        aws="the cluster of access entries", gcp="the project, and its pool of identities"
    ),
    "teams": CloudSupport(
        aws="namespaces, and access entries of the members' IAM roles",
        gcp="namespaces, and a role of the project by which the members' Google groups reach the cluster",
    ),
    "teams.serves": CloudSupport(
        aws="s3:GetObject below TEAM/ of the releases",
        gcp="roles/storage.objectViewer on the managed folder TEAM/ of the releases",
    ),
    "model_store": CloudSupport(
        aws="a policy of each team's role for the prefix of its namespace",
        gcp="a managed folder for each namespace, with roles/storage.objectUser of the team's identity",
    ),
    "secrets_role_arn": CloudSupport(
        aws="trusted by the role of each SecretStore",
        gcp=refused("External Secrets reads as a service account of each team; leave it out"),
    ),
    "secret_stores": CloudSupport(
        aws="a SecretStore and an IAM role for each team",
        gcp="a SecretStore and a service account for each team, with Secret Manager's accessor role",
    ),
    "secret_keys": CloudSupport(
        aws="kms:Decrypt through Secrets Manager",
        gcp=refused("Secret Manager decrypts by its service agent; leave it out"),
    ),
    "claimed_gpus": CloudSupport(
        aws="ResourceClaimTemplates",
        gcp=refused("no pool of GKE has accelerators to claim; leave it out"),
    ),
    "cluster_roles": CloudSupport(aws="ClusterRoleBindings", gcp="ClusterRoleBindings"),
    "tags": CloudSupport(
        aws="tags of roles and access entries",
        gcp=refused("none of the resources has labels; leave it out"),
    ),
}
