"""Pub/Sub: topics, subscriptions and schemas."""

from __future__ import annotations

from typing import ClassVar

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.entry import Change
from twin.gcp.resources.fields import Field
from twin.provider_interface import Props


class Wrapped(GcpResource):
    """A type whose changes are in a request with the mask next to them."""

    wrapper: ClassVar[str]
    """The request's field (`topic`)."""

    def apply(
        self, context: GcpContext, id: str, call: Change, changed: set[str], old: Props, new: Props
    ) -> None:
        body, mask = self.change_body(context, call, changed, new)
        self._sent(context, id, {**old, **{k: v for k, v in new.items() if v is not None}}, body, mask)

    def set_labels(self, context: GcpContext, id: str, old: Props, new: Props, labels: Props) -> None:
        self._sent(context, id, {**old, **new}, {"labels": labels}, ["labels"])

    def _sent(self, context: GcpContext, id: str, props: Props, body: Props, mask: list[str]) -> None:
        params = self.filled(self.params, self.values(context, id, props))
        values = {name: value for name, value in body.items() if value is not None}
        answered = {self.wrapper: {"name": params["name"], **values}, "updateMask": ",".join(mask)}
        context.call(f"{self.collection}.patch", params, answered)


class Subscription(Wrapped):
    token = "gcp:pubsub/subscription:Subscription"
    fields = {
        "expirationPolicy": Field(
            # Without a time it never expires: the empty text is the provider's word for that.
            encode=lambda value: {} if isinstance(value, dict) and not value.get("ttl") else value,
            decode=lambda value: {"ttl": "", **value} if isinstance(value, dict) else value,
        ),
    }
