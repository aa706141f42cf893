"""Compute: routers and their NATs. A NAT is a part of its router, and a change of it one of the router."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, Final

from twin.gcp.context import GcpContext
from twin.gcp.http_client import Refusal
from twin.gcp.resources.base import NOT_FOUND, GcpResource
from twin.gcp.resources.checking import wrong_body
from twin.provider_interface import CloudError, Failure, Props

_LOCKS: Final[defaultdict[str, threading.Lock]] = defaultdict(threading.Lock)
"""One change of a router at a time, as the provider's mutex: each writes all NATs."""
_ASN: Final = ((64512, 65534), (4200000000, 4294967294), (16550, 16550))


def _asn(name: str, value: Any) -> str:
    if isinstance(value, int) and any(low <= value <= high for low, high in _ASN):
        return ""
    return (
        f'expected "{name}" to be a RFC6996-compliant Local ASN: must be either in the private ASN ranges: '
        f"[64512..65534], [4200000000..4294967294]; or be the value of [16550], got {value}"
    )


class Router(GcpResource):
    token = "gcp:compute/router:Router"
    validators = {
        "bgp.asn": _asn,
    }


class RouterNat(GcpResource):
    token = "gcp:compute/routerNat:RouterNat"

    def wrong_fields(self, context: GcpContext, inputs: Props) -> Iterator[tuple[str, str]]:
        body, places = self.body(context, inputs)
        yield from wrong_body(self.api, self.schema, "", body, places)

    def rules(self, inputs: Props) -> Iterator[Failure]:
        # resourceComputeRouterNatDrainNatIpsCustomDiff
        if inputs.get("drainNatIps") and inputs.get("natIpAllocateOption") == "AUTO_ONLY":
            yield Failure(
                "drainNatIps",
                'drain_nat_ips cannot be set if nat_ip_allocate_option is set to "AUTO_ONLY"',
            )

    def make(self, context: GcpContext, inputs: Props, body: Props) -> Props:
        def added(nats: list[Props]) -> list[Props]:
            found = next((nat for nat in nats if nat.get("name") == body["name"]), None)
            if found is None:
                return [*nats, body]
            # A create that was broken off finds what it made; else it is another create's.
            shown = self.shape.decode(self.sdk_schema.inputs, found)
            if any(name in shown and not self.same(name, shown[name], inputs[name]) for name in inputs):
                raise CloudError(
                    f"Unable to create RouterNat, existing object already found: {found}", path="name"
                )
            return nats

        return self._patched(context, "", inputs, added)

    def find(self, context: GcpContext, id: str, values: Props) -> Props | None:
        router = super().find(context, id, values)
        nats = (router or {}).get("nats") or []
        return next((nat for nat in nats if nat.get("name") == values.get("name")), None)

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        if not self.changed(old, new) - {"deletionPolicy"}:
            return
        body, _ = self.body(context, new)

        def replaced(nats: list[Props]) -> list[Props]:
            return [{**nat, **body} if nat.get("name") == body["name"] else nat for nat in nats]

        self._patched(context, id, new, replaced)

    def unmake(self, context: GcpContext, id: str, state: Props) -> None:
        name = self.values(context, id, state).get("name")
        self._patched(context, id, state, lambda nats: [nat for nat in nats if nat.get("name") != name])

    def _patched(
        self, context: GcpContext, id: str, props: Props, change: Callable[[list[Props]], list[Props]]
    ) -> Props:
        values = self.values(context, id, props)
        params = self.filled(self.params, values)
        with _LOCKS["/".join(str(params[key]) for key in ("project", "region", "router"))]:
            try:
                router = context.call("compute.routers.get", params)
            except Refusal as error:
                if error.code == NOT_FOUND and id:
                    return {}
                raise
            nats = change(list(router.get("nats") or []))
            # Not keyed by the intent: what is written depends on what the router holds now.
            plain = context.with_intent("")
            return self.done(plain, plain.call("compute.routers.patch", params, {"nats": nats}), "Updating")
