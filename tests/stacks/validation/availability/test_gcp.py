"""What Google Cloud does not offer is reported before anything is created."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any

import pulumi
import pytest

from stacks import foundation
from stacks.loading import SettingsError
from stacks.settings import CapacityEntry, Settings
from stacks.validation.availability.gcp_regions import REGIONS
from tests.components.aiplatform.pools import machine_types
from tests.components.cloud_answers import RefusedError
from tests.components.recording import record
from tests.stacks.environments import STACKS, problems_before_components, settings_of

Answers = Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]]
TYPES = "gcp:compute/getMachineTypes:getMachineTypes"
ZONES = "gcp:compute/getZones:getZones"
ASKED_REGIONS = "gcp:compute/getRegions:getRegions"
SERVICE = "gcp:projects/getProjectService:getProjectService"
CLUSTER = "gcp:container/getCluster:getCluster"
ALL = tuple(f"us-central1-{letter}" for letter in "abcf")


def _offering(**zones_of: tuple[str, ...]) -> Answers:
    """Compute Engine offers these machine types in these zones, and all others in every zone."""
    answer_of_one_region = machine_types(**zones_of)[TYPES]

    def answer(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        # The helper knows the zones of another region: a type that is not limited is everywhere.
        result = answer_of_one_region(arguments)
        names = arguments["filter"].split('"')[1].split("|")
        limited = {name.replace("_", "-"): zones for name, zones in zones_of.items()}
        offered = [{"name": name} for name in names if arguments["zone"] in limited.get(name, ALL)]
        return {**result, "machineTypes": offered}

    return {TYPES: answer}


def _refused(settings: Settings, answers: Answers) -> tuple[list[str], list[str]]:
    """The problems of the environment, and all that was registered."""

    def program() -> list[str]:
        with pytest.raises(SettingsError) as error:
            foundation.build(settings)
        return list(error.value.problems)

    recorded = record(program, answers=answers, stack="gcp-prod")
    return recorded.result, recorded.names()


def test_machines_that_no_zone_offers_are_all_reported_with_nothing_but_the_provider_registered() -> None:
    answers = _offering(n2_standard_8=(), a3_highgpu_8g=("us-central1-f",), g2_standard_4=())
    problems, registered = _refused(settings_of("gcp-prod"), answers)
    assert registered == ["pulumi:providers:gcp gcp"], "no network is left behind"
    places = [problem.partition(": got")[0].partition(": no zone")[0] for problem in problems]
    assert [place.split(": ")[1] for place in places] == [
        "node_pools.general.instance_types",
        "gpu_pools.serving.accelerator",
        "gpu_pools.training.accelerator",
    ]
    assert all(re.match(r"environments/Pulumi\.\S+\.yaml:\d+: ", place) for place in places), (
        "each with its line"
    )


def test_zone_that_the_region_does_not_have_is_reported() -> None:
    settings = settings_of("gcp-dev")
    network = settings.network.model_copy(
        update={"zone_ids": ["us-central1-a", "us-central1-q"], "zone_count": None}
    )
    problems, registered = _refused(settings.model_copy(update={"network": network}), {})
    assert registered == ["pulumi:providers:gcp gcp"]
    assert len(problems) == 1
    assert "network.zone_ids[1]: got 'us-central1-q', which us-central1 does not have" in problems[0]
    assert "; expected one of us-central1-a, us-central1-b, " in problems[0]


def test_gpudirect_in_a_cluster_that_was_created_without_multi_networking_is_refused() -> None:
    settings = settings_of("gcp-prod")
    existing = {CLUSTER: lambda arguments: {"id": "x", **arguments, "enableMultiNetworking": False}}
    problems, registered = _refused(settings, existing)
    assert registered == ["pulumi:providers:gcp gcp"], "the engine would have replaced the cluster"
    assert len(problems) == 1
    assert "gpu_pools.training.accelerator: got 'h100'" in problems[0]
    assert "created without it; expected gpudirect: false" in problems[0]


def test_new_project_is_not_checked_while_its_apis_are_off_and_a_warning_lists_what_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warnings.append)

    def off(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise RefusedError("Error 403: Compute Engine API has not been used in project 1 before")

    settings = settings_of("gcp-dev")
    recorded = record(lambda: foundation.build(settings), answers={ZONES: off}, stack="gcp-dev")
    assert recorded.one("gcp:container/cluster:Cluster"), "the program switches the APIs on itself"
    [warning] = warnings
    assert "the zones us-central1-a, us-central1-b, the machine types e2-standard-2, e2-standard-4" in warning
    assert "`gcloud services enable compute.googleapis.com --project acme-ml-dev`" in warning


@pytest.mark.parametrize("api", ["Service Usage API", "Cloud Resource Manager API"])
def test_project_that_can_switch_on_no_api_is_reported_with_the_command_that_does(api: str) -> None:
    def off(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise RefusedError(f"Error 403: {api} has not been used in project 1 before or it is disabled")

    problems, registered = _refused(settings_of("gcp-dev"), {SERVICE: off})
    assert registered == ["pulumi:providers:gcp gcp"], "the program would stop in the middle of its first up"
    assert len(problems) == 1
    assert "environment.project_id: got 'acme-ml-dev', in which serviceusage" in problems[0]
    command = "gcloud services enable serviceusage.googleapis.com cloudresourcemanager.googleapis.com"
    assert f"`{command} --project acme-ml-dev`" in problems[0]


def test_another_refusal_is_not_taken_for_an_api_that_is_off() -> None:
    def forbidden(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise RefusedError("Error 403: Required 'compute.zones.list' permission for 'projects/acme-ml-dev'")

    problems, registered = _refused(settings_of("gcp-dev"), {ZONES: forbidden, ASKED_REGIONS: forbidden})
    assert registered == ["pulumi:providers:gcp gcp"]
    assert len(problems) == 1
    assert (
        "environment.project_id: got 'acme-ml-dev', whose zones Compute Engine does not list" in problems[0]
    )
    assert "Required 'compute.zones.list' permission" in problems[0], "in Google's own words"


def test_throttled_calls_are_reported_as_such_and_not_as_an_error_of_the_file() -> None:
    def throttled(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise RefusedError(
            "googleapi: Error 429: Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' "
            "of service 'compute.googleapis.com', rateLimitExceeded"
        )

    def forbidden(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise RefusedError("Error 404: The resource 'projects/p/regions/us-central9' was not found, notFound")

    for zones in (throttled, forbidden):

        def program() -> str:
            with pytest.raises(pulumi.RunError) as error:
                foundation.build(settings_of("gcp-dev"))
            return str(error.value)

        message = record(program, answers={ZONES: zones, ASKED_REGIONS: throttled}, stack="gcp-dev").result
        assert "too many calls were made" in message
        assert "Queries per minute" in message, "in Google's own words"
        assert "run the same command again" in message
        assert "environment.project_id" not in message


def test_unknown_region_is_reported_with_the_nearest() -> None:
    def unknown(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise RefusedError("Error 404: The resource 'projects/p/regions/us-central9' was not found, notFound")

    def regions(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"id": "x", "project": arguments["project"], "names": ["europe-west4", "us-central1"]}

    def none_up(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"id": "x", "names": [], **arguments}

    for zones in (unknown, none_up):
        settings = settings_of("gcp-dev", region="us-central9")
        problems, registered = _refused(settings, {ZONES: zones, ASKED_REGIONS: regions})
        assert registered == ["pulumi:providers:gcp gcp"]
        assert len(problems) == 1
        assert "environment.region: got 'us-central9', an unknown region; did you mean" in problems[0]
        assert "did you mean 'us-central1'?" in problems[0]


def test_system_nodes_need_their_machine_in_every_zone_of_their_node_pool() -> None:
    problems, registered = _refused(settings_of("gcp-prod"), _offering(n2_standard_4=("us-central1-a",)))
    assert registered == ["pulumi:providers:gcp gcp"]
    assert len(problems) == 1
    assert "cluster.system_nodes.instance_types[0]: got 'n2-standard-4'" in problems[0]
    assert "which us-central1-b and us-central1-c of the network do not offer" in problems[0]


@pytest.mark.parametrize("stack", [stack for stack in STACKS if stack.startswith("gcp-")])
def test_compute_engine_is_asked_before_the_first_component(stack: str) -> None:
    settings = settings_of(stack)
    recorded = record(lambda: problems_before_components(settings), stack=stack)
    assert not recorded.result
    assert [call.token for call in recorded.calls[:3]] == [SERVICE, ZONES, TYPES], "before all else"
    assert recorded.calls[2].provider.startswith(recorded.one("pulumi:providers:gcp").urn)


@pytest.mark.parametrize(
    ("stack", "location", "key", "reason"),
    [
        (
            "gcp-dev",
            "us-central1",
            "cluster.gke.control_plane",
            "got 'zonal', but acme-dev-cluster was created regional",
        ),
        (
            "gcp-prod",
            "us-central1-a",
            "cluster.gke.control_plane",
            "was created zonal, in us-central1-a; expected 'zonal'",
        ),
        (
            "gcp-dev",
            "us-central1-c",
            "network.zone_ids",
            "is in us-central1-c; expected us-central1-c first",
        ),
    ],
)
def test_a_cluster_that_would_have_to_move_is_not_replaced(
    stack: str, location: str, key: str, reason: str
) -> None:
    def existing(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        if arguments["location"] != location:
            raise RefusedError(f"clusters/{arguments['name']} not found")
        return {"id": "x", **arguments}

    problems, registered = _refused(settings_of(stack), {CLUSTER: existing})
    assert registered == ["pulumi:providers:gcp gcp"]
    assert len(problems) == 1
    assert f": {key}: " in problems[0]
    assert reason in problems[0]
    assert "a new environment.name" in problems[0], "how to create another cluster"


def test_missing_reservation_is_reported() -> None:
    settings = settings_of("gcp-dev")
    entry = CapacityEntry.model_validate(
        {"type": "reserved", "reservation_id": "gone", "zone": "us-central1-a"}
    )
    pool = settings.gpu_pools["t4"].model_copy(update={"capacity": [entry]})
    settings = settings.model_copy(update={"gpu_pools": {"t4": pool}})

    def missing(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        raise RefusedError(f"Error 404: The resource '{arguments['name']}' was not found, notFound")

    problems, _ = _refused(settings, {"gcp:compute/getReservation:getReservation": missing})
    assert len(problems) == 1
    assert (
        "gpu_pools.t4.capacity[0].reservation_id: got 'gone', which acme-ml-dev does not have in"
        in problems[0]
    )


def test_known_regions_are_those_of_googles_discovery_document() -> None:
    document = resources.files("googleapiclient.discovery_cache.documents") / "osconfig.v1.json"
    locations = {entry["location"] for entry in json.loads(document.read_text())["endpoints"]}
    assert {location for location in locations if location[-1].isdigit()} <= set(REGIONS), (
        "a new region: add it"
    )


def test_unknown_region_is_reported_in_a_new_project_too() -> None:
    def off(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise RefusedError("Error 403: Compute Engine API has not been used in project 1 before")

    problems, registered = _refused(settings_of("gcp-dev", region="us-central9"), {ZONES: off})
    assert registered == ["pulumi:providers:gcp gcp"]
    assert len(problems) == 1
    assert "environment.region: got 'us-central9', an unknown region (if it is new" in problems[0]
    assert "did you mean 'us-central" in problems[0]
