"""What a container registry's arguments become on each cloud."""

from typing import Final

from aiplatform._shared import key_grants
from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "prefix": CloudSupport(aws="first part of every name", gcp="first part of every name"),
    "cloud": CloudSupport(aws="ECR", gcp="Artifact Registry"),
    "project": CloudSupport(
        aws=refused("the provider determines the account; leave it out"), gcp="the project"
    ),
    "region": CloudSupport(
        aws=refused("the provider determines the region; leave it out"), gcp="the repositories' location"
    ),
    "repositories": CloudSupport(
        aws="ECR repositories: immutable tags, scanned on push, encrypted by a dedicated key",
        gcp="Docker repositories: immutable tags, scanned, encrypted by a dedicated key",
    ),
    "caches": CloudSupport(
        aws="pull-through cache rules, and a template for the repositories that they create",
        gcp="remote repositories",
    ),
    "caches.username": CloudSupport(
        aws=refused("it is in the secret, next to `accessToken`; leave it out"),
        gcp="upstream credentials",
    ),
    "caches.credential": CloudSupport(aws="the rule's secret", gcp="upstream credentials"),
    "untagged_days": CloudSupport(aws="lifecycle policy", gcp="cleanup policy"),
    "cached_days": CloudSupport(aws="lifecycle policy of the template", gcp="cleanup policy"),
    "readers": CloudSupport(
        aws="repository policies, and a policy of each role of this account that allows it to log in",
        gcp="roles/artifactregistry.reader",
    ),
    "writers": CloudSupport(
        aws="repository policies, and a policy of each role of this account that allows it to log in",
        gcp="roles/artifactregistry.writer",
    ),
    "repository_writers": CloudSupport(
        aws="the repository's policy, and a policy of each role of this account that allows it to log in",
        gcp="roles/artifactregistry.writer",
    ),
    "node_roles": CloudSupport(
        aws="permission to create repositories of the caches",
        gcp=refused("a remote repository exists before its first image; leave it out"),
    ),
    "protect": CloudSupport(aws="Pulumi's protect", gcp="Pulumi's protect"),
    "force_destroy": CloudSupport(
        aws="repositories are deleted with their images",
        gcp=refused("Artifact Registry deletes a repository with its images in any case; leave it out"),
    ),
    "kms_key": CloudSupport(aws="a KMS key that exists", gcp="a Cloud KMS key that exists"),
    "kms_key_grants": key_grants.SUPPORT,
    "tags": CloudSupport(aws="tags", gcp="labels"),
}
