"""Rollouts, in a namespace in memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import RELEASES, ROUTE, Killed, World, stated

from model_rollout import route, templates
from model_rollout.errors import RefusedError
from model_rollout.measurement import Measured
from model_rollout.templates import Service


def test_good_release_gets_all_requests_step_by_step_and_the_old_one_is_kept(
    world: World, service: Service
) -> None:
    outcome = world.rollout(service).roll(stated())
    assert outcome.result == "promoted"
    assert world.log == [
        "blue=100",
        "create fares-green 8",
        "blue=100 green=0",
        "blue=90 green=10",
        "blue=50 green=50",
        "blue=0 green=100",
        "blue=0 green=100",
    ]
    assert world.annotation(route.STABLE) == "green"
    assert world.annotation(route.PREVIOUS) == "blue"


def test_each_step_lasts_as_long_as_stated(world: World, service: Service) -> None:
    began = world.now
    world.rollout(service).roll(stated())
    assert 3 * 600 + 60 <= world.now - began < 3 * 600 + 90


def test_old_release_is_deleted_where_it_is_not_kept(world: World, service: Service) -> None:
    world.rollout(service).roll(stated(keep="false"))
    assert world.weights() == {"green": 100}
    assert set(world.items) == {"fares-green"}
    assert world.annotation(route.PREVIOUS) is None


def test_errors_at_the_gateway_move_the_requests_back_at_once(world: World, service: Service) -> None:
    clusters: list[str] = []

    def answer(cluster: str) -> Measured:
        clusters.append(cluster)
        return Measured(400, 12, 40.0)

    world.answer = answer
    began = world.now
    outcome = world.rollout(service).roll(stated())
    assert outcome.result == "rolled-back"
    assert outcome.reason == "3.0% of 400 requests ended with status 5xx; expected at most 1.0%"
    assert world.weights() == {"blue": 100}
    assert set(world.items) == {"fares-blue"}, "the release with errors is deleted"
    assert world.log[-3:] == ["blue=90 green=10", "blue=100", "delete fares-green"]
    assert world.now - began < 300, "before the end of the step"
    assert set(clusters) == {"httproute/pricing/fares/rule/0/backend/1"}
    assert world.annotation(route.ROLLED_BACK_AT)


def test_slow_answers_end_the_rollout_at_the_end_of_the_step(world: World, service: Service) -> None:
    world.answer = lambda _: Measured(400, 0, 900.0)
    outcome = world.rollout(service).roll(stated())
    assert outcome.reason == "95 % of 400 requests took up to 900 ms; expected at most 500 ms"
    assert world.weights() == {"blue": 100}


def test_errors_of_a_later_step_move_the_requests_back(world: World, service: Service) -> None:
    world.answer = lambda _: Measured(400, 400 if world.weights().get("green") == 50 else 0, 40.0)
    assert world.rollout(service).roll(stated()).result == "rolled-back"
    assert "blue=50 green=50" in world.log
    assert world.weights() == {"blue": 100}


def test_without_traffic_it_goes_back_unless_stated(world: World, service: Service) -> None:
    world.answer = lambda _: Measured(3, 0, 40.0)
    outcome = world.rollout(service).roll(stated())
    assert outcome.result == "rolled-back"
    assert outcome.reason.startswith("3 requests in the stage; expected at least 20")
    assert world.rollout(service, "run-2").roll(stated(no_traffic="continue")).result == "promoted"


def test_few_requests_that_are_errors_end_it_also_without_traffic(world: World, service: Service) -> None:
    world.answer = lambda _: Measured(3, 2, 40.0)
    outcome = world.rollout(service).roll(stated(no_traffic="continue"))
    assert outcome.reason == "2 of 3 requests ended with status 5xx; expected at most 1.0%"


def test_without_metrics_of_the_gateway_it_goes_back(world: World, service: Service) -> None:
    world.unreadable = True
    outcome = world.rollout(service).roll(stated(no_traffic="continue"))
    assert outcome.reason == "the gateway's metrics cannot be read: no answer"
    assert world.weights() == {"blue": 100}


def test_service_that_is_not_ready_in_time_gets_no_requests(world: World, service: Service) -> None:
    world.ready = False
    outcome = world.rollout(service).roll(stated(ready_minutes="5"))
    assert outcome.reason == "fares-green was not ready after 5 minutes: see its Pods"
    assert set(world.items) == {"fares-blue"}
    assert "blue=90 green=10" not in world.log


def test_copies_of_requests_come_before_requests(world: World, service: Service) -> None:
    clusters: list[str] = []

    def answer(cluster: str) -> Measured:
        clusters.append(cluster)
        errors = 400 if "mirror" in cluster else 0
        return Measured(400, errors, 40.0)

    world.answer = answer
    outcome = world.rollout(service).roll(stated(mirror_percent="20"))
    assert outcome.result == "rolled-back"
    assert set(clusters) == {"httproute/pricing/fares/rule/0-mirror-1"}
    assert "blue=90 green=10" not in world.log, "no client got an error"
    assert world.route_item is not None
    assert len(world.route_item["spec"]["rules"][0]["filters"]) == 1, "the mirror ended"


@pytest.mark.parametrize("failing", [False, True])
def test_killed_at_any_call_it_goes_on(
    folders: tuple[Path, Path], service: Service, before: Service, failing: bool
) -> None:
    def deployed() -> World:
        world = World()
        world.rollout(before, "run-0").roll(stated())
        world.log.clear()
        world.calls = 0
        if failing:
            world.answer = lambda _: Measured(400, 200 if world.weights()["green"] == 50 else 0, 40.0)
        return world

    whole = deployed()
    expected = whole.rollout(service).roll(stated())
    assert whole.calls > 100
    for kill_after in [
        *range(1, 30),
        *range(30, whole.calls + 1, 23),
        *range(whole.calls - 12, whole.calls + 1),
    ]:
        world = deployed()
        world.kill_after = kill_after
        with pytest.raises(Killed):
            world.rollout(service).roll(stated())
        world.kill_after = 0
        assert world.rollout(service).roll(stated()) == expected, kill_after
        assert world.weights() == whole.weights()
        assert set(world.items) == set(whole.items)
        assert [line for line in world.log if line.startswith("create")] == ["create fares-green 8"]


def test_run_again_in_the_middle_of_a_step_only_the_rest_of_it_is_waited_for(
    world: World, service: Service
) -> None:
    began = world.now
    world.calls, world.kill_after = 0, 150
    with pytest.raises(Killed):
        world.rollout(service).roll(stated())
    world.kill_after = 0
    world.rollout(service).roll(stated())
    assert world.now - began < 3 * 600 + 90


def test_weights_that_are_moved_by_hand_end_the_rollout(world: World, service: Service) -> None:
    def answer(_: str) -> Measured:
        if world.weights().get("green") == 10:
            assert world.route_item is not None
            references = world.route_item["spec"]["rules"][0]["backendRefs"]
            references[0]["weight"], references[1]["weight"] = 100, 0
        return Measured(400, 0, 40.0)

    world.answer = answer
    outcome = world.rollout(service).roll(stated())
    assert outcome.result == "rolled-back"
    assert "green has 0 % of the requests in place of 10 %" in outcome.reason


def test_next_release_takes_the_color_without_requests(
    world: World, service: Service, folders: tuple[Path, Path]
) -> None:
    world.rollout(service).roll(stated())
    following = templates.load(*folders, "fares", f"{RELEASES}/9")
    world.log.clear()
    assert world.rollout(following, "run-2").roll(stated()).result == "promoted"
    assert world.log[:3] == ["green=100", "delete fares-blue", "create fares-blue 9"]
    assert world.annotation(route.STABLE) == "blue"
    assert world.weights() == {"blue": 100, "green": 0}


def test_release_that_is_served_already_changes_nothing(world: World, before: Service) -> None:
    outcome = world.rollout(before, "run-1").roll(stated())
    assert outcome.result == "promoted"
    assert world.log == []


def test_rollout_that_is_stopped_settles_with_the_stable_release(world: World, service: Service) -> None:
    world.calls, world.kill_after = 0, 150
    with pytest.raises(Killed):
        world.rollout(service).roll(stated())
    world.kill_after = 0
    assert world.weights()["green"] > 0
    assert world.rollout(service).settle().reason == "the rollout ended before its last stage"
    assert world.weights() == {"blue": 100}
    assert set(world.items) == {"fares-blue"}
    # After a rollout that has ended it changes nothing.
    assert world.rollout(service, "run-2").roll(stated()).result == "promoted"
    world.log.clear()
    assert world.rollout(service, "run-2").settle().result == "promoted"
    assert world.log == []


def test_route_of_another_owner_is_refused(world: World, service: Service) -> None:
    assert world.route_item is not None
    world.route_item["metadata"]["annotations"] = {}
    with pytest.raises(RefusedError, match="the HTTPRoute fares exists and is of no rollout"):
        world.rollout(service).roll(stated())


def test_route_with_the_same_path_is_refused(world: World, service: Service) -> None:
    other = {**ROUTE, "metadata": {"name": "other", "namespace": "pricing"}}
    world.others = [other]
    with pytest.raises(RefusedError, match="the HTTPRoute other has the path of the service fares"):
        world.rollout(service).roll(stated())
    assert world.log == []


def test_first_release_that_is_not_ready_gets_no_route(service: Service) -> None:
    world = World(ready=False)
    assert world.rollout(service).roll(stated()).result == "rolled-back"
    assert world.route_item is None
    assert world.items == {}
