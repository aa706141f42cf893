"""What a container registry's arguments become on each cloud."""

from typing import Final

from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "prefix": CloudSupport(aws="first part of every name", gcp="first part of every name"),
    "cloud": CloudSupport(aws="ECR", gcp="Artifact Registry"),
    "project": CloudSupport(aws=refused("the provider tells the account; leave it out"), gcp="the project"),
    "region": CloudSupport(
        aws=refused("the provider tells the region; leave it out"), gcp="the repositories' location"
    ),
    "repositories": CloudSupport(
        aws="ECR repositories: immutable tags, scanned on push, under a key of their own",
        gcp="Docker repositories: immutable tags, scanned, under a key of their own",
    ),
    "caches": CloudSupport(
        aws="pull-through cache rules, and a template for the repositories that they make",
        gcp="remote repositories",
    ),
    "caches.username": CloudSupport(
        aws=refused("it stands in the secret, beside `accessToken`; leave it out"),
        gcp="upstream credentials",
    ),
    "caches.credential": CloudSupport(aws="the rule's secret", gcp="upstream credentials"),
    "untagged_days": CloudSupport(aws="lifecycle policy", gcp="cleanup policy"),
    "cached_days": CloudSupport(aws="lifecycle policy of the template", gcp="cleanup policy"),
    "readers": CloudSupport(
        aws="repository policies, and a policy of each role of this account that lets it log in",
        gcp="roles/artifactregistry.reader",
    ),
    "writers": CloudSupport(
        aws="repository policies, and a policy of each role of this account that lets it log in",
        gcp="roles/artifactregistry.writer",
    ),
    "node_roles": CloudSupport(
        aws="the right to make repositories of the caches",
        gcp=refused("a remote repository is there before its first image; leave it out"),
    ),
    "protect": CloudSupport(aws="Pulumi's protect", gcp="Pulumi's protect"),
    "force_destroy": CloudSupport(
        aws="repositories go with their images",
        gcp=refused("Artifact Registry deletes a repository with its images in any case; leave it out"),
    ),
    "tags": CloudSupport(aws="tags", gcp="labels"),
}
