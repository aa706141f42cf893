"""What a container registry's arguments become on each cloud."""

from typing import Final

from aiplatform._clouds import Meanings, On, refused

MEANINGS: Final[Meanings] = {
    "prefix": On(aws="first part of every name", gcp="first part of every name"),
    "cloud": On(aws="ECR", gcp="Artifact Registry"),
    "project": On(aws=refused("the provider tells the account; leave it out"), gcp="the project"),
    "region": On(
        aws=refused("the provider tells the region; leave it out"), gcp="the repositories' location"
    ),
    "repositories": On(
        aws="ECR repositories: immutable tags, scanned on push, under a key of their own",
        gcp="Docker repositories: immutable tags, scanned, under a key of their own",
    ),
    "caches": On(
        aws="pull-through cache rules, and a template for the repositories that they make",
        gcp="remote repositories",
    ),
    "caches.username": On(
        aws=refused("it stands in the secret, beside `accessToken`; leave it out"),
        gcp="upstream credentials",
    ),
    "caches.credential": On(aws="the rule's secret", gcp="upstream credentials"),
    "untagged_days": On(aws="lifecycle policy", gcp="cleanup policy"),
    "cached_days": On(aws="lifecycle policy of the template", gcp="cleanup policy"),
    "readers": On(
        aws="repository policies, and a policy of each role of this account that lets it log in",
        gcp="roles/artifactregistry.reader",
    ),
    "writers": On(
        aws="repository policies, and a policy of each role of this account that lets it log in",
        gcp="roles/artifactregistry.writer",
    ),
    "node_roles": On(
        aws="the right to make repositories of the caches",
        gcp=refused("a remote repository is there before its first image; leave it out"),
    ),
    "protect": On(aws="Pulumi's protect", gcp="Pulumi's protect"),
    "force_destroy": On(
        aws="repositories go with their images",
        gcp=refused("Artifact Registry deletes a repository with its images in any case; leave it out"),
    ),
    "tags": On(aws="tags", gcp="labels"),
}
