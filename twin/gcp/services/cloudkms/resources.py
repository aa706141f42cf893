"""Cloud KMS: key rings and keys. Neither can be deleted: a key's versions are destroyed instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from twin.gcp.context import GcpContext
from twin.gcp.http_client import Refusal
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.entry import Change
from twin.provider_interface import Failure, Props

_LEAST_ROTATION: Final = 86400
_ALREADY_EXISTS: Final = 409


class CryptoKey(GcpResource):
    token = "gcp:kms/cryptoKey:CryptoKey"

    def rules(self, inputs: Props) -> Iterator[Failure]:
        ring = inputs.get("keyRing")
        if isinstance(ring, str) and not re.fullmatch(r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+", ring):
            yield Failure(
                "keyRing",
                f"Invalid KeyRing id format, expecting `projects/{{project}}/locations/{{location}}/keyRings/"
                f"{{name}}`, got {ring!r}",
            )
        period = inputs.get("rotationPeriod")
        if isinstance(period, str) and period:
            yield from _rotation(period)

    def body(self, context: GcpContext, inputs: Props) -> tuple[Props, dict[str, str]]:
        request_body, places = super().body(context, inputs)
        if inputs.get("rotationPeriod"):
            request_body["nextRotationTime"] = _next(str(inputs["rotationPeriod"]))
        return request_body, places

    def make(self, context: GcpContext, inputs: Props, body: Props) -> Props:
        # The time of the next rotation is another at each try: a create that was broken off finds its key.
        try:
            return super().make(context, inputs, body)
        except Refusal as error:
            item = self.find(context, "", self.values(context, "", inputs))
            answered = {key: value for key, value in body.items() if key != "nextRotationTime"}
            mine = item and all(item.get(key) == value for key, value in answered.items())
            if error.code != _ALREADY_EXISTS or not mine or not _just_made(item):
                raise
            return item or {}

    def change_body(
        self, context: GcpContext, call: Change, changed: set[str], new: Props
    ) -> tuple[Props, list[str]]:
        request_body, mask = super().change_body(context, call, changed, new)
        if "rotationPeriod" in request_body:
            period = request_body["rotationPeriod"]
            request_body["nextRotationTime"] = _next(period) if period else None
            mask = [*mask, "nextRotationTime"]
        return request_body, mask

    def unmake(self, context: GcpContext, id: str, state: Props) -> None:
        response = context.call(f"{self.collection}.cryptoKeyVersions.list", {"parent": id, "pageSize": 1000})
        for version in response.get("cryptoKeyVersions", []):
            if version.get("state") not in ("DESTROYED", "DESTROY_SCHEDULED"):
                context.call(f"{self.collection}.cryptoKeyVersions.destroy", {"name": version["name"]}, {})
        if state.get("rotationPeriod"):
            query = {"updateMask": "rotationPeriod,nextRotationTime"}
            context.call(f"{self.collection}.patch", {"name": id}, {}, query)

    def outputs(self, context: GcpContext, id: str, item: Props, state: Props) -> Props:
        outputs = super().outputs(context, id, item, state)
        return {**outputs, "primaries": outputs.get("primaries") or []}


def _rotation(period: str) -> Iterator[Failure]:
    match = re.fullmatch(r"(\d+)(\.\d{1,9})?s", period)
    if not match:
        yield Failure("rotationPeriod", "rotation period format not recognized, must end with 's' (seconds)")
    elif int(match[1]) < _LEAST_ROTATION:
        yield Failure("rotationPeriod", "rotation period must be greater than one day")


def _next(period: str) -> str:
    from datetime import UTC, datetime, timedelta

    after = timedelta(seconds=float(period.rstrip("s")))
    return (datetime.now(UTC) + after).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _just_made(key: Any) -> bool:
    from datetime import UTC, datetime, timedelta

    create_time = str((key or {}).get("createTime", ""))
    try:
        at = datetime.fromisoformat(create_time.replace("Z", "+00:00"))
    except ValueError:
        return False
    return datetime.now(UTC) - at < timedelta(hours=1)
