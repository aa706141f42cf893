"""What Google Cloud does not offer is told before anything is made."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any

import pytest

from stacks import foundation
from stacks.loading import SettingsError
from stacks.offerings.gcp_regions import REGIONS
from stacks.settings import CapacityEntry, Settings
from tests.components.aiplatform.pools import machine_types
from tests.components.cloud_answers import RefusedError
from tests.components.recording import record
from tests.stacks.environments import STACKS, settings_of

Answers = Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]]
TYPES = "gcp:compute/getMachineTypes:getMachineTypes"
ZONES = "gcp:compute/getZones:getZones"
ASKED_REGIONS = "gcp:compute/getRegions:getRegions"
SERVICE = "gcp:projects/getProjectService:getProjectService"
CLUSTER = "gcp:container/getCluster:getCluster"
ALL = tuple(f"us-central1-{letter}" for letter in "abcf")


def _offering(**zones_of: tuple[str, ...]) -> Answers:
    """Compute Engine offers these machine types in these zones, and all others in every zone."""
    asked = machine_types(**zones_of)[TYPES]

    def answer(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        # The helper knows the zones of another region: a type that is not limited is everywhere.
        told = asked(arguments)
        names = arguments["filter"].split('"')[1].split("|")
        limited = {name.replace("_", "-"): zones for name, zones in zones_of.items()}
        there = [{"name": name} for name in names if arguments["zone"] in limited.get(name, ALL)]
        return {**told, "machineTypes": there}

    return {TYPES: answer}


def _refused(settings: Settings, answers: Answers) -> tuple[list[str], list[str]]:
    """The problems of the environment, and all that was registered."""

    def program() -> list[str]:
        with pytest.raises(SettingsError) as error:
            foundation.build(settings)
        return list(error.value.problems)

    recorded = record(program, answers=answers, stack="gcp-prod")
    return recorded.result, recorded.names()


def test_machines_that_no_zone_offers_are_all_told_with_nothing_but_the_provider_registered() -> None:
    answers = _offering(n2_standard_8=(), a3_highgpu_8g=("us-central1-f",), g2_standard_4=())
    problems, registered = _refused(settings_of("gcp-prod"), answers)
    assert registered == ["pulumi:providers:gcp gcp"], "no network is left behind"
    places = [problem.partition(": got")[0].partition(": no zone")[0] for problem in problems]
    assert [place.partition(": ")[2] for place in places] == [
        "ai-platform:node_pools.general.instance_types",
        "ai-platform:gpu_pools.serving.accelerator",
        "ai-platform:gpu_pools.training.accelerator",
    ]
    assert all(place.startswith("line ") for place in places), "each where it stands in the file"


def test_a_zone_that_the_region_has_not_is_told() -> None:
    settings = settings_of("gcp-dev")
    network = settings.network.model_copy(
        update={"zone_ids": ["us-central1-a", "us-central1-q"], "zone_count": None}
    )
    problems, registered = _refused(settings.model_copy(update={"network": network}), {})
    assert registered == ["pulumi:providers:gcp gcp"]
    assert len(problems) == 1
    assert (
        "network.zone_ids[1]: got 'us-central1-q', which us-central1 has not; it has us-central1-a"
        in problems[0]
    )


def test_a_pool_that_asks_for_gpudirect_of_a_cluster_made_without_it_is_refused() -> None:
    settings = settings_of("gcp-prod")
    there = {CLUSTER: lambda asked: {"id": "x", **asked, "enableMultiNetworking": False}}
    problems, registered = _refused(settings, there)
    assert registered == ["pulumi:providers:gcp gcp"], "the engine would have replaced the cluster"
    assert len(problems) == 1
    assert "ai-platform:gpu_pools.training.accelerator: got 'h100'" in problems[0]
    assert "made without it, which is for good: say gpudirect: false" in problems[0]


def test_of_a_new_project_nothing_is_told_as_its_apis_are_off() -> None:
    def off(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise RefusedError("Error 403: Compute Engine API has not been used in project 1 before")

    settings = settings_of("gcp-dev")
    recorded = record(lambda: foundation.build(settings), answers={ZONES: off}, stack="gcp-dev")
    assert recorded.one("gcp:container/cluster:Cluster"), "the program switches the APIs on itself"


@pytest.mark.parametrize("api", ["Service Usage API", "Cloud Resource Manager API"])
def test_a_project_that_can_switch_on_no_api_is_told_with_the_command_that_does(api: str) -> None:
    def off(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise RefusedError(f"Error 403: {api} has not been used in project 1 before or it is disabled")

    problems, registered = _refused(settings_of("gcp-dev"), {SERVICE: off})
    assert registered == ["pulumi:providers:gcp gcp"], "the program would stop in the middle of its first up"
    assert len(problems) == 1
    assert "ai-platform:environment.project_id: got 'acme-ml-dev', in which serviceusage" in problems[0]
    command = "gcloud services enable serviceusage.googleapis.com cloudresourcemanager.googleapis.com"
    assert f"`{command} --project acme-ml-dev`" in problems[0]


def test_another_refusal_is_not_taken_for_an_api_that_is_off() -> None:
    def forbidden(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise RefusedError("Error 403: Required 'compute.zones.list' permission for 'projects/acme-ml-dev'")

    problems, registered = _refused(settings_of("gcp-dev"), {ZONES: forbidden, ASKED_REGIONS: forbidden})
    assert registered == ["pulumi:providers:gcp gcp"]
    assert len(problems) == 1
    assert (
        "ai-platform:environment.project_id: got 'acme-ml-dev', of which Compute Engine tells" in problems[0]
    )
    assert "Required 'compute.zones.list' permission" in problems[0], "in Google's own words"


def test_a_region_that_google_has_not_is_told_with_the_nearest() -> None:
    def unknown(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise RefusedError("Error 404: The resource 'projects/p/regions/us-central9' was not found, notFound")

    def regions(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"id": "x", "project": asked["project"], "names": ["europe-west4", "us-central1"]}

    def none_up(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"id": "x", "names": [], **asked}

    for zones in (unknown, none_up):
        settings = settings_of("gcp-dev", region="us-central9")
        problems, registered = _refused(settings, {ZONES: zones, ASKED_REGIONS: regions})
        assert registered == ["pulumi:providers:gcp gcp"]
        assert len(problems) == 1
        assert "environment.region: got 'us-central9', which Google Cloud has not" in problems[0]
        assert "did you mean 'us-central1'?" in problems[0]


def test_system_nodes_need_their_machine_in_every_zone_that_they_stand_in() -> None:
    problems, registered = _refused(settings_of("gcp-prod"), _offering(n2_standard_4=("us-central1-a",)))
    assert registered == ["pulumi:providers:gcp gcp"]
    assert len(problems) == 1
    assert "cluster.system_nodes.instance_types[0]: got 'n2-standard-4'" in problems[0]
    assert "which us-central1-b and us-central1-c of the network do not offer" in problems[0]


@pytest.mark.parametrize("stack", [each for each in STACKS if each.startswith("gcp-")])
def test_compute_engine_is_asked_before_the_first_component(stack: str) -> None:
    settings = settings_of(stack)
    recorded = record(lambda: foundation.build(settings), stack=stack)
    assert [call.token for call in recorded.calls[:3]] == [SERVICE, ZONES, TYPES], "asked before all else"
    assert recorded.calls[2].provider.startswith(recorded.one("pulumi:providers:gcp").urn)


@pytest.mark.parametrize(
    ("stack", "stands", "key", "told"),
    [
        (
            "gcp-dev",
            "us-central1",
            "cluster.gke.control_plane",
            "got 'zonal', but acme-dev-cluster was made regional",
        ),
        (
            "gcp-prod",
            "us-central1-a",
            "cluster.gke.control_plane",
            "was made zonal, in us-central1-a, which is for",
        ),
        (
            "gcp-dev",
            "us-central1-c",
            "network.zone_ids",
            "stands in us-central1-c for good: let it be the first",
        ),
    ],
)
def test_a_cluster_that_would_have_to_move_is_not_replaced(
    stack: str, stands: str, key: str, told: str
) -> None:
    def there(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        if asked["location"] != stands:
            raise RefusedError(f"clusters/{asked['name']} not found")
        return {"id": "x", **asked}

    problems, registered = _refused(settings_of(stack), {CLUSTER: there})
    assert registered == ["pulumi:providers:gcp gcp"]
    assert len(problems) == 1
    assert f"ai-platform:{key}: " in problems[0]
    assert told in problems[0]
    assert "a new environment.name" in problems[0], "the way for whoever means it"


def test_a_reservation_that_is_not_there_is_told() -> None:
    settings = settings_of("gcp-dev")
    entry = CapacityEntry.model_validate(
        {"type": "reserved", "reservation_id": "gone", "zone": "us-central1-a"}
    )
    pool = settings.gpu_pools["t4"].model_copy(update={"capacity": [entry]})
    settings = settings.model_copy(update={"gpu_pools": {"t4": pool}})

    def missing(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        raise RefusedError(f"Error 404: The resource '{asked['name']}' was not found, notFound")

    problems, _ = _refused(settings, {"gcp:compute/getReservation:getReservation": missing})
    assert len(problems) == 1
    assert "gpu_pools.t4.capacity[0].reservation_id: got 'gone', which acme-ml-dev has not in" in problems[0]


def test_the_regions_that_are_known_are_those_of_googles_own_documents() -> None:
    document = resources.files("googleapiclient.discovery_cache.documents") / "osconfig.v1.json"
    told = {each["location"] for each in json.loads(document.read_text())["endpoints"]}
    assert {place for place in told if place[-1].isdigit()} <= set(REGIONS), "a new region: add it"


def test_a_region_that_nobody_knows_is_told_in_a_new_project_too() -> None:
    def off(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise RefusedError("Error 403: Compute Engine API has not been used in project 1 before")

    problems, registered = _refused(settings_of("gcp-dev", region="us-central9"), {ZONES: off})
    assert registered == ["pulumi:providers:gcp gcp"]
    assert len(problems) == 1
    assert "environment.region: got 'us-central9', which is no region that this program knows" in problems[0]
    assert "did you mean 'us-central" in problems[0]
