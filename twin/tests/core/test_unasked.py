"""What the cloud has and the program does not ask for."""

from __future__ import annotations

from twin.gcp.resources.table import table

DATASET = table()["gcp:bigquery/dataset:Dataset"]
OWNERS = {"role": "OWNER", "specialGroup": "projectOwners"}
VIEWS = {"dataset": {"dataset": {"projectId": "acme", "datasetId": "views"}, "targetTypes": ["VIEWS"]}}


def test_a_set_in_another_order_has_nothing_more() -> None:
    assert list(DATASET.unasked({"accesses": [VIEWS, OWNERS]}, {"accesses": [OWNERS, VIEWS]})) == []


def test_a_field_of_a_member_of_a_set_that_was_not_asked_for_is_found() -> None:
    more = {**VIEWS, "domain": "acme.example"}
    paths = list(DATASET.unasked({"accesses": [more, OWNERS]}, {"accesses": [OWNERS, VIEWS]}))
    assert paths == [("accesses", 0, "domain")]
