"""A namespace in memory, and what a gateway in front of it measures."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from model_rollout import parameters, route, templates
from model_rollout.measurement import Measured, MeasurementError
from model_rollout.parameters import Parameters
from model_rollout.rollout import Rollout
from model_rollout.templates import Object, Service

NAMESPACE = "pricing"
RELEASES = "s3://acme-releases/pricing/fares"
TEMPLATE: Object = {
    "apiVersion": "serving.kserve.io/v1beta1",
    "kind": "InferenceService",
    "metadata": {
        "name": "${NAME}",
        "namespace": NAMESPACE,
        "labels": {"ai-platform/release": "${VERSION}"},
        "annotations": {"serving.kserve.io/autoscalerClass": "none"},
    },
    "spec": {
        "predictor": {
            "serviceAccountName": "serving",
            "model": {"storageUri": f"{RELEASES}/${{VERSION}}"},
        }
    },
}
_FILTER = {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"set": []}}
ROUTE: Object = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "HTTPRoute",
    "metadata": {"name": "fares", "namespace": NAMESPACE},
    "spec": {
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": "/pricing/fares"}}],
                "filters": [{"type": "URLRewrite"}],
                "backendRefs": [
                    {"name": f"fares-{color}-predictor", "port": 80, "weight": weight, "filters": [_FILTER]}
                    for color, weight in (("blue", 100), ("green", 0))
                ],
            }
        ]
    },
}
VALUES = {
    "service": "fares",
    "model_uri": f"{RELEASES}/8",
    "weights": "10,50,100",
    "step_minutes": "10",
    "max_error_rate": "0.01",
    "max_p95_ms": "500",
    "min_requests": "20",
    "no_traffic": "back",
    "mirror_percent": "0",
    "ready_minutes": "60",
    "keep": "true",
}


class Killed(BaseException):
    """The end of the process."""


@dataclass
class Simulation:
    """A namespace, the gateway's measurements, and time. It has the interface of Cluster and of
    Prometheus. answer: what the gateway measures, by the name of Envoy's cluster. kill_after: calls until the
    process ends."""

    namespace: str = NAMESPACE
    now: float = 1_800_000_000.0
    items: dict[str, Object] = field(default_factory=dict[str, Object])
    route_item: Object | None = None
    others: list[Object] = field(default_factory=list[Object])
    ready: bool = True
    answer: Callable[[str], Measured] = lambda _: Measured(1000, 0, 40.0)
    unreadable: bool = False
    calls: int = 0
    kill_after: int = 0
    log: list[str] = field(default_factory=list[str])
    revision: int = 0

    def _called(self) -> None:
        self.calls += 1
        if self.kill_after and self.calls >= self.kill_after:
            raise Killed

    def owner(self, account: str) -> Object:
        self._called()
        assert account == "serving"
        return {"kind": "ServiceAccount", "name": account, "uid": "1"}

    def service(self, name: str) -> Object | None:
        self._called()
        item = self.items.get(name)
        if item is not None and self.ready:
            item["status"] = {"conditions": [{"type": "Ready", "status": "True"}]}
        return deepcopy(item)

    def create_service(self, item: Object) -> None:
        self._called()
        name = item["metadata"]["name"]
        if name not in self.items:
            created = datetime.fromtimestamp(self.now, UTC).isoformat()
            self.items[name] = deepcopy(item)
            self.items[name]["metadata"]["creationTimestamp"] = created
            self.log.append(f"create {name} {item['metadata']['labels']['ai-platform/release']}")

    def delete_service(self, name: str) -> None:
        self._called()
        assert self.weights().get(name.rpartition("-")[2], 0) == 0, "it has requests"
        if self.items.pop(name, None) is not None:
            self.log.append(f"delete {name}")

    def route(self, name: str) -> Object | None:
        self._called()
        assert name == "fares"
        return deepcopy(self.route_item)

    def routes(self) -> list[Object]:
        return [*self.others, *([self.route_item] if self.route_item else [])]

    def create_route(self, item: Object) -> bool:
        self._called()
        if self.route_item is not None:
            return False
        self.route_item = deepcopy(item)
        self._changed()
        return True

    def change_route(self, name: str, patch: Object) -> bool:
        self._called()
        assert self.route_item is not None
        if patch["metadata"]["resourceVersion"] != self.route_item["metadata"]["resourceVersion"]:
            return False
        annotations = self.route_item["metadata"].setdefault("annotations", {})
        for key, value in patch["metadata"].get("annotations", {}).items():
            if value is None:
                annotations.pop(key, None)
            else:
                annotations[key] = value
        self.route_item["spec"] = deepcopy(patch["spec"])
        self._changed()
        return True

    def _changed(self) -> None:
        assert self.route_item is not None
        self.revision += 1
        self.route_item["metadata"]["resourceVersion"] = str(self.revision)
        names = [entry["name"] for entry in self.route_item["spec"]["rules"][0]["backendRefs"]]
        assert all(name.removesuffix("-predictor") in self.items for name in names), (
            "a backend that is not there"
        )
        assert sum(self.weights().values()) == 100
        self.log.append(" ".join(f"{color}={percent}" for color, percent in self.weights().items()))

    def weights(self) -> dict[str, int]:
        """Return color -> percent of the requests."""
        if self.route_item is None:
            return {}
        return {
            entry["name"].split("-")[1]: entry["weight"]
            for entry in self.route_item["spec"]["rules"][0]["backendRefs"]
        }

    def annotation(self, name: str) -> str | None:
        """Return an annotation of the route."""
        assert self.route_item is not None
        return self.route_item["metadata"].get("annotations", {}).get(name)

    def measure(self, cluster: str, since: float, until: float) -> Measured:
        assert since < until
        if self.unreadable:
            raise MeasurementError("no answer")
        return self.answer(cluster)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def rollout(self, service: Service, run: str = "run-1") -> Rollout:
        """Return a rollout in it."""
        same: Any = self
        return Rollout(same, same, service, run, clock=lambda: self.now, sleep=self.sleep)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """The folders of templates and routes, as a ConfigMap is mounted."""
    for folder, item in (("templates", TEMPLATE), ("routes", ROUTE)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "..data").mkdir()
        (tmp_path / folder / "fares").write_text(json.dumps(item))
    return tmp_path / "templates", tmp_path / "routes"


@pytest.fixture
def service(folders: tuple[Path, Path]) -> Service:
    return templates.load(*folders, "fares", f"{RELEASES}/8")


@pytest.fixture
def before(folders: tuple[Path, Path]) -> Service:
    """The service with the release before."""
    return templates.load(*folders, "fares", f"{RELEASES}/7")


@pytest.fixture
def simulation(before: Service) -> Simulation:
    """A namespace in which the release before is served."""
    created = Simulation()
    assert created.rollout(before, "run-0").roll(stated()).result == "promoted"
    assert created.weights() == {"blue": 100}
    assert created.annotation(route.STABLE) == "blue"
    created.log.clear()
    return created


def stated(**values: str) -> Parameters:
    """Return parameters."""
    return parameters.parse({**VALUES, **values}, 30)
