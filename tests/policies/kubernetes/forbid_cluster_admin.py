"""Spec of kubernetes.forbid_cluster_admin."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Case, Fails, Resource, Spec, resource

EKS = "arn:aws:eks::aws:cluster-access-policy/"
CI = "arn:aws:iam::111122223333:role/ci"
ACCOUNT = {"kind": "ServiceAccount", "name": "server", "namespace": "serving"}


def _binding(role: Any, *subjects: Any, kind: str = "ClusterRoleBinding") -> Resource:
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    return resource(
        f"kubernetes:rbac.authorization.k8s.io/v1:{kind}",
        {"roleRef": ref, "subjects": list(subjects or (ACCOUNT,))},
    )


def _association(policy: Any, principal: Any, scope: Any = "cluster") -> Resource:
    return resource(
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        {
            "clusterName": "acme",
            "policyArn": f"{EKS}{policy}" if isinstance(policy, str) else policy,
            "principalArn": principal,
            "accessScope": {"type": scope},
        },
    )


def _entry(*groups: Any) -> Resource:
    return resource("aws:eks/accessEntry:AccessEntry", {"kubernetesGroups": list(groups)})


def _aws_auth(**data: Any) -> Resource:
    metadata = {"name": "aws-auth", "namespace": "kube-system"}
    return resource("kubernetes:core/v1:ConfigMapPatch", {"metadata": metadata, "data": data})


def _aggregation(selector: Any) -> Resource:
    return resource(
        "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole",
        {"aggregationRule": {"clusterRoleSelectors": [selector]}},
    )


def _group(name: str) -> dict[str, str]:
    return {"kind": "Group", "name": name}


SPEC = Spec(
    passes={
        "a role declared explicitly": _binding("server"),
        "a group of people": _binding("view", _group("data-scientists@acme.example")),
        "the role admin in one namespace": _binding("admin", kind="RoleBinding"),
        "the role view in all namespaces": _binding("view"),
        "a principal of IAM that reads": _association("AmazonEKSViewPolicy", CI),
        "an administrator of namespaces": _association("AmazonEKSAdminPolicy", CI, "namespace"),
        "the role of administrators": _association(
            "AmazonEKSClusterAdminPolicy", "arn:aws:iam::111122223333:role/PlatformAdmins"
        ),
        "people by IAM Identity Center": _association(
            "AmazonEKSClusterAdminPolicy",
            "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_Ops_1a2b",
        ),
        "a group of an entry": _entry("ml:developers"),
        "nodes in aws-auth": _aws_auth(
            mapRoles="- rolearn: a\n  groups: [system:bootstrappers, system:nodes]\n"
        ),
        "an aggregation by a label": _aggregation({"matchLabels": {"aggregate-to-ml": "true"}}),
        "the accounts of one namespace": _binding("server", _group("system:serviceaccounts:serving")),
    },
    fails={
        "cluster-admin": Fails(_binding("cluster-admin"), "roleRef.name", "has every permission"),
        "cluster-admin of a namespace": Fails(
            _binding("cluster-admin", kind="RoleBinding"), "roleRef.name", "cluster-admin"
        ),
        "everyone who has an account": Fails(
            _binding("view", ACCOUNT, _group("system:authenticated")), "subjects[1].name", "authenticated"
        ),
        "all Secrets by the role edit": Fails(_binding("edit"), "roleRef.name", "'edit' in every namespace"),
        "administrators by a patch": Fails(
            _binding("cluster-admin", kind="ClusterRoleBindingPatch"), "roleRef.name"
        ),
        "a CI role of IAM": Fails(
            _association("AmazonEKSClusterAdminPolicy", CI), "policyArn", "an administrator of the cluster"
        ),
        "a user of IAM with another policy": Fails(
            _association("AmazonEKSAdminPolicy", "arn:aws:iam::111122223333:user/anna"), "policyArn"
        ),
        "masters by an entry": Fails(_entry("ml", "system:masters"), "kubernetesGroups[1]", "masters"),
        "masters by aws-auth": Fails(
            _aws_auth(mapUsers="- userarn: a\n  groups:\n  - system:masters\n"), "data.mapUsers", "masters"
        ),
        "a role that aggregates all": Fails(
            _aggregation({}), "aggregationRule.clusterRoleSelectors[0]", "every ClusterRole"
        ),
        "the internet": Fails(
            _binding("view", {"kind": "User", "name": "system:anonymous"}), "subjects[0].name", "anonymous"
        ),
    },
    unknown={
        "the role": _binding(UNKNOWN),
        "a principal of IAM": _association("AmazonEKSClusterAdminPolicy", UNKNOWN),
        "a group of an entry": _entry(UNKNOWN),
        "aws-auth": _aws_auth(mapRoles=UNKNOWN),
        "an aggregation": _aggregation(UNKNOWN),
        "the subjects": resource(
            "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
            {"roleRef": {"name": "view"}, "subjects": UNKNOWN},
        ),
        "a subject": _binding("view", {"kind": "User", "name": UNKNOWN}),
    },
    configured={
        "a role that is listed": Case(
            _association("AmazonEKSClusterAdminPolicy", CI), {"administrators": ["*:role/ci"]}, fails=False
        ),
        "no role is listed": Case(
            _association("AmazonEKSClusterAdminPolicy", "arn:aws:iam::1:role/admin"),
            {"administrators": []},
            fails=True,
        ),
    },
)
