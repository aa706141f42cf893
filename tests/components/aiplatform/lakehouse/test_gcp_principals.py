"""The principals of grants on Google Cloud: a member resource is named by principal and role, as deleting one
removes the principal from the role whichever resource put it there."""

from __future__ import annotations

from functools import cache
from typing import Any

from aiplatform.workload_identity.gcp import email
from tests.components.aiplatform.lakehouse.google import (
    ANALYSTS,
    BY_TABLE,
    BY_ZONES,
    EVENTS,
    ORDERS,
    PIPELINE,
    SUPPORT,
    lakehouse,
    logical,
)
from tests.components.recording import Recording

LOADERS = "group:loaders@acme.example"
ON_STREAM: dict[str, Any] = {
    "name": "events",
    "principal": SUPPORT,
    "actions": ["read", "write"],
    "tables": ["raw.events"],
    "classifications": ["public", "internal", "pii"],
}
GRANTS = [BY_ZONES, BY_TABLE, ON_STREAM]


def _lakehouse(**overrides: Any) -> Recording:
    return lakehouse(
        **{
            "tables": [ORDERS, EVENTS],
            "streams": [{"name": "clicks", "table": "raw.events"}],
            "grants": GRANTS,
            "writers": [PIPELINE, LOADERS],
            **overrides,
        }
    )


@cache
def _default() -> Recording:
    return _lakehouse()


def _members(recorded: Recording) -> dict[str, dict[str, Any]]:
    """Inputs of all members by type and name."""
    return {
        f"{resource.type} {resource.name}": resource.inputs
        for resource in recorded.resources
        if "member" in resource.inputs
    }


def test_another_order_of_grants_and_writers_changes_no_member() -> None:
    after = _lakehouse(grants=GRANTS[::-1], writers=[LOADERS, PIPELINE])
    assert _members(_default()) == _members(after)


def test_another_name_of_a_grant_changes_no_member() -> None:
    renamed = [{**grant, "name": f"{grant['name']}-team"} for grant in GRANTS]
    assert _members(_default()) == _members(_lakehouse(grants=renamed))


def test_removing_the_first_writer_deletes_only_its_members() -> None:
    before, after = _members(_default()), _members(_lakehouse(writers=[LOADERS]))
    deleted = {name for name in before if name not in after}
    assert deleted
    assert {before[name]["member"] for name in deleted} == {PIPELINE}
    assert all(before[name] == inputs for name, inputs in after.items())


def test_removing_the_first_grant_deletes_only_its_members() -> None:
    before, after = _members(_default()), _members(_lakehouse(grants=GRANTS[1:]))
    deleted = {name for name in before if name not in after}
    assert {before[name]["member"] for name in deleted} == {ANALYSTS}
    assert all(before[name] == inputs for name, inputs in after.items())


def test_a_grantee_of_a_stream_that_becomes_a_writer_keeps_its_member() -> None:
    before = _members(_default())
    after = _members(_lakehouse(grants=GRANTS[:2], writers=[PIPELINE, LOADERS, SUPPORT]))
    both = _members(_lakehouse(writers=[SUPPORT, PIPELINE, LOADERS]))
    name = f"gcp:bigquery/iamMember:IamMember lake-{logical(SUPPORT)}-raw.events-write"
    assert before[name] == after[name] == both[name]
    assert all(after[entry] == inputs for entry, inputs in before.items())


def test_each_binding_has_one_member() -> None:
    """Deleting either of two would delete the binding of both."""
    bindings = [
        (name.split()[0], *sorted((key, str(entry)) for key, entry in inputs.items()))
        for name, inputs in _members(_lakehouse(writers=[SUPPORT, PIPELINE])).items()
    ]
    assert len(bindings) == len(set(bindings))


def test_members_have_their_former_names_as_aliases_and_share_none() -> None:
    recorded = _default()
    aliases = {
        f"{resource.type} {resource.name}": [
            alias.partition("name=")[2].split()[0] for alias in resource.aliases
        ]
        for resource in recorded.resources
        if "member" in resource.inputs and resource.aliases
    }
    pipeline, loaders, support = (logical(entry) for entry in (PIPELINE, LOADERS, SUPPORT))
    row, table = "gcp:bigquery/iamMember:IamMember", "gcp:biglake/icebergTableIamMember:IcebergTableIamMember"
    catalog = "gcp:biglake/icebergCatalogIamMember:IcebergCatalogIamMember"
    expected = {
        f"{catalog} lake-writer-{pipeline}": "lake-writer-0",
        f"{catalog} lake-writer-{loaders}": "lake-writer-1",
        f"{row} lake-{pipeline}-raw.events-write": "lake-writer-0-raw.events",
        f"{row} lake-{support}-raw.events-write": "lake-grant-events-raw.events-write",
        f"{table} lake-{support}-curated.orders-read": "lake-grant-support-curated.orders-read",
        "gcp:bigquery/datasetIamMember:DatasetIamMember "
        f"lake-writer-{loaders}-serving": "lake-writer-1-serving",
        f"gcp:pubsub/topicIAMMember:TopicIAMMember lake-stream-clicks-{loaders}-publisher": (
            "lake-stream-clicks-1-publisher"
        ),
        "gcp:storage/managedFolderIamMember:ManagedFolderIamMember "
        f"lake-raw-files-{pipeline}": "lake-raw-files-0",
        f"gcp:projects/iAMMember:IAMMember lake-asks-{loaders}": "lake-asks-loaders@acme.example",
    }
    assert {name: aliases.get(name) for name in expected} == {name: [was] for name, was in expected.items()}
    former = [(name.split()[0], entry) for name, named in aliases.items() for entry in named]
    assert len(former) == len(set(former))
    assert not set(former) & {(resource.type, resource.name) for resource in recorded.resources}


def test_the_address_of_a_workload_identity_is_known_before_it_exists() -> None:
    assert email("web", "acme-dev") == "web@acme-dev.iam.gserviceaccount.com"
    assert email("web", "example.com:acme") == "web@acme.example.com.iam.gserviceaccount.com"
