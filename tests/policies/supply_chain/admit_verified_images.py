"""Spec of supply_chain.admit_verified_images."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource

MODE = "binaryAuthorization.evaluationMode"


def _cluster(**binary_authorization: Any) -> Resource:
    return resource("gcp:container/cluster:Cluster", {"binaryAuthorization": binary_authorization})


SPEC = Spec(
    passes={
        "it is enforced": _cluster(evaluationMode="PROJECT_SINGLETON_POLICY_ENFORCE"),
        "it is enforced in the old way": _cluster(enabled=True),
    },
    fails={
        "defaults": Fails(resource("gcp:container/cluster:Cluster", {}), MODE, "not set"),
        "it is disabled": Fails(_cluster(evaluationMode="DISABLED"), MODE, "'DISABLED'"),
        "it is disabled in the old way": Fails(_cluster(enabled=False), MODE),
    },
    unknown={
        "the mode": _cluster(evaluationMode=UNKNOWN),
        "whether it is enabled": _cluster(enabled=UNKNOWN),
    },
)
