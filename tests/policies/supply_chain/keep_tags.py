"""Spec of supply_chain.keep_tags."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource


def _ecr(mutability: Any = None) -> Resource:
    return resource("aws:ecr/repository:Repository", {"name": "acme", "imageTagMutability": mutability})


def _google(immutable: Any = None, **props: Any) -> Resource:
    return resource(
        "gcp:artifactregistry/repository:Repository",
        {"format": "DOCKER", "dockerConfig": {"immutableTags": immutable}, **props},
    )


SPEC = Spec(
    passes={
        "on ECR": _ecr("IMMUTABLE"),
        "on ECR, but for what is excluded": _ecr("IMMUTABLE_WITH_EXCLUSION"),
        "on Google Cloud": _google(True),
        "a cache of another registry": _google(mode="REMOTE_REPOSITORY"),
        "a repository of packages": _google(format="PYTHON"),
    },
    fails={
        "on ECR by default": Fails(_ecr(), "imageTagMutability", "'MUTABLE'"),
        "on ECR no": Fails(_ecr("MUTABLE_WITH_EXCLUSION"), "imageTagMutability", "MUTABLE_WITH_EXCLUSION"),
        "on Google Cloud by default": Fails(_google(), "dockerConfig.immutableTags", "may be moved"),
        "on Google Cloud no": Fails(_google(False, mode="STANDARD_REPOSITORY"), "dockerConfig.immutableTags"),
    },
    unknown={
        "on ECR": _ecr(UNKNOWN),
        "on Google Cloud": _google(UNKNOWN),
        "what repository it is": _google(False, mode=UNKNOWN),
    },
)
