"""Capacity reservations and Capacity Blocks, which moto does not have: kept on its EC2 backend, so that the
journal remembers them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from xml.sax.saxutils import escape

from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.services.autoscaling.capacity import instance_type_info, zones_offering
from twin.aws.services.ec2.capacity_reservations import Reservation, find, reservations, used

_XMLNS: Final = "http://ec2.amazonaws.com/doc/2016-11-15/"
_COUNTS: Final = (1, 2, 4, 8, 16, 32, 64)
"""Instances that a Capacity Block can have (EC2 user guide, "Capacity Blocks for ML")."""
_ZONES: Final = "abcdef"
_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)


def create(call: Call, backend: Any) -> Answer:
    """CreateCapacityReservation: on demand, for as long as it is not cancelled, or to an end date."""
    params = call.params
    kind, zone = params.get("InstanceType") or "", _zone(params, backend)
    count = int(params.get("InstanceCount") or 0)
    if instance_type_info(kind) is None:
        raise Refusal("InvalidParameterValue", f"Invalid value '{kind}' for InstanceType.")
    if not 1 <= count <= 1000:
        raise Refusal("InvalidParameterValue", f"Value ({count}) for parameter InstanceCount is invalid.")
    if zone not in zones_offering(kind, backend.region_name):
        raise Refusal(
            "Unsupported",
            f"Your requested instance type ({kind}) is not supported in your requested Availability Zone "
            f"({zone}).",
        )
    end = _date(params.get("EndDate"))
    if (params.get("EndDateType") == "limited") != (end is not None):
        raise Refusal(
            "InvalidParameterCombination", "EndDate goes with EndDateType limited, and with no other"
        )
    if end is not None and end <= datetime.now(UTC):
        raise Refusal("InvalidParameterValue", "EndDate must be in the future")
    reservation = _keep(
        backend,
        params,
        instance_type=kind,
        zone=zone,
        count=count,
        start=datetime.now(UTC),
        end=end,
        block=False,
    )
    return _answer(
        "CreateCapacityReservation",
        f"<capacityReservation>{_xml(reservation, backend)}</capacityReservation>",
    )


def offerings(call: Call, backend: Any) -> Answer:
    """DescribeCapacityBlockOfferings: one a zone that offers the type, from the earliest time asked for."""
    params = call.params
    kind, count = params.get("InstanceType") or "", int(params.get("InstanceCount") or 1)
    hours = int(params.get("CapacityDurationHours") or 0)
    if kind not in _sold_in_blocks(kind):
        raise Refusal("InvalidParameterValue", f"Capacity Blocks are not supported for {kind or 'no type'}.")
    if count not in _COUNTS:
        raise Refusal("InvalidParameterValue", f"InstanceCount must be one of {_COUNTS}, got {count}")
    days, rest = divmod(hours, 24)
    if rest or not (1 <= days <= 14 or (days <= 182 and days % 7 == 0)):
        raise Refusal(
            "InvalidParameterValue",
            f"CapacityDurationHours must be whole days, 1 to 14, or up to 182 in weeks; got {hours} hours",
        )
    now = datetime.now(UTC)
    start = max(_date(params.get("StartDateRange")) or now, now)
    start = start.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    items = ""
    for zone in zones_offering(kind, backend.region_name):
        offering = _offering(kind, zone, count, start, hours)
        items += (
            f"<item><capacityBlockOfferingId>{offering}</capacityBlockOfferingId>"
            f"<instanceType>{kind}</instanceType><availabilityZone>{zone}</availabilityZone>"
            f"<instanceCount>{count}</instanceCount><startDate>{_iso(start)}</startDate>"
            f"<endDate>{_iso(start + timedelta(hours=hours))}</endDate>"
            f"<capacityBlockDurationHours>{hours}</capacityBlockDurationHours>"
            f"<upfrontFee>0.00</upfrontFee><currencyCode>USD</currencyCode><tenancy>default</tenancy></item>"
        )
    return _answer(
        "DescribeCapacityBlockOfferings", f"<capacityBlockOfferingSet>{items}</capacityBlockOfferingSet>"
    )


def purchase(call: Call, backend: Any) -> Answer:
    """PurchaseCapacityBlock: a reservation that begins and ends by itself."""
    params = call.params
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
    return _answer(
        "PurchaseCapacityBlock", f"<capacityReservation>{_xml(reservation, backend)}</capacityReservation>"
    )


def describe(call: Call, backend: Any) -> Answer:
    """DescribeCapacityReservations."""
    params = call.params
    ids = params.get("CapacityReservationIds") or []
    selected = [find(backend, id) for id in ids] if ids else list(reservations(backend).values())
    selected = [
        reservation
        for reservation in selected
        if all(_passes(reservation, backend, one) for one in params.get("Filters") or [])
    ]
    items = "".join(f"<item>{_xml(reservation, backend)}</item>" for reservation in selected)
    return _answer(
        "DescribeCapacityReservations", f"<capacityReservationSet>{items}</capacityReservationSet>"
    )


def modify(call: Call, backend: Any) -> Answer:
    """ModifyCapacityReservation: how many, and until when."""
    params = call.params
    one = _changeable(params, backend, "modified")
    if params.get("InstanceCount") is not None:
        one.count = int(params["InstanceCount"])
    if params.get("EndDateType") == "unlimited":
        one.end = None
    elif params.get("EndDate") is not None:
        one.end = _date(params["EndDate"])
    return _answer("ModifyCapacityReservation", "<return>true</return>")


def cancel(call: Call, backend: Any) -> Answer:
    """CancelCapacityReservation: machines in it go on, on demand."""
    _changeable(call.params, backend, "cancelled").cancelled = True
    return _answer("CancelCapacityReservation", "<return>true</return>")


def _changeable(params: dict[str, Any], backend: Any, what: str) -> Reservation:
    one = find(backend, params.get("CapacityReservationId") or "")
    if one.block:
        raise Refusal("OperationNotPermitted", f"The Capacity Block {one.id} cannot be {what}.")
    if one.state not in ("active", "scheduled"):
        raise Refusal(
            "InvalidCapacityReservationState", f"The Capacity Reservation {one.id} is {one.state} already."
        )
    return one


def _keep(backend: Any, params: dict[str, Any], **facts: Any) -> Reservation:
    from moto.ec2.utils import random_id

    tags = [
        t
        for tag_specification in params.get("TagSpecifications") or []
        for t in tag_specification.get("Tags") or []
    ]
    reservation = Reservation(
        id=random_id("cr"),
        platform=params.get("InstancePlatform") or "Linux/UNIX",
        match=params.get("InstanceMatchCriteria") or ("targeted" if facts["block"] else "open"),
        tenancy=params.get("Tenancy") or "default",
        created=datetime.now(UTC),
        **facts,
    )
    reservations(backend)[reservation.id] = reservation
    if tags:
        backend.create_tags([reservation.id], {tag["Key"]: tag["Value"] for tag in tags})
    return reservation


def _zone(params: dict[str, Any], backend: Any) -> str:
    name, zone_id = params.get("AvailabilityZone"), params.get("AvailabilityZoneId")
    if bool(name) == bool(zone_id):
        raise Refusal("InvalidParameterCombination", "Say one of AvailabilityZone and AvailabilityZoneId")
    for zone in backend.describe_availability_zones():
        if zone.name == name or zone.zone_id == zone_id:
            return zone.name
    raise Refusal("InvalidParameterValue", f"Invalid availability zone: [{name or zone_id}]")


def _sold_in_blocks(kind: str) -> set[str]:
    info = instance_type_info(kind) or {}
    return {kind} if "capacity-block" in (info.get("SupportedUsageClasses") or []) else set()


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


def _passes(one: Reservation, backend: Any, wanted: dict[str, Any]) -> bool:
    name, values = wanted.get("Name") or "", wanted.get("Values") or []
    if name.startswith("tag:"):
        return _tags(one, backend).get(name.removeprefix("tag:")) in values
    fields = {
        "instance-type": one.instance_type,
        "availability-zone": one.zone,
        "state": one.state,
        "instance-match-criteria": one.match,
        "owner-id": backend.account_id,
    }
    return fields.get(name) in values if name in fields else True


def _tags(one: Reservation, backend: Any) -> dict[str, str]:
    return {t["key"]: t["value"] for t in backend.describe_tags(filters={"resource-id": [one.id]})}


def _date(value: Any) -> datetime | None:
    if value is None:
        return None
    moment = (
        value if isinstance(value, datetime) else datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    )
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _iso(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _xml(one: Reservation, backend: Any) -> str:
    zones = {zone.name: zone.zone_id for zone in backend.describe_availability_zones()}
    fields = {
        "capacityReservationId": one.id,
        "ownerId": backend.account_id,
        "capacityReservationArn": (
            f"arn:aws:ec2:{backend.region_name}:{backend.account_id}:capacity-reservation/{one.id}"
        ),
        "availabilityZoneId": zones.get(one.zone, ""),
        "instanceType": one.instance_type,
        "instancePlatform": one.platform,
        "availabilityZone": one.zone,
        "tenancy": one.tenancy,
        "totalInstanceCount": str(one.count),
        "availableInstanceCount": str(max(0, one.count - used(backend, one.id))),
        "ebsOptimized": "false",
        "ephemeralStorage": "false",
        "state": one.state,
        "startDate": _iso(one.start),
        "endDateType": "limited" if one.end else "unlimited",
        "instanceMatchCriteria": one.match,
        "createDate": _iso(one.created),
        "reservationType": "capacity-block" if one.block else "default",
    }
    if one.end:
        fields["endDate"] = _iso(one.end)
    tags = "".join(
        f"<item><key>{escape(key)}</key><value>{escape(value)}</value></item>"
        for key, value in _tags(one, backend).items()
    )
    texts = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    return f"{texts}<tagSet>{tags}</tagSet>"


def _answer(operation: str, inside: str) -> Answer:
    body = (
        f'<{operation}Response xmlns="{_XMLNS}"><requestId>fdcdcab1-ae5c-489e-9c33-4637c5dda355</requestId>'
        f"{inside}</{operation}Response>"
    )
    return Answer(200, [("Content-Type", "text/xml")], body.encode())


OPERATIONS: Final[dict[str, Callable[[Call, Any], Answer]]] = {
    "CreateCapacityReservation": create,
    "DescribeCapacityReservations": describe,
    "ModifyCapacityReservation": modify,
    "CancelCapacityReservation": cancel,
    "DescribeCapacityBlockOfferings": offerings,
    "PurchaseCapacityBlock": purchase,
}
