"""Rollouts, in a namespace in memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import RELEASES, ROUTE, Killed, Simulation, stated

from model_rollout import route, templates
from model_rollout.errors import RefusedError
from model_rollout.measurement import Measured
from model_rollout.templates import Service


def test_good_release_gets_all_requests_step_by_step_and_the_old_one_is_kept(
    simulation: Simulation, service: Service
) -> None:
    outcome = simulation.rollout(service).roll(stated())
    assert outcome.result == "promoted"
    assert simulation.log == [
        "blue=100",
        "create fares-green 8",
        "blue=100 green=0",
        "blue=90 green=10",
        "blue=50 green=50",
        "blue=0 green=100",
        "blue=0 green=100",
    ]
    assert simulation.annotation(route.STABLE) == "green"
    assert simulation.annotation(route.PREVIOUS) == "blue"


def test_each_step_lasts_as_long_as_stated(simulation: Simulation, service: Service) -> None:
    began = simulation.now
    simulation.rollout(service).roll(stated())
    assert 3 * 600 + 60 <= simulation.now - began < 3 * 600 + 90


def test_old_release_is_deleted_where_it_is_not_kept(simulation: Simulation, service: Service) -> None:
    simulation.rollout(service).roll(stated(keep="false"))
    assert simulation.weights() == {"green": 100}
    assert set(simulation.items) == {"fares-green"}
    assert simulation.annotation(route.PREVIOUS) is None


def test_errors_at_the_gateway_move_the_requests_back_at_once(
    simulation: Simulation, service: Service
) -> None:
    clusters: list[str] = []

    def answer(cluster: str) -> Measured:
        clusters.append(cluster)
        return Measured(400, 12, 40.0)

    simulation.answer = answer
    began = simulation.now
    outcome = simulation.rollout(service).roll(stated())
    assert outcome.result == "rolled-back"
    assert outcome.reason == "3.0% of 400 requests ended with status 5xx; expected at most 1.0%"
    assert simulation.weights() == {"blue": 100}
    assert set(simulation.items) == {"fares-blue"}, "the release with errors is deleted"
    assert simulation.log[-3:] == ["blue=90 green=10", "blue=100", "delete fares-green"]
    assert simulation.now - began < 300, "before the end of the step"
    assert set(clusters) == {"httproute/pricing/fares/rule/0/backend/1"}
    assert simulation.annotation(route.ROLLED_BACK_AT)


def test_slow_answers_end_the_rollout_at_the_end_of_the_step(
    simulation: Simulation, service: Service
) -> None:
    simulation.answer = lambda _: Measured(400, 0, 900.0)
    outcome = simulation.rollout(service).roll(stated())
    assert outcome.reason == "95 % of 400 requests took up to 900 ms; expected at most 500 ms"
    assert simulation.weights() == {"blue": 100}


def test_errors_of_a_later_step_move_the_requests_back(simulation: Simulation, service: Service) -> None:
    simulation.answer = lambda _: Measured(400, 400 if simulation.weights().get("green") == 50 else 0, 40.0)
    assert simulation.rollout(service).roll(stated()).result == "rolled-back"
    assert "blue=50 green=50" in simulation.log
    assert simulation.weights() == {"blue": 100}


def test_without_traffic_it_goes_back_unless_stated(simulation: Simulation, service: Service) -> None:
    simulation.answer = lambda _: Measured(3, 0, 40.0)
    outcome = simulation.rollout(service).roll(stated())
    assert outcome.result == "rolled-back"
    assert outcome.reason.startswith("3 requests in the stage; expected at least 20")
    assert simulation.rollout(service, "run-2").roll(stated(no_traffic="continue")).result == "promoted"


def test_few_requests_that_are_errors_end_it_also_without_traffic(
    simulation: Simulation, service: Service
) -> None:
    simulation.answer = lambda _: Measured(3, 2, 40.0)
    outcome = simulation.rollout(service).roll(stated(no_traffic="continue"))
    assert outcome.reason == "2 of 3 requests ended with status 5xx; expected at most 1.0%"


def test_without_metrics_of_the_gateway_it_goes_back(simulation: Simulation, service: Service) -> None:
    simulation.unreadable = True
    outcome = simulation.rollout(service).roll(stated(no_traffic="continue"))
    assert outcome.reason == "the gateway's metrics cannot be read: no answer"
    assert simulation.weights() == {"blue": 100}


def test_service_that_is_not_ready_in_time_gets_no_requests(simulation: Simulation, service: Service) -> None:
    simulation.ready = False
    outcome = simulation.rollout(service).roll(stated(ready_minutes="5"))
    assert outcome.reason == "fares-green was not ready after 5 minutes: see its Pods"
    assert set(simulation.items) == {"fares-blue"}
    assert "blue=90 green=10" not in simulation.log


def test_copies_of_requests_come_before_requests(simulation: Simulation, service: Service) -> None:
    clusters: list[str] = []

    def answer(cluster: str) -> Measured:
        clusters.append(cluster)
        errors = 400 if "mirror" in cluster else 0
        return Measured(400, errors, 40.0)

    simulation.answer = answer
    outcome = simulation.rollout(service).roll(stated(mirror_percent="20"))
    assert outcome.result == "rolled-back"
    assert set(clusters) == {"httproute/pricing/fares/rule/0-mirror-1"}
    assert "blue=90 green=10" not in simulation.log, "no client got an error"
    assert simulation.route_item is not None
    assert len(simulation.route_item["spec"]["rules"][0]["filters"]) == 1, "the mirror ended"


@pytest.mark.parametrize("failing", [False, True])
def test_killed_at_any_call_it_goes_on(
    folders: tuple[Path, Path], service: Service, before: Service, failing: bool
) -> None:
    def deployed() -> Simulation:
        simulation = Simulation()
        simulation.rollout(before, "run-0").roll(stated())
        simulation.log.clear()
        simulation.calls = 0
        if failing:
            simulation.answer = lambda _: Measured(
                400, 200 if simulation.weights()["green"] == 50 else 0, 40.0
            )
        return simulation

    whole = deployed()
    expected = whole.rollout(service).roll(stated())
    assert whole.calls > 100
    for kill_after in [
        *range(1, 30),
        *range(30, whole.calls + 1, 23),
        *range(whole.calls - 12, whole.calls + 1),
    ]:
        simulation = deployed()
        simulation.kill_after = kill_after
        with pytest.raises(Killed):
            simulation.rollout(service).roll(stated())
        simulation.kill_after = 0
        assert simulation.rollout(service).roll(stated()) == expected, kill_after
        assert simulation.weights() == whole.weights()
        assert set(simulation.items) == set(whole.items)
        assert [line for line in simulation.log if line.startswith("create")] == ["create fares-green 8"]


def test_run_again_in_the_middle_of_a_step_only_the_rest_of_it_is_waited_for(
    simulation: Simulation, service: Service
) -> None:
    began = simulation.now
    simulation.calls, simulation.kill_after = 0, 150
    with pytest.raises(Killed):
        simulation.rollout(service).roll(stated())
    simulation.kill_after = 0
    simulation.rollout(service).roll(stated())
    assert simulation.now - began < 3 * 600 + 90


def test_weights_that_are_moved_by_hand_end_the_rollout(simulation: Simulation, service: Service) -> None:
    def answer(_: str) -> Measured:
        if simulation.weights().get("green") == 10:
            assert simulation.route_item is not None
            references = simulation.route_item["spec"]["rules"][0]["backendRefs"]
            references[0]["weight"], references[1]["weight"] = 100, 0
        return Measured(400, 0, 40.0)

    simulation.answer = answer
    outcome = simulation.rollout(service).roll(stated())
    assert outcome.result == "rolled-back"
    assert "green has 0 % of the requests in place of 10 %" in outcome.reason


def test_next_release_takes_the_color_without_requests(
    simulation: Simulation, service: Service, folders: tuple[Path, Path]
) -> None:
    simulation.rollout(service).roll(stated())
    following = templates.load(*folders, "fares", f"{RELEASES}/9")
    simulation.log.clear()
    assert simulation.rollout(following, "run-2").roll(stated()).result == "promoted"
    assert simulation.log[:3] == ["green=100", "delete fares-blue", "create fares-blue 9"]
    assert simulation.annotation(route.STABLE) == "blue"
    assert simulation.weights() == {"blue": 100, "green": 0}


def test_release_that_is_served_already_changes_nothing(simulation: Simulation, before: Service) -> None:
    outcome = simulation.rollout(before, "run-1").roll(stated())
    assert outcome.result == "promoted"
    assert simulation.log == []


def test_rollout_that_is_stopped_settles_with_the_stable_release(
    simulation: Simulation, service: Service
) -> None:
    simulation.calls, simulation.kill_after = 0, 150
    with pytest.raises(Killed):
        simulation.rollout(service).roll(stated())
    simulation.kill_after = 0
    assert simulation.weights()["green"] > 0
    assert simulation.rollout(service).settle().reason == "the rollout ended before its last stage"
    assert simulation.weights() == {"blue": 100}
    assert set(simulation.items) == {"fares-blue"}
    # After a rollout that has ended it changes nothing.
    assert simulation.rollout(service, "run-2").roll(stated()).result == "promoted"
    simulation.log.clear()
    assert simulation.rollout(service, "run-2").settle().result == "promoted"
    assert simulation.log == []


def test_route_of_another_owner_is_refused(simulation: Simulation, service: Service) -> None:
    assert simulation.route_item is not None
    simulation.route_item["metadata"]["annotations"] = {}
    with pytest.raises(RefusedError, match="the HTTPRoute fares exists and is of no rollout"):
        simulation.rollout(service).roll(stated())


def test_route_with_the_same_path_is_refused(simulation: Simulation, service: Service) -> None:
    other = {**ROUTE, "metadata": {"name": "other", "namespace": "pricing"}}
    simulation.others = [other]
    with pytest.raises(RefusedError, match="the HTTPRoute other has the path of the service fares"):
        simulation.rollout(service).roll(stated())
    assert simulation.log == []


def test_first_release_that_is_not_ready_gets_no_route(service: Service) -> None:
    simulation = Simulation(ready=False)
    assert simulation.rollout(service).roll(stated()).result == "rolled-back"
    assert simulation.route_item is None
    assert simulation.items == {}
