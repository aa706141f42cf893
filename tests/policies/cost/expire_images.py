"""Spec of cost.expire_images."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, Stack, resource

_REPOSITORY = resource("aws:ecr/repository:Repository", {"name": "acme/serving"}, name="serving")


def _policy(repository: Any) -> Resource:
    return resource("aws:ecr/lifecyclePolicy:LifecyclePolicy", {"repository": repository}, name="policy")


def _google(**props: Any) -> Resource:
    return resource("gcp:artifactregistry/repository:Repository", {"format": "DOCKER", **props})


_RULE = {"id": "old", "action": "DELETE", "condition": {"olderThan": "86400s"}}

SPEC = Spec(
    passes={
        "a policy": Stack([_REPOSITORY, _policy("acme/serving")]),
        "cleanup": _google(cleanupPolicies=[_RULE]),
        "a virtual repository": _google(mode="VIRTUAL_REPOSITORY"),
    },
    fails={
        "no policy": Fails(Stack([_REPOSITORY]), "", "every image is kept", of="serving"),
        "the policy of another": Fails(Stack([_REPOSITORY, _policy("acme/training")]), "", of="serving"),
        "no cleanup": Fails(_google(), "cleanupPolicies"),
        "a trial": Fails(_google(cleanupPolicies=[_RULE], cleanupPolicyDryRun=True), "cleanupPolicyDryRun"),
    },
    unknown={
        "a policy of an unknown repository": Stack([_REPOSITORY, _policy(UNKNOWN)]),
        "cleanup policies": _google(cleanupPolicies=UNKNOWN),
    },
)
