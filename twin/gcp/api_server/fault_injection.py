"""Faults on demand: what Google Cloud does on a bad day, by a switch.

A fault is one JSON object: `kind` and what narrows it.
- throttle: calls answer 429 RESOURCE_EXHAUSTED. `service` (`compute`), `operation` (the method's id without
  the service, `subnetworks.*` matches; default: all), `times` (default 1).
- capacity: no machines of `machine_type` (default: any) in `zone` (default: any) until it is removed.
- quota: Compute's quota `metric` is `limit`, of the project and of each region that has it, until it is
  removed.
- slow: calls answer after `seconds`. `service`, `operation`, `times` (default: until it is removed).
- long: operations and jobs that calls begin run for `seconds`. `service`, `operation`, `times` (default:
  until it is removed).
- fail: calls answer an error. `service`, `operation`, `code` (the canonical one, `INTERNAL`), `message`,
  `status` (HTTP), `times`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from twin import fault_injection
from twin.gcp.api_server.discovery import Method
from twin.gcp.api_server.errors import GoogleError
from twin.gcp.services.compute import capacity
from twin.gcp.services.compute.quotas import METRICS

KINDS: Final = {
    "throttle": {"service", "operation", "times"},
    "capacity": {"machine_type", "zone"},
    "quota": {"metric", "limit"},
    "slow": {"service", "operation", "times", "seconds"},
    "long": {"service", "operation", "times", "seconds"},
    "fail": {"service", "operation", "times", "code", "message", "status"},
}


class InjectedFaults(fault_injection.InjectedFaults):
    """The faults of an instance's Google that are on."""

    def __init__(self, file: Path) -> None:
        super().__init__(file, KINDS)

    def add(self, fault: dict[str, Any]) -> None:
        """Switch one on. ValueError says what is wrong with it."""
        if fault.get("kind") == "quota" and fault.get("metric") not in METRICS:
            raise ValueError(
                f"quota: got metric {fault.get('metric')!r}, one of {', '.join(METRICS)} is right"
            )
        if fault.get("kind") == "capacity":
            _check_capacity(str(fault.get("machine_type") or ""), str(fault.get("zone") or ""))
        super().add(fault)

    def quota_limits(self) -> dict[str, float]:
        """The quotas of Compute that an injected error sets: metric -> value."""
        return {
            fault["metric"]: float(fault.get("limit") or 0)
            for fault in self.every()
            if fault["kind"] == "quota"
        }

    def unavailable(self) -> list[tuple[str, str]]:
        """(machine type, zone) of which there are none now; `*` is any."""
        return self.capacity("machine_type")

    def available(self, machine_type: str, zone: str) -> bool:
        """Whether there are machines of that type in that zone."""
        return fault_injection.available(self.unavailable(), machine_type, zone)

    def strike(self, method: Method, lasts: float = 0) -> float:
        """Delay or refuse the call, where a fault says so; answer the seconds that its operation runs.

        lasts: these seconds where no fault says otherwise.
        """
        for fault in self.taken(method.api, method.id.partition(".")[2]):
            if fault["kind"] == "slow":
                fault_injection.pause(fault)
            elif fault["kind"] == "long":
                lasts = float(fault.get("seconds", 1))
            elif fault["kind"] == "throttle":
                raise GoogleError(
                    429,
                    "RESOURCE_EXHAUSTED",
                    f"Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of service "
                    f"'{method.api}.googleapis.com'.",
                    "rateLimitExceeded",
                )
            else:
                raise _failure(fault)
        return lasts


def _check_capacity(machine_type: str, zone: str) -> None:
    """Refuse names that no machine has, on which the switch would have no effect."""
    if zone and not capacity.is_zone(zone):
        raise ValueError(
            f"zone: got {zone!r}; {fault_injection.nearest(zone, capacity.zones(), 'us-central1-a')}"
        )
    if machine_type and capacity.machine_type(machine_type) is None:
        nearest = fault_injection.nearest(machine_type, capacity.machine_types(), "a3-highgpu-8g")
        raise ValueError(f"machine type: got {machine_type!r}; {nearest}")


def _failure(fault: dict[str, Any]) -> GoogleError:
    message = fault.get("message") or "Internal error encountered."
    return GoogleError(int(fault.get("status") or 500), fault.get("code") or "", message)
