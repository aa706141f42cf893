"""Faults on demand: what a real cloud does on a bad day, by a switch.

A fault is one JSON object: `kind` and what narrows it.
- throttle: calls answer ThrottlingException. `service`, `operation` (default: all), `times` (default 1).
- capacity: no machines of `instance_type` (default: any) in `zone` (default: any) until it is removed.
  `market`: only `spot`, or only `on-demand`.
- slow: calls answer after `seconds`. `service`, `operation`, `times` (default: until it is removed).
- late_logs: EKS writes to a cluster's log group again after the cluster was deleted, until it is removed.
- new_account: EC2's quotas are those of a new account, until it is removed.
- quota: EC2's quota of vCPUs `code` is `limit`, until it is removed.
- fail: calls answer an error. `service`, `operation` (`Delete*` matches), `code`, `message`, `status`,
  `times`.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, Final

from twin import fault_injection
from twin.aws import configuration
from twin.aws.api_server.request import Call, Refusal
from twin.aws.services.autoscaling import capacity
from twin.aws.services.servicequotas.operations import QUOTAS, values
from twin.fault_injection import available

__all__ = ["KINDS", "InjectedFaults", "available"]

KINDS: Final = {
    "throttle": {"service", "operation", "times"},
    "capacity": {"instance_type", "zone", "market"},
    "late_logs": set(),
    "new_account": set(),
    "quota": {"code", "limit"},
    "slow": {"service", "operation", "times", "seconds"},
    "fail": {"service", "operation", "times", "code", "message", "status"},
}
MARKETS: Final = ("spot", "on-demand")
"""How instances are bought."""
_QUERY_THROTTLE: Final = {"ec2": "RequestLimitExceeded", "query": "Throttling", "rest-xml": "SlowDown"}


class InjectedFaults(fault_injection.InjectedFaults):
    """The faults of an instance's AWS that are on."""

    def __init__(self, file: Path) -> None:
        super().__init__(file, KINDS)

    def add(self, fault: dict[str, Any]) -> None:
        """Switch one on. ValueError says what is wrong with it."""
        codes = [quota.code for quota in QUOTAS]
        if fault.get("kind") == "quota" and fault.get("code") not in codes:
            raise ValueError(f"quota: got code {fault.get('code')!r}, one of {', '.join(codes)} is right")
        if fault.get("kind") == "capacity":
            _check_capacity(fault)
        super().add(fault)

    def quota_limits(self) -> dict[str, float]:
        """The quotas of vCPUs with a value of their own: code -> value."""
        return {
            fault["code"]: float(fault.get("limit") or 0)
            for fault in self.every()
            if fault["kind"] == "quota"
        }

    def unavailable(self) -> list[tuple[str, ...]]:
        """(instance type, zone, market) of which there are none now; `*` is any."""
        return [
            tuple(fault.get(key) or "*" for key in ("instance_type", "zone", "market"))
            for fault in self.every()
            if fault["kind"] == "capacity"
        ]

    def late_logs(self) -> bool:
        """Whether a deleted cluster's last events come late."""
        return self._has("late_logs")

    def new_account(self) -> bool:
        """Whether no one has raised EC2's quotas yet."""
        return self._has("new_account")

    def _has(self, kind: str) -> bool:
        return any(fault["kind"] == kind for fault in self.every())

    def shortage(self) -> dict[str, Any]:
        """What keeps machines from being launched now, as `capacity.missing` takes it; empty for nothing."""
        shortage: dict[str, Any] = {}
        if missing := self.unavailable():
            shortage["missing"] = missing
        limits = self.quota_limits()
        if self.new_account() or limits:
            shortage["quotas"] = {**values(new_account=self.new_account()), **limits}
        return shortage

    def strike(self, call: Call) -> None:
        """Delay or refuse the call, where a fault says so."""
        if not self._on:
            return  # a call's operation is not looked up for nothing
        for fault in self.taken(call.service, call.operation):
            if fault["kind"] == "slow":
                fault_injection.pause(fault)
            elif fault["kind"] == "throttle":
                code = _QUERY_THROTTLE.get(call.protocol, "ThrottlingException")
                raise Refusal(code, "Rate exceeded", 503 if call.protocol in ("ec2", "rest-xml") else 400)
            else:
                message = fault.get("message") or "An internal error has occurred"
                raise Refusal(
                    fault.get("code") or "InternalFailure", message, int(fault.get("status") or 500)
                )


def _check_capacity(fault: dict[str, Any]) -> None:
    """Refuse names that no machine has, on which the switch would have no effect."""
    kind, zone, market = (str(fault.get(key) or "") for key in ("instance_type", "zone", "market"))
    if zone and zone not in capacity.zones(zone[:-1]):
        # The records of all regions take a minute to read: those of the region that is meant.
        regions = difflib.get_close_matches(zone, configuration.regions(), n=1)
        near = fault_injection.nearest(zone, capacity.zones(*regions) if regions else (), "us-west-2a")
        raise ValueError(f"zone: got {zone!r}; {near}")
    if kind and capacity.instance_type_info(kind) is None:
        near = fault_injection.nearest(kind, capacity.instance_types(), "p5.48xlarge")
        raise ValueError(f"instance type: got {kind!r}; {near}")
    if market and market not in MARKETS:
        raise ValueError(f"market: got {market!r}; {fault_injection.nearest(market, MARKETS, 'spot')}")
