"""Rules for Google Cloud's projects and places."""

import pytest

from aiplatform._shared.gcp.names import PROJECT, REGION, first_zones, is_zone, zones_of


@pytest.mark.parametrize("project", ["acme-dev-0123", "abcdef", "a" * 30])
def test_a_project_id_is_accepted(project: str):
    assert PROJECT(project) is None


@pytest.mark.parametrize(
    "project", ["acme", "Acme-dev", "1acme-dev", "acme-dev-", "a" * 31, "123456789012", ""]
)
def test_an_invalid_project_id_is_refused(project: str):
    assert "a project's id" in str(PROJECT(project))


@pytest.mark.parametrize(
    ("region", "taken"), [("europe-west4", True), ("us-west-2", False), ("us-central1-a", False)]
)
def test_zones_and_regions_of_aws_are_no_regions(region: str, taken: bool):
    assert (REGION(region) is None) is taken


def test_zones_belong_to_their_region():
    rule = zones_of("us-south1")
    assert rule("us-south1-a") is None
    assert rule("us-south1-ai1b") is None, "a zone for accelerators"
    for wrong in ("us-central1-a", "us-south1", "us-south1-", "us-south1-A"):
        assert rule(wrong) == "expected a zone of us-south1 such as us-south1-a"


def test_the_first_zones_of_a_region_exist():
    assert first_zones("europe-west4", 3) == ["europe-west4-a", "europe-west4-b", "europe-west4-c"]
    assert first_zones("us-east1", 2) == ["us-east1-b", "us-east1-c"], "it has no a"
    assert all(is_zone(zone) for zone in first_zones("us-central1", 4))
    assert not is_zone("us-central1")
