"""Spec of data.grant_data_by_name."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource


def _grant(principal: Any) -> Resource:
    return resource(
        "aws:lakeformation/permissions:Permissions",
        {
            "principal": principal,
            "permissions": ["SELECT"],
            "table": {"databaseName": "raw", "name": "trips"},
        },
    )


def _dataset(*accesses: Any) -> Resource:
    return resource("gcp:bigquery/dataset:Dataset", {"datasetId": "raw", "accesses": list(accesses)})


def _settings(principal: Any, *permissions: str) -> Resource:
    entry = {"principal": principal, "permissions": list(permissions)}
    return resource(
        "aws:lakeformation/dataLakeSettings:DataLakeSettings", {"createTableDefaultPermissions": [entry]}
    )


def _binding(*members: Any) -> Resource:
    return resource(
        "gcp:bigquery/datasetIamBinding:DatasetIamBinding",
        {"datasetId": "raw", "role": "roles/bigquery.dataViewer", "members": list(members)},
    )


SPEC = Spec(
    passes={
        "a role": _grant("arn:aws:iam::111122223333:role/analysts"),
        "no default permissions": _settings("IAM_ALLOWED_PRINCIPALS"),
        "a service account": _dataset({"role": "READER", "userByEmail": "a@acme.iam.gserviceaccount.com"}),
        "the project's owners": _dataset({"role": "OWNER", "specialGroup": "projectOwners"}),
        "a group": _binding("group:analysts@acme.example"),
    },
    fails={
        "every principal that IAM allows": Fails(
            _grant("IAM_ALLOWED_PRINCIPALS"), "principal", "IAM_ALLOWED_PRINCIPALS"
        ),
        "every principal of an account": Fails(_grant("111122223333:IAMPrincipals"), "principal"),
        "whatever is made later": Fails(
            _settings("IAM_ALLOWED_PRINCIPALS", "ALL"), "createTableDefaultPermissions[0].principal"
        ),
        "every Google account": Fails(
            _dataset({"role": "READER", "specialGroup": "allAuthenticatedUsers"}),
            "accesses[0].specialGroup",
            "everyone on the internet",
        ),
        "every reader of the project": Fails(
            resource(
                "gcp:bigquery/datasetAccess:DatasetAccess",
                {"role": "READER", "specialGroup": "projectReaders"},
            ),
            "specialGroup",
            "'projectReaders'",
        ),
        "everyone on the internet, among others": Fails(
            _binding("group:a@acme.example", "allUsers"), "members[1]"
        ),
        "the project's viewers": Fails(
            resource(
                "gcp:bigquery/iamMember:IamMember", {"tableId": "trips", "member": "projectViewer:acme-dev"}
            ),
            "member",
        ),
    },
    unknown={
        "a principal": _grant(UNKNOWN),
        "a member": _binding(UNKNOWN),
        "accesses": resource("gcp:bigquery/dataset:Dataset", {"accesses": UNKNOWN}),
        "a group in a default": _settings(UNKNOWN, "ALL"),
    },
)
