"""Capacity reservations and Capacity Blocks, which moto does not have: kept on its EC2 backend, so that the
journal remembers them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.services.autoscaling.capacity import facts, zones_offering
from twin.aws.services.ec2.capacity_reservations import Reservation, find, reservations, used
from twin.aws.services.ec2.operations import placement
from twin.aws.validation import extension_store, stated
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]
_ZONES: Final = "abcdef"
_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)


def create(params: Params, backend: Any) -> Params:
    """CreateCapacityReservation: on demand, for as long as it is not cancelled, or to an end date."""
    reservation = _keep(
        backend,
        params,
        instance_type=params["InstanceType"],
        zone=_zone(params, backend),
        count=int(params["InstanceCount"]),
        start=datetime.now(UTC),
        end=_date(params.get("EndDate")),
        block=False,
    )
    return {"CapacityReservation": _described(reservation, backend)}


def _check(params: Params, state: MotoState) -> None:
    """CreateCapacityReservation."""
    end = _date(params.get("EndDate"))
    scope = {"zone": _zone(params, state.ec2), "over": end is not None and end <= datetime.now(UTC)}
    kind = facts(params.get("InstanceType"), state.region)
    stated.check(__name__, "reservation", {**params, **scope, **kind}, state)


def _check_offerings(params: Params, state: MotoState) -> None:
    """DescribeCapacityBlockOfferings."""
    kind = facts(params.get("InstanceType"), state.region)
    stated.check(__name__, "offerings", {**params, **kind}, state)


def offerings(params: Params, backend: Any) -> Params:
    """DescribeCapacityBlockOfferings: one a zone that offers the type, from the earliest time asked for."""
    kind, count = params["InstanceType"], int(params.get("InstanceCount") or 1)
    hours = int(params["CapacityDurationHours"])
    now = datetime.now(UTC)
    start = max(_date(params.get("StartDateRange")) or now, now)
    start = start.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    blocks = [
        {
            "CapacityBlockOfferingId": _offering(kind, zone, count, start, hours),
            "InstanceType": kind,
            "AvailabilityZone": zone,
            "InstanceCount": count,
            "StartDate": start,
            "EndDate": start + timedelta(hours=hours),
            "CapacityBlockDurationHours": hours,
            "UpfrontFee": "0.00",
            "CurrencyCode": "USD",
            "Tenancy": "default",
        }
        for zone in zones_offering(kind, backend.region_name)
    ]
    return {"CapacityBlockOfferings": blocks}


def purchase(params: Params, backend: Any) -> Params:
    """PurchaseCapacityBlock: a reservation that begins and ends by itself."""
    kind, zone, count, start, hours = _bought(params.get("CapacityBlockOfferingId") or "", backend)
    reservation = _keep(
        backend,
        params,
        instance_type=kind,
        zone=zone,
        count=count,
        start=start,
        end=start + timedelta(hours=hours),
        block=True,
    )
    return {"CapacityReservation": _described(reservation, backend)}


def describe(params: Params, backend: Any) -> Params:
    """DescribeCapacityReservations."""
    ids = params.get("CapacityReservationIds") or []
    selected = [find(backend, id) for id in ids] if ids else list(reservations(backend).values())
    matching = [
        _described(one, backend)
        for one in selected
        if placement.passes(params.get("Filters"), _fields(one, backend), placement.tags(backend, one.id))
    ]
    return {"CapacityReservations": matching}


def modify(params: Params, backend: Any) -> Params:
    """ModifyCapacityReservation: how many, and until when."""
    one = _changeable(params, backend, "modified")
    if params.get("InstanceCount") is not None:
        one.count = int(params["InstanceCount"])
    if params.get("EndDateType") == "unlimited":
        one.end = None
    elif params.get("EndDate") is not None:
        one.end = _date(params["EndDate"])
    return {"Return": True}


def cancel(params: Params, backend: Any) -> Params:
    """CancelCapacityReservation: machines in it go on, on demand."""
    _changeable(params, backend, "cancelled").cancelled = True
    return {"Return": True}


def _changeable(params: Params, backend: Any, what: str) -> Reservation:
    one = find(backend, params.get("CapacityReservationId") or "")
    if one.block:
        raise Refusal("OperationNotPermitted", f"The Capacity Block {one.id} cannot be {what}.")
    if one.state not in ("active", "scheduled"):
        raise Refusal(
            "InvalidCapacityReservationState", f"The Capacity Reservation {one.id} is {one.state} already."
        )
    return one


def _keep(backend: Any, params: Params, **facts: Any) -> Reservation:
    from moto.ec2.utils import random_id

    reservation = Reservation(
        id=random_id("cr"),
        platform=params.get("InstancePlatform") or "Linux/UNIX",
        match=params.get("InstanceMatchCriteria") or ("targeted" if facts["block"] else "open"),
        tenancy=params.get("Tenancy") or "default",
        created=datetime.now(UTC),
        **facts,
    )
    reservations(backend)[reservation.id] = reservation
    placement.tag(backend, reservation.id, params)
    return reservation


def _zone(params: Params, backend: Any) -> str:
    name, zone_id = params.get("AvailabilityZone"), params.get("AvailabilityZoneId")
    if bool(name) == bool(zone_id):
        raise Refusal("InvalidParameterCombination", "Say one of AvailabilityZone and AvailabilityZoneId")
    for zone in backend.describe_availability_zones():
        if zone.name == name or zone.zone_id == zone_id:
            return zone.name
    raise Refusal("InvalidParameterValue", f"Invalid availability zone: [{name or zone_id}]")


def _offering(kind: str, zone: str, count: int, start: datetime, hours: int) -> str:
    """An offering's id, which says what is offered: nothing has to be remembered of a question."""
    since = int((start - _EPOCH).total_seconds()) // 3600
    return f"cb-{_ZONES.index(zone[-1]):x}{count:02x}{since:06x}{hours:04x}-{kind}"


def _bought(offering: str, backend: Any) -> tuple[str, str, int, datetime, int]:
    try:
        prefix, code, kind = offering.split("-", 2)
        zone = backend.region_name + _ZONES[int(code[0], 16)]
        start = _EPOCH + timedelta(hours=int(code[3:9], 16))
        count, hours = int(code[1:3], 16), int(code[9:13], 16)
    except (ValueError, IndexError):
        prefix = ""
        zone, kind, count, start, hours = "", "", 0, _EPOCH, 0
    if prefix != "cb" or zone not in zones_offering(kind, backend.region_name) or start < datetime.now(UTC):
        raise Refusal(
            "InvalidCapacityBlockOfferingId.NotFound",
            f"The Capacity Block offering '{offering}' does not exist or is no longer available.",
        )
    return kind, zone, count, start, hours


def _fields(one: Reservation, backend: Any) -> Params:
    """What filters compare."""
    return {
        "instance-type": one.instance_type,
        "availability-zone": one.zone,
        "state": one.state,
        "instance-match-criteria": one.match,
        "owner-id": backend.account_id,
    }


def _date(value: Any) -> datetime | None:
    if value is None:
        return None
    moment = (
        value if isinstance(value, datetime) else datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    )
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _described(one: Reservation, backend: Any) -> Params:
    zones = {zone.name: zone.zone_id for zone in backend.describe_availability_zones()}
    place = f"{backend.region_name}:{backend.account_id}"
    return {
        "CapacityReservationId": one.id,
        "OwnerId": backend.account_id,
        "CapacityReservationArn": f"arn:aws:ec2:{place}:capacity-reservation/{one.id}",
        "AvailabilityZoneId": zones.get(one.zone, ""),
        "InstanceType": one.instance_type,
        "InstancePlatform": one.platform,
        "AvailabilityZone": one.zone,
        "Tenancy": one.tenancy,
        "TotalInstanceCount": one.count,
        "AvailableInstanceCount": max(0, one.count - used(backend, one.id)),
        "EbsOptimized": False,
        "EphemeralStorage": False,
        "State": one.state,
        "StartDate": one.start,
        "EndDate": one.end,
        "EndDateType": "limited" if one.end else "unlimited",
        "InstanceMatchCriteria": one.match,
        "CreateDate": one.created,
        "ReservationType": "capacity-block" if one.block else "default",
        "Tags": extension_store.tag_list(placement.tags(backend, one.id)),
    }


RULES: Final = {"CreateCapacityReservation": _check, "DescribeCapacityBlockOfferings": _check_offerings}
OPERATIONS: Final = extension_store.operations(
    {
        "CreateCapacityReservation": create,
        "DescribeCapacityReservations": describe,
        "ModifyCapacityReservation": modify,
        "CancelCapacityReservation": cancel,
        "DescribeCapacityBlockOfferings": offerings,
        "PurchaseCapacityBlock": purchase,
    }
)
