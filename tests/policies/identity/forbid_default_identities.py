"""Spec of identity.forbid_default_identities."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Spec, resource

_OWN = "server@acme.iam.gserviceaccount.com"
_SHARED = "123456789012-compute@developer.gserviceaccount.com"


def _pool(**config: Any) -> Any:
    return resource("gcp:container/nodePool:NodePool", {"cluster": "acme", "nodeConfig": config})


def _member(member: Any) -> Any:
    return resource(
        "gcp:projects/iAMMember:IAMMember", {"role": "roles/storage.objectViewer", "member": member}
    )


def _binding(name: Any) -> Any:
    return resource(
        "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
        {
            "roleRef": {"kind": "Role", "name": "reader"},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": "serving"}],
        },
    )


SPEC = Spec(
    passes={
        "nodes with an account": _pool(serviceAccount=_OWN),
        "a machine without any": resource("gcp:compute/instance:Instance", {"machineType": "e2-medium"}),
        "a cluster whose first pool goes": resource(
            "gcp:container/cluster:Cluster", {"removeDefaultNodePool": True}
        ),
        "rights for an account": _member(f"serviceAccount:{_OWN}"),
        "rights for a service account of Kubernetes": _binding("server"),
    },
    fails={
        "nodes that say nothing": Fails(_pool(), "nodeConfig.serviceAccount", "is not set"),
        "a cluster whose first pool stays": Fails(
            resource("gcp:container/cluster:Cluster", {"initialNodeCount": 1}), "nodeConfig.serviceAccount"
        ),
        "a cluster that makes pools": Fails(
            resource(
                "gcp:container/cluster:Cluster",
                {"removeDefaultNodePool": True, "clusterAutoscaling": {"enabled": True}},
            ),
            "clusterAutoscaling.autoProvisioningDefaults.serviceAccount",
        ),
        "a machine with scopes alone": Fails(
            resource("gcp:compute/instance:Instance", {"serviceAccount": {"scopes": ["cloud-platform"]}}),
            "serviceAccount.email",
        ),
        "a service with defaults": Fails(
            resource("gcp:cloudrunv2/service:Service", {"template": {}}), "template.serviceAccount"
        ),
        "rights for the default account": Fails(
            _member(f"serviceAccount:{_SHARED}"), "member", "roles/storage.objectViewer"
        ),
        "rights for every pod": Fails(_binding("default"), "subjects[0].name", "'reader'"),
    },
    unknown={
        "an account that does not exist yet": _pool(serviceAccount=UNKNOWN),
        "a machine's account that does not exist yet": resource(
            "gcp:compute/instance:Instance", {"serviceAccount": {"email": UNKNOWN}}
        ),
    },
)
