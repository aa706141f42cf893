"""Spec of reliability.use_controllers."""

from __future__ import annotations

from tests.policies.spec import UNKNOWN, Fails, Spec, resource
from tests.policies.workloads import deployment, lone_pod, metadata, pod

POD = "kubernetes:core/v1:Pod"
OWNER = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "server", "uid": "1"}]

SPEC = Spec(
    passes={
        "a Deployment": deployment(),
        "a Pod of another object": resource(
            POD, {"metadata": metadata(ownerReferences=OWNER), "spec": pod()}
        ),
    },
    fails={
        "a Pod": Fails(lone_pod(), "", "without a controller"),
        "a Pod that restarts on its node": Fails(lone_pod(restartPolicy="Always"), ""),
        "a Pod without owners": Fails(
            resource(POD, {"metadata": metadata(ownerReferences=[]), "spec": pod()}), ""
        ),
    },
    unknown={
        "the owner": resource(POD, {"metadata": metadata(ownerReferences=UNKNOWN), "spec": pod()}),
        "the metadata": resource(POD, {"metadata": UNKNOWN, "spec": pod()}),
    },
)
