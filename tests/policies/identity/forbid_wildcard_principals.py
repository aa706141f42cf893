"""Spec of identity.forbid_wildcard_principals."""

from __future__ import annotations

import json
from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Spec, resource


def _bucket(principal: Any, **more: Any) -> Any:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": "*", **more}
    return resource("aws:s3/bucketPolicy:BucketPolicy", {"policy": json.dumps({"Statement": [statement]})})


def _when(operator: str, key: str, value: Any) -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


_BINDING = "gcp:storage/bucketIAMBinding:BucketIAMBinding"

SPEC = Spec(
    passes={
        "a role": _bucket({"AWS": "arn:aws:iam::111122223333:role/reader"}),
        "everyone of an organization": _bucket("*", **_when("StringEquals", "aws:PrincipalOrgID", "o-1")),
        "what a bucket of one name sends": _bucket(
            "*", **_when("ArnLike", "aws:SourceArn", "arn:aws:s3:*:*:acme-uploads")
        ),
        "any value of a key with several": _bucket(
            "*", **_when("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-1/*")
        ),
        "roles of one account": _bucket(
            "*", **_when("ArnLike", "aws:PrincipalArn", "arn:aws:iam::111122223333:role/ml-*")
        ),
        "everyone is denied": _bucket("*", Effect="Deny", **_when("Bool", "aws:SecureTransport", "false")),
        "a group on Google Cloud": resource(
            "gcp:storage/bucketIAMMember:BucketIAMMember",
            {"role": "roles/storage.objectViewer", "member": "group:data@acme.example"},
        ),
        "a function whose caller signs": resource(
            "aws:lambda/permission:Permission", {"principal": "*", "principalOrgId": "o-1"}
        ),
    },
    fails={
        "everyone may read a bucket": Fails(_bucket("*"), "policy.Statement[0].Principal", "'*'"),
        "everyone by another spelling": Fails(
            _bucket({"AWS": ["arn:aws:iam::111122223333:root", "*"]}), "policy.Statement[0].Principal.AWS[1]"
        ),
        "everyone next to a role that does not exist yet": Fails(
            resource(
                "aws:s3/bucketPolicy:BucketPolicy",
                {
                    "policy": {
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Principal": {"AWS": [UNKNOWN, "*"]},
                                "Action": "s3:GetObject",
                                "Resource": [UNKNOWN],
                            }
                        ]
                    }
                },
            ),
            "policy.Statement[0].Principal.AWS[1]",
        ),
        "a condition that holds where its key is missing": Fails(
            _bucket("*", **_when("StringEqualsIfExists", "aws:PrincipalOrgID", "o-1")),
            "policy.Statement[0].Principal",
            "'StringEqualsIfExists aws:PrincipalOrgID' does not limit it",
        ),
        "all values of a key that is missing": Fails(
            _bucket("*", **_when("ForAllValues:StringLike", "aws:PrincipalOrgPaths", "o-1/*")),
            "policy.Statement[0].Principal",
        ),
        "every principal that tags his own role so": Fails(
            _bucket("*", **_when("StringEquals", "aws:PrincipalTag/team", "ml")),
            "policy.Statement[0].Principal",
        ),
        "every principal that calls a role declared explicitly so": Fails(
            _bucket("*", **_when("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/reader")),
            "policy.Statement[0].Principal",
        ),
        "a condition that holds for the whole internet": Fails(
            _bucket("*", **_when("IpAddress", "aws:SourceIp", "0.0.0.0/0")), "policy.Statement[0].Principal"
        ),
        "a role that everyone may become": Fails(
            resource(
                "aws:iam/role:Role",
                {
                    "assumeRolePolicy": json.dumps(
                        {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}}
                    )
                },
            ),
            "assumeRolePolicy.Statement.Principal",
        ),
        "a function that everyone may call": Fails(
            resource("aws:lambda/permission:Permission", {"principal": "*", "functionUrlAuthType": "NONE"}),
            "principal",
        ),
        "all users": Fails(
            resource(_BINDING, {"role": "roles/storage.objectViewer", "members": ["allUsers"]}),
            "members[0]",
            "'allUsers'",
        ),
        "an image of machines for every Google account": Fails(
            resource(
                "gcp:compute/imageIamMember:ImageIamMember",
                {"image": "gpu", "role": "roles/compute.imageUser", "member": "allAuthenticatedUsers"},
            ),
            "member",
            "'allAuthenticatedUsers'",
        ),
        "all users in a bucket's whole policy": Fails(
            resource(
                "gcp:storage/bucketIAMPolicy:BucketIAMPolicy",
                {
                    "policyData": json.dumps(
                        {"bindings": [{"role": "roles/storage.objectViewer", "members": ["allUsers"]}]}
                    )
                },
            ),
            "policyData.bindings[0].members[0]",
            "'roles/storage.objectViewer' to 'allUsers'",
        ),
        "a search domain with a separate policy": Fails(
            resource(
                "aws:opensearch/domainPolicy:DomainPolicy",
                {
                    "accessPolicies": json.dumps(
                        {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "es:ESHttpGet"}}
                    )
                },
            ),
            "accessPolicies.Statement.Principal",
        ),
        "a dataset of all who have a Google account": Fails(
            resource(
                "gcp:bigquery/dataset:Dataset",
                {"accesses": [{"role": "READER", "specialGroup": "allAuthenticatedUsers"}]},
            ),
            "accesses[0].specialGroup",
        ),
    },
    unknown={
        "a policy of a bucket that does not exist yet": resource(
            "aws:s3/bucketPolicy:BucketPolicy", {"policy": UNKNOWN}
        ),
        "who reads a dataset": resource(
            "gcp:bigquery/dataset:Dataset", {"accesses": [{"role": "READER", "iamMember": UNKNOWN}]}
        ),
        "principals that a dataset allows": resource(
            "gcp:bigquery/datasetAccess:DatasetAccess", {"specialGroup": UNKNOWN}
        ),
        "who calls a function": resource("aws:lambda/permission:Permission", {"principal": UNKNOWN}),
        "a whole policy that is unknown": resource(
            "gcp:storage/bucketIAMPolicy:BucketIAMPolicy", {"policyData": UNKNOWN}
        ),
        "a service account that does not exist yet": resource(
            _BINDING, {"role": "roles/storage.objectViewer", "members": ["group:a@acme.example", UNKNOWN]}
        ),
    },
)
