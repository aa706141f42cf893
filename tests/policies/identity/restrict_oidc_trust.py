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


def _subject(*subjects: str, host: str = _HOST) -> Any:
    """A role for tokens with one of these subjects."""
    return _role(StringLike={f"{host}:sub": subjects[0] if len(subjects) == 1 else subjects})


def _too_wide(*subjects: str, problem: str = "", host: str = _HOST) -> Fails:
    """A violation: such a role trusts more than one workload."""
    return Fails(_subject(*subjects, host=host), "assumeRolePolicy.Statement[0].Condition", problem)


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
        "branches and tags of a prefix": _subject(
            "repo:acme/platform:ref:refs/heads/release/*", "repo:acme@123/platform@456:ref:refs/tags/v*"
        ),
        "branches of a prefix at GitLab": _subject(
            "project_path:acme/platform:ref_type:branch:ref:release-*", host="gitlab.com"
        ),
        "a pool with a condition": _pool(attributeCondition="assertion.repository_owner == 'acme'"),
        "a pool declared explicitly provider": resource(
            "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
            {"workloadIdentityPoolId": "ci", "oidc": {"issuerUri": "https://id.acme.example"}},
        ),
        "an account of one repository": _account(f"{_POOL}/attribute.repository/acme/platform"),
    },
    fails={
        "every repository in every region": Fails(
            _role(StringEquals=_AUDIENCE),
            "assumeRolePolicy.Statement[0].Principal.Federated",
            "does not limit the subject",
        ),
        "a subject that is anybody": _too_wide("repo:*", problem="'repo:*'"),
        "owners whose names only begin so": _too_wide("repo:acme/platform", "repo:acme*"),
        "every repository of an owner": _too_wide("repo:acme/*", problem="any repository of an owner"),
        "every repository of an owner with an id": _too_wide(
            "repo:acme@123/*:environment:prod", problem="any repository of an owner"
        ),
        "repositories whose names only begin so": _too_wide(
            "repo:acme/platform*:environment:prod", problem="any repository of an owner"
        ),
        "a wildcard for one character": _too_wide("repo:acme/platfor?:environment:prod"),
        "all that a repository can run": _too_wide(
            "repo:acme@123/platform@456:*", problem="any branch and pull request of the repository"
        ),
        "every branch of a repository": _too_wide(
            "repo:acme/platform:ref:refs/heads/*", problem="any branch"
        ),
        "every ref of a repository": _too_wide("repo:acme/platform:ref:*"),
        "every ref, by the part of its name that all have": _too_wide(
            "repo:acme/platform:ref:r*", problem="any branch"
        ),
        "every ref, by the folder that all are in": _too_wide(
            "repo:acme/platform:ref:refs*", problem="any branch"
        ),
        "every environment, those without rules too": _too_wide(
            "repo:acme/platform:environment:prod*", problem="an environment without rules"
        ),
        "every project of a group at GitLab": _too_wide(
            "project_path:acme/*:ref_type:branch:ref:main", host="gitlab.com"
        ),
        "every service account of a cluster": _too_wide(
            "system:serviceaccount:*", host="oidc.eks.eu-west-1.amazonaws.com/id/1"
        ),
        "a pool that takes every token": Fails(_pool(), "attributeCondition", _HOST),
        "an account of the whole pool": Fails(_account(f"{_POOL}/*"), "member", "the whole pool"),
    },
    unknown={
        "a trust policy that is unknown": resource("aws:iam/role:Role", {"assumeRolePolicy": UNKNOWN}),
        "a member that is unknown": _account(UNKNOWN),
        "a condition that is unknown": _pool(attributeCondition=UNKNOWN),
    },
)
