"""Spec of identity.use_workload_identity."""

from __future__ import annotations

import json
from typing import Any

from tests.policies.spec import UNKNOWN, Case, Fails, Resource, Spec, Stack, resource

_ROLE = resource("aws:iam/role:Role", {"namePrefix": "nodes-"}, name="role")


def _with_role(token: str, name: str, key: str, **props: Any) -> Resource:
    return resource(token, props, name=name, property_dependencies={key: [_ROLE.urn]})


_NODES = _with_role("aws:eks/nodeGroup:NodeGroup", "nodes", "nodeRoleArn")


def _attached(policy: Any) -> Stack:
    arn = policy if policy is UNKNOWN else f"arn:aws:iam::aws:policy/{policy}"
    attachment = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    return Stack([_ROLE, _NODES, _with_role(attachment, "attachment", "role", policyArn=arn)])


def _inline(action: str) -> Stack:
    policy = json.dumps(
        {"Statement": {"Effect": "Allow", "Action": action, "Resource": "arn:aws:s3:::acme/*"}}
    )
    return Stack(
        [_ROLE, _NODES, _with_role("aws:iam/rolePolicy:RolePolicy", "inline", "role", policy=policy)]
    )


def _gke(**config: Any) -> Any:
    return resource("gcp:container/cluster:Cluster", config)


def _google(role: str) -> Stack:
    account = "nodes@acme.iam.gserviceaccount.com"
    pool = resource(
        "gcp:container/nodePool:NodePool", {"nodeConfig": {"serviceAccount": account}}, name="pool"
    )
    member = {"role": role, "member": f"serviceAccount:{account}"}
    return Stack([pool, resource("gcp:projects/iAMMember:IAMMember", member, name="member")])


_ACCOUNT = resource("gcp:serviceaccount/account:Account", {"accountId": "nodes"}, name="account")


def _google_preview(role: Any, *, of: str = _ACCOUNT.urn) -> Stack:
    """The account is not there yet, and no one knows its name."""
    pool = resource(
        "gcp:container/nodePool:NodePool",
        {"nodeConfig": {"serviceAccount": UNKNOWN}},
        name="pool",
        property_dependencies={"nodeConfig": [_ACCOUNT.urn]},
    )
    member = resource(
        "gcp:projects/iAMMember:IAMMember",
        {"role": role, "member": UNKNOWN},
        name="member",
        property_dependencies={"member": [of]},
    )
    return Stack([_ACCOUNT, pool, member])


_PATH = "workloadIdentityConfig.workloadPool"

SPEC = Spec(
    passes={
        "a cluster with a workload pool": _gke(workloadIdentityConfig={"workloadPool": "acme.svc.id.goog"}),
        "Autopilot": _gke(enableAutopilot=True),
        "nodes with what they need": _attached("AmazonEKSWorkerNodePolicy"),
        "nodes that pull images": _inline("ecr:BatchImportUpstreamImage"),
        "nodes on Google Cloud with what they need": _google("roles/container.defaultNodeServiceAccount"),
        "what another account than the nodes' gets": _google_preview("roles/owner", of="another"),
    },
    fails={
        "nodes on Google Cloud that read buckets, in a preview": Fails(
            _google_preview("roles/storage.objectViewer"), "member", "roles/storage.objectViewer", of="member"
        ),
        "GKE with defaults": Fails(_gke(), _PATH, "is not set"),
        "nodes that read every bucket": Fails(
            _attached("AmazonS3ReadOnlyAccess"), "policyArn", "AmazonS3ReadOnlyAccess", of="attachment"
        ),
        "nodes that read one": Fails(
            _inline("s3:GetObject"), "policy.Statement.Action", "every pod", of="inline"
        ),
        "nodes on Google Cloud that read buckets": Fails(
            _google("roles/storage.objectViewer"), "member", "roles/storage.objectViewer", of="member"
        ),
    },
    unknown={
        "what nodes on Google Cloud get": _google_preview(UNKNOWN),
        "a pool that is unknown": _gke(workloadIdentityConfig={"workloadPool": UNKNOWN}),
        "a policy of the nodes that does not exist yet": _attached(UNKNOWN),
    },
    configured={
        "nodes without the network's rights": Case(
            _attached("AmazonEKS_CNI_Policy"), {"node_policies": ["AmazonEKSWorkerNodePolicy"]}, fails=True
        ),
        "nodes that may read buckets": Case(_inline("s3:GetObject"), {"node_services": ["s3"]}, fails=False),
    },
)
