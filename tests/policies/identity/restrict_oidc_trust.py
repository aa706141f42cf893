"""Spec of identity.restrict_oidc_trust."""

from __future__ import annotations

import json
from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Spec, resource

_HOST = "token.actions.githubusercontent.com"


def _role(**condition: Any) -> Any:
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{_HOST}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }
    return resource("aws:iam/role:Role", {"assumeRolePolicy": json.dumps({"Statement": [statement]})})


def _pool(**more: Any) -> Any:
    return resource(
        "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
        {"workloadIdentityPoolId": "ci", "oidc": {"issuerUri": f"https://{_HOST}"}, **more},
    )


def _account(member: Any) -> Any:
    return resource(
        "gcp:serviceaccount/iAMMember:IAMMember", {"role": "roles/iam.workloadIdentityUser", "member": member}
    )


_POOL = "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci"
_AUDIENCE = {f"{_HOST}:aud": "sts.amazonaws.com"}

SPEC = Spec(
    passes={
        "one branch of a repository": _role(
            StringEquals={f"{_HOST}:sub": "repo:acme/platform:environment:prod", **_AUDIENCE}
        ),
        "a subject with the ids of owner and repository": _role(
            StringEquals={f"{_HOST}:sub": "repo:acme@123/platform@456:environment:prod", **_AUDIENCE}
        ),
        "branches and tags of a prefix": _role(
            StringLike={
                f"{_HOST}:sub": [
                    "repo:acme/platform:ref:refs/heads/release/*",
                    "repo:acme@123/platform@456:ref:refs/tags/v*",
                ]
            }
        ),
        "branches of a prefix at GitLab": _role(
            StringLike={"gitlab.com:sub": "project_path:acme/platform:ref_type:branch:ref:release-*"}
        ),
        "a pool with a condition": _pool(attributeCondition="assertion.repository_owner == 'acme'"),
        "a pool of one's own provider": resource(
            "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
            {"workloadIdentityPoolId": "ci", "oidc": {"issuerUri": "https://id.acme.example"}},
        ),
        "an account of one repository": _account(f"{_POOL}/attribute.repository/acme/platform"),
    },
    fails={
        "every repository of the world": Fails(
            _role(StringEquals=_AUDIENCE), "assumeRolePolicy.Statement[0].Principal.Federated", "no condition"
        ),
        "a subject that is anybody": Fails(
            _role(StringLike={f"{_HOST}:sub": "repo:*"}),
            "assumeRolePolicy.Statement[0].Condition",
            "'repo:*'",
        ),
        "owners whose names only begin so": Fails(
            _role(StringLike={f"{_HOST}:sub": ["repo:acme/platform", "repo:acme*"]}),
            "assumeRolePolicy.Statement[0].Condition",
        ),
        "every repository of an owner": Fails(
            _role(StringLike={f"{_HOST}:sub": "repo:acme/*"}),
            "assumeRolePolicy.Statement[0].Condition",
            "any repository of an owner",
        ),
        "every repository of an owner with an id": Fails(
            _role(StringLike={f"{_HOST}:sub": "repo:acme@123/*:environment:prod"}),
            "assumeRolePolicy.Statement[0].Condition",
            "any repository of an owner",
        ),
        "repositories whose names only begin so": Fails(
            _role(StringLike={f"{_HOST}:sub": "repo:acme/platform*:environment:prod"}),
            "assumeRolePolicy.Statement[0].Condition",
            "any repository of an owner",
        ),
        "a wildcard for one character": Fails(
            _role(StringLike={f"{_HOST}:sub": "repo:acme/platfor?:environment:prod"}),
            "assumeRolePolicy.Statement[0].Condition",
        ),
        "all that a repository can run": Fails(
            _role(StringLike={f"{_HOST}:sub": "repo:acme@123/platform@456:*"}),
            "assumeRolePolicy.Statement[0].Condition",
            "any branch and pull request of the repository",
        ),
        "every branch of a repository": Fails(
            _role(StringLike={f"{_HOST}:sub": "repo:acme/platform:ref:refs/heads/*"}),
            "assumeRolePolicy.Statement[0].Condition",
            "any branch",
        ),
        "every ref of a repository": Fails(
            _role(StringLike={f"{_HOST}:sub": "repo:acme/platform:ref:*"}),
            "assumeRolePolicy.Statement[0].Condition",
        ),
        "every ref, by the part of its name that all have": Fails(
            _role(StringLike={f"{_HOST}:sub": "repo:acme/platform:ref:r*"}),
            "assumeRolePolicy.Statement[0].Condition",
            "any branch",
        ),
        "every ref, by the folder that all are in": Fails(
            _role(StringLike={f"{_HOST}:sub": "repo:acme/platform:ref:refs*"}),
            "assumeRolePolicy.Statement[0].Condition",
            "any branch",
        ),
        "every environment, those without rules too": Fails(
            _role(StringLike={f"{_HOST}:sub": "repo:acme/platform:environment:prod*"}),
            "assumeRolePolicy.Statement[0].Condition",
            "an environment that has no rules",
        ),
        "every project of a group at GitLab": Fails(
            _role(StringLike={"gitlab.com:sub": "project_path:acme/*:ref_type:branch:ref:main"}),
            "assumeRolePolicy.Statement[0].Condition",
        ),
        "every service account of a cluster": Fails(
            _role(StringLike={"oidc.eks.eu-west-1.amazonaws.com/id/1:sub": "system:serviceaccount:*"}),
            "assumeRolePolicy.Statement[0].Condition",
        ),
        "a pool that takes every token": Fails(_pool(), "attributeCondition", _HOST),
        "an account of the whole pool": Fails(_account(f"{_POOL}/*"), "member", "all of the pool"),
    },
    unknown={
        "a trust policy that is not known yet": resource("aws:iam/role:Role", {"assumeRolePolicy": UNKNOWN}),
        "a member that is not known yet": _account(UNKNOWN),
        "a condition that is not known yet": _pool(attributeCondition=UNKNOWN),
    },
)
