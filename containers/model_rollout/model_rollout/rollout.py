"""The rollout itself. Each step begins with one change of an object, and nothing is known that is not in
these objects: run again after a kill, it goes on with the step it was in."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from model_rollout import route
from model_rollout.cluster import Cluster
from model_rollout.errors import RefusedError
from model_rollout.measurement import Measured, MeasurementError, Prometheus
from model_rollout.parameters import BACK, SCRAPES, Parameters
from model_rollout.templates import COLORS, RUN, TEMPLATE, Object, Service

PROMOTED: Final = "promoted"
ROLLED_BACK: Final = "rolled-back"
_UNREADABLE_SECONDS: Final = 300
"""How long after the end of a step the gateway's metrics may be missing."""
_CLEARED: Final[Mapping[str, None]] = dict.fromkeys((route.STAGE, route.SINCE, route.RESULT, route.REASON))


@dataclass(frozen=True)
class Outcome:
    """How a rollout ended. reason: why it was rolled back, or why nothing had to be done."""

    result: str
    reason: str = ""


@dataclass(frozen=True)
class Stage:
    """A stage. percent: of the requests that the new InferenceService gets. mirror: percent of the requests
    that it gets copies of. seconds: how long. evaluated: whether its answers decide."""

    percent: int
    mirror: int
    seconds: float
    evaluated: bool = True

    def __str__(self) -> str:
        copies = f"copies of {self.mirror} % of the requests" if self.mirror else ""
        return copies or f"{self.percent} % of the requests"


def stages(parameters: Parameters) -> list[Stage]:
    """Return the stages. In the first one the backend is there without requests: until Prometheus knows that
    counters of an older backend at its place have ended."""
    listed = [Stage(0, 0, 2 * parameters.scrape_seconds, evaluated=False)]
    if parameters.mirror_percent:
        listed.append(Stage(0, parameters.mirror_percent, parameters.step_seconds))
    return listed + [Stage(percent, 0, parameters.step_seconds) for percent in parameters.weights]


def note(text: str) -> None:
    """Log a line."""
    sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {text}\n")
    sys.stderr.flush()


@dataclass
class Rollout:
    """A rollout of a service. run: identifies it. interval: between two looks, seconds."""

    cluster: Cluster
    prometheus: Prometheus
    service: Service
    run: str
    interval: float = 5
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def roll(self, parameters: Parameters) -> Outcome:
        """Run it, or go on. Raises RefusedError for a rollout that is not possible."""
        state = self._state()
        if (
            state is not None
            and state.annotation(RUN) == self.run
            and (result := state.annotation(route.RESULT))
        ):
            note(f"this rollout has ended: {result}")
            return self._ended(state)
        self._refuse(state)
        if state is None:
            return self._first(parameters)
        if not self._exists(state.candidate) and self._serves(state.stable):
            return Outcome(PROMOTED, f"{self.service.name} has served this release before")
        reached = self._reached(state)
        if reached is None:
            self._prepare(state)
            if problem := self._not_ready(state.candidate, parameters.ready_seconds):
                return self._back(problem)
        for number, stage in enumerate(stages(parameters)):
            if number < (reached or 0):
                continue
            if problem := self._run_stage(number, stage, parameters):
                return self._back(problem)
        return self._promote(parameters.keep)

    def settle(self) -> Outcome:
        """Go back where the run has ended before its last stage."""
        state = self._state()
        if state is None:
            self._delete_own(COLORS[0])
            return Outcome(ROLLED_BACK, "the rollout ended before the service was ready")
        if state.annotation(RUN) != self.run or not state.annotation(route.RESULT):
            if state.annotation(RUN) != self.run and not self._exists(state.candidate):
                return Outcome(ROLLED_BACK, "the rollout ended before it changed anything")
            return self._back("the rollout ended before its last stage")
        return self._ended(state)

    def _state(self) -> route.State | None:
        item = self.cluster.route(self.service.name)
        return route.State(item) if item is not None else None

    def _required(self) -> route.State:
        state = self._state()
        if state is None or not state.stable:
            raise RefusedError(f"the HTTPRoute {self.service.name} was deleted during the rollout")
        return state

    def _refuse(self, state: route.State | None) -> None:
        name = self.service.name
        if state is not None and not state.stable:
            raise RefusedError(
                f"the HTTPRoute {name} exists and is of no rollout (it has no annotation {route.STABLE}); "
                "expected none, or another name of the service"
            )
        other = route.same_path(self.service, self.cluster.routes())
        if other:
            raise RefusedError(
                f"the HTTPRoute {other} has the path of the service {name}, too; expected one route for a "
                "host and path: the gateway would give all requests to the older one"
            )

    # The InferenceServices.

    def _item(self, color: str) -> Object | None:
        return self.cluster.service(self.service.object_name(color))

    def _exists(self, color: str) -> bool:
        """Whether this run created the InferenceService of a color."""
        item = self._item(color)
        return item is not None and (item["metadata"].get("annotations") or {}).get(RUN) == self.run

    def _serves(self, color: str) -> bool:
        """Whether the InferenceService of a color has the release, from the same template."""
        item = self._item(color)
        return item is not None and (
            (item["metadata"].get("annotations") or {}).get(TEMPLATE) == self.service.digest
        )

    def _prepare(self, state: route.State) -> None:
        """Replace the InferenceService of the candidate's color, unless this run has created it."""
        color = state.candidate
        if self._exists(color):
            return
        # First no request goes to what is deleted.
        self._change(
            {state.stable: 100},
            {**_CLEARED, RUN: None, route.PREVIOUS: None},
        )
        self._create(color)

    def _create(self, color: str) -> None:
        name = self.service.object_name(color)
        item = self._item(color)
        if item is not None and not self._exists(color):
            note(f"delete the InferenceService {name} of an earlier rollout")
            self.cluster.delete_service(name)
            while (left := self._item(color)) is not None and not self._exists(color):
                if not left["metadata"].get("deletionTimestamp"):
                    self.cluster.delete_service(name)
                self.sleep(min(self.interval, 2))
        note(f"create the InferenceService {name} with version {self.service.version}")
        owner = self.cluster.owner(self.service.account)
        self.cluster.create_service(self.service.inference_service(color, self.run, owner))

    def _delete_own(self, color: str) -> None:
        if self._exists(color):
            self.cluster.delete_service(self.service.object_name(color))

    def _not_ready(self, color: str, seconds: float) -> str:
        """Wait until an InferenceService is ready; returns what is wrong with one that is not."""
        name = self.service.object_name(color)
        note(f"wait until {name} is ready, at most {seconds / 60:g} minutes")
        while True:
            item = self._item(color)
            if item is None:
                return f"the InferenceService {name} was deleted during the rollout"
            conditions = (item.get("status") or {}).get("conditions") or ()
            ready = next((entry for entry in conditions if entry["type"] == "Ready"), {})
            if ready.get("status") == "True":
                return ""
            created = datetime.fromisoformat(item["metadata"]["creationTimestamp"])
            if self.clock() - created.timestamp() > seconds:
                why = ready.get("message") or ready.get("reason") or "see its Pods"
                return f"{name} was not ready after {seconds / 60:g} minutes: {why}"
            self.sleep(self.interval)

    # The route.

    def _change(
        self,
        weights: Mapping[str, int],
        annotations: Mapping[str, str | None],
        mirror: Mapping[str, int] | None = None,
    ) -> None:
        """Change weights and annotations at once."""
        while True:
            item = self._required().item
            patch: Object = {
                "metadata": {
                    "resourceVersion": item["metadata"]["resourceVersion"],
                    "annotations": dict(annotations),
                },
                "spec": route.spec(self.service, weights, mirror),
            }
            if self.cluster.change_route(self.service.name, patch):
                return

    def _first(self, parameters: Parameters) -> Outcome:
        """Serve a service that has no release yet: there is nothing to go back to, and nothing to measure
        before it has a route."""
        color = COLORS[0]
        self._create(color)
        if problem := self._not_ready(color, parameters.ready_seconds):
            self._delete_own(color)
            note(problem)
            return Outcome(ROLLED_BACK, problem)
        annotations = {route.STABLE: color, RUN: self.run, route.RESULT: PROMOTED}
        if not self.cluster.create_route(route.created(self.service, {color: 100}, annotations)):
            raise RefusedError(f"the HTTPRoute {self.service.name} was created during the rollout")
        note("the first release of the service: all requests at once")
        return Outcome(PROMOTED)

    def _reached(self, state: route.State) -> int | None:
        """Return the stage of this run that the route is in; None before the first one."""
        stage = state.annotation(route.STAGE)
        return int(stage) if stage and state.annotation(RUN) == self.run else None

    def _run_stage(self, number: int, stage: Stage, parameters: Parameters) -> str:
        """Run a stage, or the rest of it; returns why the rollout has to end."""
        state = self._required()
        if state.annotation(RUN) != self.run or state.annotation(route.STAGE) != str(number):
            color = state.candidate
            note(f"stage {number}: {stage}")
            self._change(
                {state.stable: 100 - stage.percent, color: stage.percent},
                {**_CLEARED, RUN: self.run, route.STAGE: str(number), route.SINCE: f"{self.clock():.3f}"},
                {color: stage.mirror} if stage.mirror else None,
            )
        measured: Measured | None = None
        while True:
            state = self._required()
            if problem := self._interrupted(state, number, stage):
                return problem
            since, now = float(state.annotation(route.SINCE)), self.clock()
            left = since + stage.seconds - now
            if stage.evaluated and now - since >= (SCRAPES - 1) * parameters.scrape_seconds:
                try:
                    measured = self._measure(state, since, now)
                except MeasurementError as error:
                    note(str(error))
                    if left < -_UNREADABLE_SECONDS:
                        return f"the gateway's metrics cannot be read: {error}"
                    self.sleep(self.interval)
                    continue
                if problem := errors(measured, parameters):
                    return problem
            if left <= 0:
                return _at_the_end(measured, parameters) if stage.evaluated and measured is not None else ""
            self.sleep(min(self.interval, max(left, 0.1)))

    def _interrupted(self, state: route.State, number: int, stage: Stage) -> str:
        """Return who else has changed the route."""
        color = state.candidate
        if result := state.annotation(route.RESULT):
            return state.annotation(route.REASON) or f"the route states the result {result}"
        percent = state.weight(self.service, color)
        if (state.annotation(RUN), state.annotation(route.STAGE)) != (self.run, str(number)):
            raise RefusedError(f"another rollout has changed the HTTPRoute {self.service.name}")
        if percent != stage.percent:
            return (
                f"the route was changed: {color} has {percent} % of the requests in place of "
                f"{stage.percent} %"
            )
        return ""

    def _measure(self, state: route.State, since: float, now: float) -> Measured:
        cluster = route.cluster_of(self.service, self.cluster.namespace, state.candidate, state.item)
        measured = self.prometheus.measure(cluster, since, now)
        note(
            f"{measured.requests:g} requests, {measured.errors:g} errors, 95 % within "
            f"{measured.p95_ms:.0f} ms"
        )
        return measured

    # The ends.

    def _back(self, reason: str) -> Outcome:
        note(f"back: {reason}")
        state = self._required()
        self._change(
            {state.stable: 100},
            {
                **_CLEARED,
                RUN: self.run,
                route.RESULT: ROLLED_BACK,
                route.REASON: reason,
                route.PREVIOUS: None,
                route.ROLLED_BACK_AT: f"{datetime.fromtimestamp(self.clock(), UTC):%Y-%m-%dT%H:%M:%SZ}",
            },
        )
        return self._ended(self._required())

    def _promote(self, keep: bool) -> Outcome:
        state = self._required()
        old, new = state.stable, state.candidate
        note(f"{new} is served")
        self._change(
            {new: 100, **({old: 0} if keep else {})},
            {
                **_CLEARED,
                RUN: self.run,
                route.RESULT: PROMOTED,
                route.STABLE: new,
                route.PREVIOUS: old if keep else None,
                route.ROLLED_BACK_AT: None,
            },
        )
        return self._ended(self._required())

    def _ended(self, state: route.State) -> Outcome:
        """Delete the InferenceService that gets no requests any more, which a killed run may have left."""
        result = state.annotation(route.RESULT)
        if not state.annotation(route.PREVIOUS):
            color = state.candidate
            if result == PROMOTED or self._exists(color):
                self.cluster.delete_service(self.service.object_name(color))
        return Outcome(result, state.annotation(route.REASON))


def errors(measured: Measured, parameters: Parameters) -> str:
    """Return that too many answers are errors, once there are enough of them."""
    if measured.requests < parameters.min_requests or measured.error_rate <= parameters.max_error_rate:
        return ""
    return (
        f"{measured.error_rate:.1%} of {measured.requests:g} requests ended with status 5xx; expected at "
        f"most {parameters.max_error_rate:.1%}"
    )


def _at_the_end(measured: Measured, parameters: Parameters) -> str:
    """Return why the next stage does not begin."""
    if measured.error_rate > parameters.max_error_rate:
        return (
            f"{measured.errors:g} of {measured.requests:g} requests ended with status 5xx; expected at most "
            f"{parameters.max_error_rate:.1%}"
        )
    if measured.requests < parameters.min_requests:
        if parameters.no_traffic == BACK:
            return (
                f"{measured.requests:g} requests in the stage; expected at least {parameters.min_requests}, "
                "or no_traffic: continue"
            )
        note("too few requests to evaluate: go on")
        return ""
    if measured.p95_ms > parameters.max_p95_ms:
        return (
            f"95 % of {measured.requests:g} requests took up to {measured.p95_ms:.0f} ms; expected at most "
            f"{parameters.max_p95_ms:g} ms"
        )
    return ""
