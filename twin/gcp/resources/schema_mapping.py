"""What a table entry's attributes mean without a change of anything: shapes, checks, values, words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from twin.checks.sdk import sdk
from twin.core.normalization import equal
from twin.core.templates import fill, parse
from twin.gcp.api_server import discovery
from twin.gcp.apis import APIS
from twin.gcp.conditions import hold
from twin.gcp.configuration import label_failures
from twin.gcp.context import GcpContext
from twin.gcp.http_client import Refusal
from twin.gcp.resources import suppressed
from twin.gcp.resources.checking import blamed, wrong_body
from twin.gcp.resources.entry import SDK, Entry
from twin.gcp.resources.fields import Shape
from twin.gcp.resources.labels import with_labels, without_attribution
from twin.gcp.resources.links import last_of, relative, same_thing
from twin.gcp.resources.validators import wrong_values
from twin.provider_interface import CloudError, Context, Failure, Props


class Shaped(Entry):
    """One resource type as far as no call is made."""

    @property
    def api(self) -> str:
        """The API's name."""
        return self.collection.partition(".")[0].partition("@")[0]

    @property
    def version(self) -> str:
        """The API's version: the provider's usual one, or that of the collection (`name@v2.things`)."""
        return self.collection.partition(".")[0].partition("@")[2] or APIS[self.api].version

    @cached_property
    def shape(self) -> Shape:
        """How properties and fields correspond."""
        return self.shape_of(self.schema)

    def shape_of(self, root: str) -> Shape:
        """The same with another schema of the API."""
        description = discovery.document(self.api, self.version)
        return Shape(sdk(SDK), description.schemas if description else {}, root, self.fields)

    # Validation

    def check(self, context: Context, inputs: Props) -> Sequence[Failure]:
        context = configured(context)
        failures = [*wrong_values(self.validators, inputs)]
        failures += self.wrong_company(inputs)
        failures += self.rules(inputs)
        failures += [
            Failure(demand.get("path") or next(iter(demand["when"])), demand["words"].format(**inputs))
            for demand in self.demands
            if hold(inputs, demand["when"])
        ]
        failures += [Failure(path, why) for path, why in self.refused.items() if inputs.get(path)]
        if self.labels:
            failures += label_failures(self.labels, inputs.get(self.labels))
        seen = {failure.path for failure in failures}
        for path, reason in self.wrong_fields(context, self.prepared(context, inputs)):
            if path not in seen:
                seen.add(path)
                failures.append(Failure(path, reason))
        return failures

    def rules(self, inputs: Props) -> Iterator[Failure]:
        """What the provider or the service demands beyond schemas. UNKNOWN passes."""
        return iter(())

    def wrong_fields(self, context: GcpContext, inputs: Props) -> Iterator[tuple[str, str]]:
        """What the API's schema refuses of the body that these inputs would send."""
        if self.check_as == "":
            return
        try:
            body, places = self.body(context, inputs)
        except CloudError as error:
            yield error.path, str(error)
            return
        called = f"{self.collection}.{self.create_method}".replace(f"@{self.version}", "", 1)
        schema = self.check_as or self.request or self.schema
        yield from wrong_body(self.api, schema, "" if self.check_as else called, body, places, self.version)

    def same(self, path: str, old: Any, new: Any) -> bool:
        if path == "effectiveLabels" and isinstance(old, dict) and isinstance(new, dict):
            # Labels that others set stay: only what the program and the provider set is managed.
            return with_labels(old, new)
        if path == "pulumiLabels" and isinstance(old, dict) and isinstance(new, dict):
            return old == new or old == without_attribution(new)
        return equal(path, old, new, self.sets, frozenset(), self.means)

    def means(self, path: str, old: Any, new: Any) -> bool:
        """Whether two values that differ mean the same, by the provider's functions or by the entry."""
        return suppressed.alike(self.suppressed.get(path, ""), old, new) or self.alike(path, old, new)

    def alike(self, path: str, old: Any, new: Any) -> bool:
        """Whether two values that differ mean the same: links to one thing."""
        return (path in self.links or path in self.names) and same_thing(old, new)

    # What the provider adds to the inputs

    def prepared(self, context: GcpContext, inputs: Props) -> Props:
        """The inputs with the provider's project, place, labels and deletion policy."""
        known = self.sdk_schema.inputs
        added: Props = {}
        if self.has_project and "project" in known and not inputs.get("project") and context.project:
            added["project"] = context.project
        if self.place and not inputs.get(self.place):
            place = self.default_place(context)
            if place:
                added[self.place] = place
        if "deletionPolicy" in known and self.deletes_by_policy and not inputs.get("deletionPolicy"):
            added["deletionPolicy"] = self.default_policy or context.deletion_policy
        if self.labels:
            managed = context.labels.managed(inputs.get(self.labels), None)
            added |= {"pulumiLabels": managed, "effectiveLabels": managed}
        whole = {**inputs, **added}
        for path, value in self.nested_defaults.items():
            _default(whole, path.split("."), value)
        return whole

    def default_place(self, context: GcpContext) -> str:
        """Where the provider puts it when the program does not say."""
        if self.place == "zone":
            return context.zone
        if self.place == "region":
            return context.region or context.zone.rpartition("-")[0]
        return context.zone or context.region

    # What is sent

    def body(self, context: GcpContext, inputs: Props) -> tuple[Props, dict[str, str]]:
        """What creating sends, and by each field's path the property that it came from."""
        sent = self.linked(context, inputs)
        # The deletion policy steers the provider alone.
        place = {self.place, "project", "deletionPolicy"}
        sent = {
            name: value
            for name, value in sent.items()
            if name in self.sdk_schema.inputs and name != self.labels and name not in place
        }
        body, places = self.shape_of(self.request or self.schema).encode(self.sdk_schema.inputs, sent)
        if self.labels and not self.labels_after and inputs.get("effectiveLabels"):
            body[self.label_field] = inputs["effectiveLabels"]
            places[self.label_field] = self.labels
        return body, places

    @property
    def label_field(self) -> str:
        """The API's field with the labels."""
        return self.labels

    def linked(self, context: GcpContext, inputs: Props) -> Props:
        """The inputs with every reference as the API takes it: a bare name becomes a path."""
        result = dict(inputs)
        values = self.values(context, "", inputs)
        for path, form in self.links.items():
            parts = path.split(".")
            if parts[0] in result:
                result[parts[0]] = _relinked(result[parts[0]], parts[1:], form, values)
        return result

    # Names and words

    def values(self, context: GcpContext, id: str, props: Props) -> Props:
        """What templates may name: properties, the parts of the id, project and place."""
        values = {name: value for name, value in props.items() if value is not None}
        values.setdefault("project", context.project)
        if self.place and not values.get(self.place):
            values[self.place] = self.default_place(context)
        values |= self.parsed(id)
        for name in (self.place, "project", *self.names):
            if isinstance(values.get(name), str):
                values[name] = last_of(values[name])
        return {**values, "id": id} if id else values

    def parsed(self, id: str) -> dict[str, str]:
        """The parts of an id, in its own form or in one of the shorter ones that an import may use."""
        if self.whole_id:
            return {self.whole_id: id} if id else {}
        parts = re.findall(r"\{(\w+)\}", self.id_form)
        without = [part for part in parts if part != "project"]
        short = [part for part in without if part != self.place]
        for form in (self.id_form, _joined(parts), _joined(without), _joined(short)):
            if form.count("/") == relative(id).count("/") or form == self.id_form:
                parsed = parse(form, relative(id))
                if parsed:
                    return parsed
        return {}

    def filled(self, params: Mapping[str, str], values: Props) -> Props:
        """Parameters with their values."""
        return dict(fill(params, values))

    @contextmanager
    def errors(self, action: str, places: Mapping[str, str], body: Any = None) -> Iterator[None]:
        """Turn Google's refusals into the provider's words, with the property concerned.

        places, body: what is sent, and the property that each of its fields came from.
        """
        try:
            yield
        except Refusal as error:
            raise CloudError(
                f"Error {action} {self.title}: {error.words}",
                code=error.reason or error.status,
                path=blamed(error.message, self.paths, places, body),
            ) from error


def configured(context: Context) -> GcpContext:
    assert isinstance(context, GcpContext)  # noqa: S101 - states the type checker
    return context


def _joined(parts: Sequence[str]) -> str:
    return "/".join(f"{{{part}}}" for part in parts)


def _relinked(value: Any, parts: list[str], form: str, values: Props) -> Any:
    if isinstance(value, list):
        return [_relinked(item, parts, form, values) for item in value]
    if parts:
        if not isinstance(value, dict) or parts[0] not in value:
            return value
        return {**value, parts[0]: _relinked(value[parts[0]], parts[1:], form, values)}
    if not isinstance(value, str) or not value:
        return value
    if "/" in value:
        return relative(value)
    return fill(form, {**values, "value": value}) if form else value


def _default(target: Props, path: list[str], value: Any) -> None:
    """Set a default inside of an object that is there; the objects on the way are copied."""
    name, rest = path[0], path[1:]
    if not rest:
        if target.get(name) is None:
            target[name] = value
        return
    inside = target.get(name)
    if isinstance(inside, list):
        target[name] = [dict(item) if isinstance(item, dict) else item for item in inside]
        for item in target[name]:
            if isinstance(item, dict):
                _default(item, rest, value)
    elif isinstance(inside, dict):
        target[name] = dict(inside)
        _default(target[name], rest, value)
