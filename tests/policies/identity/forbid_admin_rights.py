"""Spec of identity.forbid_admin_rights."""

from __future__ import annotations

import json
from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Spec, resource


def _attached(policy: Any) -> Any:
    return resource(
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment", {"role": "server", "policyArn": policy}
    )


def _document(action: str, on: str) -> Any:
    statement = {"Effect": "Allow", "Action": action, "Resource": [on]}
    return resource("aws:iam/rolePolicy:RolePolicy", {"policy": json.dumps({"Statement": [statement]})})


def _member(role: Any, member: Any, **more: Any) -> Any:
    return resource("gcp:projects/iAMMember:IAMMember", {"role": role, "member": member, **more})


_ACCOUNT = "serviceAccount:server@acme.iam.gserviceaccount.com"

SPEC = Spec(
    passes={
        "a narrow policy of AWS": _attached("arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"),
        "a policy declared explicitly, whatever it is called": _attached(
            "arn:aws:iam::111122223333:policy/ReportsFullAccess"
        ),
        "every action on one bucket, for another policy": _document("*", "arn:aws:s3:::acme"),
        "a narrow role": _member("roles/storage.objectViewer", _ACCOUNT),
        "an administrator that is a group": _member("roles/storage.admin", "group:platform@acme.example"),
        "an agent of a service": _member(
            "roles/compute.networkAdmin", "serviceAccount:service-1@gcp-sa-notebooks.iam.gserviceaccount.com"
        ),
    },
    fails={
        "the administrator": Fails(
            _attached("arn:aws:iam::aws:policy/AdministratorAccess"), "policyArn", "AdministratorAccess"
        ),
        "the same in words declared explicitly": Fails(
            _document("*", "*"), "policy.Statement[0]", "every action"
        ),
        "all of a service": Fails(
            resource(
                "aws:iam/role:Role",
                {
                    "managedPolicyArns": [
                        "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
                        "arn:aws:iam::aws:policy/AmazonS3FullAccess",
                    ]
                },
            ),
            "managedPolicyArns[1]",
            "AmazonS3FullAccess",
        ),
        "a service account that administers a project's buckets": Fails(
            _member("roles/storage.admin", _ACCOUNT), "member", "'roles/storage.admin'"
        ),
        "pods that do without a service account": Fails(
            _member(
                "roles/storage.admin",
                "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/"
                "acme.svc.id.goog/subject/ns/ml/sa/server",
            ),
            "member",
        ),
        "one in a project's whole policy": Fails(
            resource(
                "gcp:projects/iAMPolicy:IAMPolicy",
                {
                    "policyData": json.dumps(
                        {"bindings": [{"role": "roles/compute.admin", "members": ["group:a@b.c", _ACCOUNT]}]}
                    )
                },
            ),
            "policyData.bindings[0].members[1]",
        ),
        "a basic role in an organization's binding": Fails(
            resource(
                "gcp:organizations/iAMBinding:IAMBinding", {"role": "roles/owner", "members": ["group:a@b.c"]}
            ),
            "role",
        ),
        "a basic role in a whole policy": Fails(
            resource(
                "gcp:projects/iAMPolicy:IAMPolicy",
                {"policyData": json.dumps({"bindings": [{"role": "roles/editor", "members": []}]})},
            ),
            "policyData.bindings[0].role",
        ),
        "a basic role": Fails(_member("roles/editor", "user:anna@acme.example"), "role", "roles/editor"),
        "a successor of the basic roles": Fails(
            _member("roles/writer", "group:ml@acme.example"), "role", "as AdministratorAccess does"
        ),
        "one that administers networks": Fails(_member("roles/compute.networkAdmin", _ACCOUNT), "member"),
    },
    unknown={
        "a role's policies": resource("aws:iam/role:Role", {"managedPolicyArns": UNKNOWN}),
        "a policy that does not exist yet": _attached(UNKNOWN),
        "a role that is unknown": _member(UNKNOWN, _ACCOUNT),
        "an account that does not exist yet": _member("roles/storage.admin", UNKNOWN),
    },
)
