"""Pub/Sub: topics, subscriptions and schemas."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.entry import Change
from twin.gcp.resources.fields import Field
from twin.provider_interface import Failure, Props


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

    def alike(self, path: str, old: Any, new: Any) -> bool:
        if path.startswith("retryPolicy."):
            return str(old).removesuffix("s").rstrip("0").rstrip(".") == str(new).removesuffix("s").rstrip(
                "0"
            ).rstrip(".")
        return False

    def rules(self, inputs: Props) -> Iterator[Failure]:
        config = inputs.get("bigqueryConfig")
        if (
            isinstance(config, dict)
            and isinstance(config.get("table"), str)
            and config["table"].count(".") < 1
        ):
            yield Failure("bigqueryConfig.table", f"PROJECT.DATASET.TABLE is right, got {config['table']!r}")
