"""References to what does not exist yet: what the file states is checked, everything else is skipped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aiplatform._shared.args import UNKNOWN
from stacks.loading import SettingsError, load_file
from stacks.validation import placeholders
from tests.stacks.environments import STACKS, settings_of
from tests.stacks.files import changed
from tests.stacks.test_google_files import changed as google
from tests.stacks.test_google_files import problems

RESERVED = {"type": "reserved", "reservation_id": "cr-0123456789abcdef0"}


def _zone_ids(stack: str, **network: Any) -> list[str]:
    settings = settings_of(stack)
    settings = settings.model_copy(update={"network": settings.network.model_copy(update=network)})
    return _ids(placeholders.of(settings))


def _ids(references: placeholders.Placeholders) -> list[str]:
    zones = references.network.get("zones", [])
    assert isinstance(zones, list), "whether the zones are known decides what is validated"
    return [zone["id"] for zone in zones]


def test_zones_that_aws_chooses_are_unknown_but_for_their_number() -> None:
    assert _zone_ids("aws-dev", zone_count=2) == [UNKNOWN] * 2
    assert _zone_ids("aws-dev", zone_count=3) == [UNKNOWN] * 3
    assert _zone_ids("aws-dev", zone_ids=["usw2-az1", "usw2-az4"]) == ["usw2-az1", "usw2-az4"]


def test_zones_on_google_cloud_are_the_first_of_the_region() -> None:
    assert _zone_ids("gcp-dev", zone_count=2) == ["us-central1-a", "us-central1-b"]


def test_zones_of_the_network_replace_the_unknown_once_the_cloud_was_asked() -> None:
    references = placeholders.of(settings_of("aws-dev"), ["usw2-az3"])
    assert _ids(references) == ["usw2-az3"]


@pytest.mark.parametrize("stack", STACKS)
def test_no_id_is_invented(stack: str) -> None:
    references = placeholders.of(settings_of(stack))
    assert references.network["vpc_id"] is UNKNOWN
    assert references.cluster["name"] is UNKNOWN
    assert references.lakehouse["catalog_id"] is UNKNOWN


def test_zone_of_a_pool_is_checked_against_zones_that_the_file_names(tmp_path: Path) -> None:
    pool = {"config/ai-platform:gpu_pools/t4/zones": ["usw2-az9"]}
    assert load_file(changed(tmp_path, pool)).gpu_pools["t4"].zones == ["usw2-az9"], (
        "AWS may choose that zone"
    )
    with pytest.raises(SettingsError, match=r"gpu_pools\.t4\.zones\[0\]: got 'usw2-az9'; expected a zone id"):
        load_file(
            changed(tmp_path, {**pool, "config/ai-platform:network/zone_ids": ["usw2-az1", "usw2-az2"]})
        )


def test_reservation_needs_its_zone_although_the_zones_of_the_network_are_unknown(tmp_path: Path) -> None:
    capacity = "config/ai-platform:gpu_pools/t4/capacity"
    with pytest.raises(SettingsError, match=r"gpu_pools\.t4\.capacity\[0\]\.zone: missing"):
        load_file(changed(tmp_path, {capacity: [RESERVED]}))
    assert load_file(changed(tmp_path, {capacity: [{**RESERVED, "zone": "usw2-az1"}]}))


def test_invalid_region_is_one_problem_although_pools_name_zones(tmp_path: Path) -> None:
    change = {
        "environment/region": "us-central1-a",
        "gpu_pools/t4/zones": ["us-central1-a"],
        "node_pools/general/zones": ["us-central1-b"],
    }
    (problem,) = problems(tmp_path, change)
    assert ": environment.region: got 'us-central1-a'; expected" in problem


def test_invalid_project_is_one_problem_although_names_contain_it(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, {"environment/project_id": "Acme_ML"}, "gcp-staging")
    assert ": environment.project_id: got 'Acme_ML'; expected" in problem


def test_range_that_the_network_refuses_is_reported_once(tmp_path: Path) -> None:
    service_cidr = {"config/ai-platform:cluster/eks/service_cidr": "10.100.0.0/16"}
    with pytest.raises(SettingsError) as refused:
        load_file(changed(tmp_path, {"config/ai-platform:network/cidr": "10.0.0.0/8", **service_cidr}))
    assert [problem.split(": ")[1] for problem in refused.value.problems] == ["network.cidr"]


def test_principal_that_is_no_workload_identity_is_reported_once(tmp_path: Path) -> None:
    writers = ["first", "second"]
    with pytest.raises(SettingsError) as refused:
        load_file(google(tmp_path, {"lakehouse/writers": writers}))
    keys = [problem.split(": ")[1] for problem in refused.value.problems]
    assert keys == ["lakehouse.writers[0]", "lakehouse.writers[1]"], "components do not report them again"
