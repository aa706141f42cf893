"""Pub/Sub: topics, subscriptions and schemas."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Final

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.entry import Change
from twin.gcp.resources.fields import Field, only_read
from twin.gcp.resources.links import same_thing
from twin.gcp.resources.validators import length
from twin.provider_interface import AutoName, Failure, Props

_INGESTION: Final = "ingestionDataSourceSettings"


class Wrapped(GcpResource):
    """A type whose changes stand in a request with the mask beside them."""

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
        kept = {name: value for name, value in body.items() if value is not None}
        told = {self.wrapper: {"name": params["name"], **kept}, "updateMask": ",".join(mask)}
        context.call(f"{self.collection}.patch", params, told)


class Topic(Wrapped):
    token = "gcp:pubsub/topic:Topic"
    title = "Topic"
    wrapper = "topic"
    collection = "pubsub.projects.topics"
    schema = "Topic"
    create_method = "create"
    params = {"name": "projects/{project}/topics/{name}", "topic": "projects/{project}/topics/{name}"}
    id_form = "projects/{project}/topics/{name}"
    autoname = AutoName("name", max_length=255)
    names = frozenset({"name"})
    fields = {"tags": Field(read=False)}
    labels = "labels"
    changes = (
        Change(
            (
                *(_INGESTION, "kmsKeyName", "messageRetentionDuration", "messageStoragePolicy"),
                *("messageTransforms", "schemaSettings"),
            ),
        ),
    )


class Subscription(Wrapped):
    token = "gcp:pubsub/subscription:Subscription"
    title = "Subscription"
    wrapper = "subscription"
    collection = "pubsub.projects.subscriptions"
    schema = "Subscription"
    create_method = "create"
    params = {
        "name": "projects/{project}/subscriptions/{name}",
        "subscription": "projects/{project}/subscriptions/{name}",
    }
    id_form = "projects/{project}/subscriptions/{name}"
    autoname = AutoName("name", max_length=255)
    names = frozenset({"name"})
    links = {"topic": "projects/{project}/topics/{value}"}
    fields = {
        "tags": Field(read=False),
        "cloudStorageConfig.state": Field(sent=False),
        "cloudStorageConfig.textConfig.state": Field(sent=False, read=False),
        "expirationPolicy": Field(
            # Without a time it never expires: the empty text is the provider's word for that.
            encode=lambda value: {} if isinstance(value, dict) and not value.get("ttl") else value,
            decode=lambda value: {"ttl": "", **value} if isinstance(value, dict) else value,
        ),
    }
    labels = "labels"
    nested_computed = frozenset(
        {"cloudStorageConfig.textConfig", "retryPolicy.maximumBackoff", "retryPolicy.minimumBackoff"}
        | {"cloudStorageConfig.state"}
    )
    changes = (
        Change(
            (
                *("ackDeadlineSeconds", "bigqueryConfig", "cloudStorageConfig", "deadLetterPolicy"),
                *("enableExactlyOnceDelivery", "expirationPolicy", "messageRetentionDuration"),
                *("messageTransforms", "pushConfig", "retainAckedMessages", "retryPolicy"),
            ),
        ),
    )
    validators = {"filter": length(0, 256)}
    conflicts = (
        (
            "bigqueryConfig.useTopicSchema",
            "bigqueryConfig.useTableSchema",
        ),
    )

    def alike(self, path: str, old: Any, new: Any) -> bool:
        if path == "topic":
            return same_thing(old, new)
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


class Schema(GcpResource):
    token = "gcp:pubsub/schema:Schema"
    title = "Schema"
    collection = "pubsub.projects.schemas"
    schema = "Schema"
    create_method = "create"
    params = {"name": "projects/{project}/schemas/{name}", "view": "FULL"}
    create_params = {"parent": "projects/{project}", "schemaId": "{name}"}
    id_form = "projects/{project}/schemas/{name}"
    autoname = AutoName("name", max_length=255)
    names = frozenset({"name"})
    fields = only_read("revisionId")
    volatile = frozenset({"revisionId"})

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new) & {"definition", "type"}:
            params = self.filled(self.params, self.values(context, id, new))
            body = {
                "name": params["name"],
                "type": new.get("type"),
                "definition": new.get("definition"),
            }
            context.call(f"{self.collection}.commit", params, {"name": params["name"], "schema": body})
