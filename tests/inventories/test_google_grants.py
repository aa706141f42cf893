"""Every grant and custom role of the program on Google Cloud names roles and permissions that Google has."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi_gcp import bigquery, projects, storage

from tests.components.recording import record
from tests.inventories import variants
from tests.inventories.google_grants import CUSTOM_ROLE, errors
from tests.stacks.environments import STACKS, built

READER = "serviceAccount:reader@acme-dev-0123.iam.gserviceaccount.com"


def test_no_grant_of_the_program_contradicts_googles_roles() -> None:
    seen: dict[str, str] = {}
    roles = grants = 0
    recordings = [(stack, built(stack).recording) for stack in STACKS if stack.startswith("gcp-")]
    for name, recording in [*recordings, *((n, variants.recorded(n)) for n in variants.NAMES if "/gcp" in n)]:
        roles += len(recording.all(CUSTOM_ROLE))
        grants += sum("role" in resource.inputs for resource in recording.resources)
        for error in errors(recording):
            seen.setdefault(error, name)
    assert roles > 5, "does this test still find the custom roles?"
    assert grants > 200, "does this test still find the grants?"
    assert not seen, "\n".join(f"{name}: {error}" for error, name in seen.items())


def bucket_grant(**change: Any) -> list[str]:
    inputs: dict[str, Any] = {
        "bucket": "raw",
        "member": READER,
        "role": "roles/storage.objectViewer",
        **change,
    }
    problems = errors(record(lambda: storage.BucketIAMMember("grant", **inputs)))
    return [error.removeprefix("gcp:storage/bucketIAMMember:BucketIAMMember grant: ") for error in problems]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"role": "roles/storage.objectViewr"}, "no such predefined role; did you mean roles/storage.object"),
        ({"role": "roles/editor"}, "a basic role"),
        ({"role": "roles/pubsub.publisher"}, "has no permission on what it is granted on, expected one"),
        ({"role": "projects/acme/roles/unknown"}, "expected roles/<name> or a custom role of this program"),
        ({"member": "reader@acme.example"}, "expected <kind>:<address>"),
        ({"condition": {"expression": 'resource.nam == "x"', "title": "t"}}, "nam: no such attribute"),
        ({"condition": {"expression": 'resource.name == "x"', "title": ""}}, "condition.title: missing"),
    ],
)
def test_a_grant_that_google_would_refuse_or_ignore_is_reported(change: dict[str, Any], problem: str) -> None:
    assert not bucket_grant(), "the grant is valid before the change"
    reported = "\n".join(bucket_grant(**change))
    assert problem in reported, reported


def test_a_role_for_jobs_has_no_effect_on_a_dataset() -> None:
    def program() -> None:
        bigquery.DatasetIamMember("grant", dataset_id="raw", member=READER, role="roles/bigquery.jobUser")

    assert "has no permission on what it is granted on" in next(errors(record(program)))


def test_a_custom_role_has_permissions_that_exist_and_may_be_granted() -> None:
    def program() -> None:
        permissions = ["bigquery.jobs.create", "bigquery.tables.getdata"]
        role = projects.IAMCustomRole("role", role_id="reader-1", title="Reader", permissions=permissions)
        projects.IAMMember("grant", project="acme", member=READER, role=role.name)

    assert list(errors(record(program))) == [
        f"{CUSTOM_ROLE} role: permissions: bigquery.tables.getdata: no predefined role has this permission; "
        "did you mean bigquery.tables.getData?",
        f"{CUSTOM_ROLE} role: roleId: got 'reader-1', expected 3 to 64 letters, digits, _ and .",
    ]
