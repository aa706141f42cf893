"""A resource type as a table entry: which methods make, read, change and delete it, and how names correspond.

A type is a class whose attributes are the entry; it has methods only where the service or the real provider
has behaviour of its own. A create always ends with the read that a refresh makes, so that both tell the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Final

from twin.checks.sdk import ResourceSchema, sdk
from twin.core.diff import covers
from twin.core.settle import equal, settled
from twin.core.templates import fill, parse
from twin.gcp import discovery
from twin.gcp.apis import APIS
from twin.gcp.calling import Refusal
from twin.gcp.configuration import label_failures
from twin.gcp.context import GcpContext
from twin.gcp.resources.checking import blamed, wrong_body
from twin.gcp.resources.entry import Change, Entry
from twin.gcp.resources.fields import Shape
from twin.gcp.resources.labels import labels_now, with_labels
from twin.gcp.resources.links import last_of, relative, same_thing
from twin.gcp.resources.pending import FailedOperation, finished
from twin.gcp.resources.validators import at, wrong_company, wrong_values
from twin.resource import UNKNOWN, CloudError, Context, Failure, HalfMade, Props

SDK: Final = "pulumi_gcp"
NOT_FOUND: Final = 404
_NOTHING: Final[tuple[Any, ...]] = (None, "", 0, False, [], {})


class GcpResource(Entry):
    """One resource type; the attributes are its table entry."""

    @property
    def api(self) -> str:
        """The API's name."""
        return self.collection.partition(".")[0]

    @cached_property
    def sdk_schema(self) -> ResourceSchema:
        """Inputs and outputs by the SDK."""
        found = sdk(SDK).resource(self.token)
        if found is None:
            raise LookupError(f"{SDK} has no {self.token}")
        return found

    @cached_property
    def shape(self) -> Shape:
        """How properties and fields correspond."""
        return self.shape_of(self.schema)

    def shape_of(self, root: str) -> Shape:
        """The same with another schema of the API."""
        found = discovery.document(self.api, APIS[self.api].version)
        return Shape(sdk(SDK), found.schemas if found else {}, root, self.fields)

    # Validation

    def check(self, context: Context, inputs: Props) -> Sequence[Failure]:
        context = _gcp(context)
        failures = [*wrong_values(self.validators, inputs)]
        failures += wrong_company(self.conflicts, self.exactly_one, inputs)
        failures += self.rules(inputs)
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
        try:
            body, places = self.body(context, inputs)
        except CloudError as error:
            yield error.path, str(error)
            return
        called = f"{self.collection}.{self.create_method}"
        yield from wrong_body(self.api, self.request or self.schema, called, body, places)

    def same(self, path: str, old: Any, new: Any) -> bool:
        if path == "effectiveLabels" and isinstance(old, dict) and isinstance(new, dict):
            # Labels that others set stay: only what the program and the provider set is managed.
            return with_labels(old, new)
        if path == "pulumiLabels" and isinstance(old, dict) and isinstance(new, dict):
            return old == new or old == without_attribution(new)
        return equal(path, old, new, self.sets, frozenset(), self.alike)

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
            added["deletionPolicy"] = context.deletion_policy
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

    # Create

    def create(self, context: Context, inputs: Props) -> tuple[str, Props]:
        context = _gcp(context)
        inputs = self.prepared(context, inputs)
        body, places = self.body(context, inputs)
        with self.errors("creating", places, body):
            answer = self.make(context, inputs, body)
            answer = self._settled_create(context, inputs, answer)
        id = self.made_id(context, inputs, answer)
        try:
            return id, self._complete(context, id, inputs, places)
        except CloudError as error:
            raise HalfMade(str(error), id, inputs, code=error.code, path=error.path) from error

    def _settled_create(self, context: GcpContext, inputs: Props, answer: Props) -> Props:
        try:
            return self.done(context, answer, "Creating")
        except FailedOperation as error:
            self.failed_create(context, inputs, error)
            raise

    def _complete(self, context: GcpContext, id: str, inputs: Props, places: Mapping[str, str]) -> Props:
        with self.errors("creating", places):
            self.after_create(context, id, inputs)
        outputs = self.read(context, id, inputs)
        if outputs is None:
            raise CloudError(f"Error reading {self.title} {id!r}: not found after its creation")
        return outputs

    def body(self, context: GcpContext, inputs: Props) -> tuple[Props, dict[str, str]]:
        """What creating sends, and by each field's path the property that it came from."""
        sent = self.linked(context, inputs)
        place = {self.place, "project"}
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

    def make(self, context: GcpContext, inputs: Props, body: Props) -> Props:
        """The create call."""
        params = self.filled({**self.params, **self.create_params}, self.values(context, "", inputs))
        return context.call(f"{self.collection}.{self.create_method}", params, body)

    def made_id(self, context: GcpContext, inputs: Props, answer: Props) -> str:
        """The id of what creating made."""
        return str(fill(self.id_form, self.values(context, "", inputs)))

    def failed_create(self, context: GcpContext, inputs: Props, error: FailedOperation) -> None:
        """The operation of a create failed: see that nothing is left of it, as a plain error promises."""

    def after_create(self, context: GcpContext, id: str, inputs: Props) -> None:
        """What creating cannot set. Must be repeatable."""
        if self.labels_after and inputs.get("effectiveLabels"):
            self.set_labels(context, id, inputs, inputs, inputs["effectiveLabels"])

    # Read

    def read(self, context: Context, id: str, state: Props) -> Props | None:
        context = _gcp(context)
        values = self.values(context, id, state)
        with self.errors("reading", {}):
            item = self.find(context, id, values)
            return None if item is None else self.outputs(context, id, item, state)

    def find(self, context: GcpContext, id: str, values: Props) -> Props | None:
        """What the API tells of the resource, or None where it is gone."""
        try:
            return context.call(f"{self.collection}.{self.read_method}", self.filled(self.params, values))
        except Refusal as error:
            if error.code == NOT_FOUND:
                return None
            raise

    def outputs(self, context: GcpContext, id: str, item: Props, state: Props) -> Props:
        """All outputs from what the API tells; what it does not tell is taken from the state."""
        found = self.shape.decode(self.sdk_schema.outputs, item)
        for name in self.names:
            if isinstance(found.get(name), str):
                found[name] = last_of(found[name])
        found |= self._untold(context, id, state)
        found |= self.more(context, id, item, {**state, **found})
        if self.labels:
            found.pop(self.labels, None)
            found |= labels_now(item.get(self.label_field) or {}, state, self.labels)
        whole = settled(
            found,
            state,
            sets=self.sets,
            documents=frozenset(),
            declared=self.declared,
            others_change=frozenset(),
            alike=self.alike,
        )
        own = self.own_id(context, id, whole)
        return {**whole, "id": own} if own != id and "id" not in self.sdk_schema.outputs else whole

    def _untold(self, context: GcpContext, id: str, state: Props) -> Props:
        """Outputs that the state or the id knows, and no answer."""
        known = self.sdk_schema.outputs
        found: Props = {}
        for path, field in self.fields.items():
            if not field.read and "." not in path and state.get(path) is not None:
                found[path] = state[path]
        values = self.values(context, id, state)
        for name in ("project", self.place, *parse(self.id_form, id)):
            if name and name in known and isinstance(values.get(name), str):
                found[name] = values[name] if name not in state else state[name]
        if "deletionPolicy" in known:
            found["deletionPolicy"] = state.get("deletionPolicy") or context.deletion_policy
        return found

    def more(self, context: GcpContext, id: str, item: Props, known: Props) -> Props:
        """Outputs that are made of others, or that further calls tell."""
        return {}

    def own_id(self, context: GcpContext, id: str, outputs: Props) -> str:
        """The id in its own form; an import may name the resource in a shorter one."""
        made = fill(self.id_form, {**self.values(context, id, outputs), **self.parsed(id)})
        return made if isinstance(made, str) else id

    # Update

    def update(self, context: Context, id: str, old: Props, new: Props) -> Props:
        context = _gcp(context)
        new = self.prepared(context, new)
        with self.errors("updating", {}):
            self.change(context, id, old, new)
            self.change_labels(context, id, old, new)
        outputs_only = {k: v for k, v in old.items() if k not in self.sdk_schema.inputs}
        managed = {"pulumiLabels": self._managed_labels(context, old, new)} if self.labels else {}
        kept = {k: v for k, v in old.items() if k in self.computed and new.get(k) is None}
        outputs = self.read(context, id, {**outputs_only, **kept, **new, **managed})
        if outputs is None:
            raise CloudError(f"Error updating {self.title} {id!r}: not found")
        return outputs

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        """The calls for what changed, labels apart."""
        changed = self.changed(old, new)
        for call in self.changes:
            if changed.intersection(call.when):
                self.apply(context, id, call, changed, old, new)

    def apply(
        self, context: GcpContext, id: str, call: Change, changed: set[str], old: Props, new: Props
    ) -> None:
        """One call of a change."""
        values = self.values(context, id, {**old, **{k: v for k, v in new.items() if v is not None}})
        body, mask = self.change_body(context, call, changed, new)
        body |= fill(call.body, values)
        if call.fingerprint:
            now = self.find(context, id, values) or {}
            if now.get(call.fingerprint):
                body[call.fingerprint] = now[call.fingerprint]
        method = call.method if "." in call.method else f"{self.collection}.{call.method}"
        query = {"updateMask": ",".join(mask)} if call.mask else None
        answer = context.call(method, self.filled(self.params, values), body, query)
        self.done(context, answer, "Updating")

    def change_body(
        self, context: GcpContext, call: Change, changed: set[str], new: Props
    ) -> tuple[Props, list[str]]:
        """The body of a change and the top-level fields that it names."""
        if call.whole:
            body, _ = self.body(context, new)
            return body, sorted(body)
        names = call.send if call.send is not None else tuple(sorted(changed.intersection(call.when)))
        linked = self.linked(context, {name: new.get(name) for name in names})
        body, _ = self.shape.encode(self.sdk_schema.inputs, linked)
        for name in names:
            # What the program leaves out now is cleared.
            if linked.get(name) is None:
                field = self.fields.get(name)
                _put_none(body, (field.api if field and field.api else name).split("."))
        return body, sorted(body)

    def changed(self, old: Props, new: Props) -> set[str]:
        """The inputs that an update has to change: a computed one that the program leaves out stays."""
        return {
            name
            for name in self.sdk_schema.inputs
            if name != self.labels
            and not (new.get(name) is None and (name in self.computed or name not in old))
            and not (new.get(name) in _NOTHING and old.get(name) in _NOTHING)
            and not self._has(name, old.get(name), new.get(name))
        }

    def _has(self, name: str, has: Any, wanted: Any) -> bool:
        """Whether there is what is wanted; of an object, only what is asked for counts."""
        if wanted is None:
            return self.same(name, has, self.defaults.get(name))
        return self.same(name, has, wanted) or (isinstance(wanted, dict) and covers(self, name, has, wanted))

    def change_labels(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        """Set the labels that the program and the provider manage; those of others stay."""
        if not self.labels:
            return
        before = dict(old.get("effectiveLabels") or {})
        wanted = self._managed_labels(context, old, new)
        kept = {k: v for k, v in before.items() if k not in (old.get("pulumiLabels") or {}) or k in wanted}
        after = {**kept, **wanted}
        if after != before:
            self.set_labels(context, id, old, new, after)

    def _managed_labels(self, context: GcpContext, old: Props, new: Props) -> Props:
        return context.labels.managed(new.get(self.labels), old.get("effectiveLabels") or {})

    def set_labels(self, context: GcpContext, id: str, old: Props, new: Props, labels: Props) -> None:
        """The call that sets all labels."""
        values = self.values(context, id, {**old, **new})
        if not self.label_call:
            body = {self.label_field: labels}
            query = {"updateMask": self.label_field}
            called = f"{self.collection}.patch"
            takes = discovery.known(called, APIS[self.api].version)
            query = query if takes and "updateMask" in takes.parameters else None
            answer = context.call(called, self.filled(self.params, values), body, query)
        else:
            now = self.find(context, id, values) or {}
            body = {"labels": labels, "labelFingerprint": now.get("labelFingerprint", "")}
            params = {**self.filled(self.params, values), "resource": values.get("name")}
            answer = context.call(f"{self.collection}.{self.label_call}", params, body)
        self.done(context, answer, "Updating")

    # Delete

    def delete(self, context: Context, id: str, state: Props) -> None:
        context = _gcp(context)
        if self.deletes_by_policy and self.kept_by_policy(id, state):
            return
        with self.errors("deleting", {}):
            try:
                self.unmake(context, id, state)
            except Refusal as error:
                if error.code != NOT_FOUND:
                    raise

    def kept_by_policy(self, id: str, state: Props) -> bool:
        """Whether `deletionPolicy` leaves the resource to itself; CloudError where it forbids the delete."""
        policy = state.get("deletionPolicy")
        if policy == "PREVENT":
            raise CloudError(
                f'cannot destroy {self.title} ({id}) without setting deletionPolicy="DELETE" and running '
                "`pulumi up`",
                path="deletionPolicy",
            )
        return policy == "ABANDON"

    def unmake(self, context: GcpContext, id: str, state: Props) -> None:
        """The delete call, to its end."""
        if self.delete_method:
            params = self.filled(self.params, self.values(context, id, state))
            answer = context.call(f"{self.collection}.{self.delete_method}", params)
            self.done(context, answer, "Deleting")

    # Common

    def done(self, context: GcpContext, answer: Props, action: str) -> Props:
        """The answer when its operation is done."""
        return finished(context, self.api, answer, f"{action} {self.title}", self.minutes * 60)

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
        parts = re.findall(r"\{(\w+)\}", self.id_form)
        without = [part for part in parts if part != "project"]
        short = [part for part in without if part != self.place]
        for form in (self.id_form, _joined(parts), _joined(without), _joined(short)):
            if form.count("/") == relative(id).count("/") or form == self.id_form:
                found = parse(form, relative(id))
                if found:
                    return found
        return {}

    def filled(self, params: Mapping[str, str], values: Props) -> Props:
        """Parameters with their values."""
        return dict(fill(params, values))

    @contextmanager
    def errors(self, action: str, places: Mapping[str, str], body: Any = None) -> Iterator[None]:
        """Turn Google's refusals into the provider's words, with the property at fault.

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


def without_attribution(labels: Props) -> Props:
    """The labels without Google's label of provenance."""
    from twin.gcp.context import ATTRIBUTION

    return {key: value for key, value in labels.items() if key != ATTRIBUTION[0]}


def _gcp(context: Context) -> GcpContext:
    assert isinstance(context, GcpContext)  # noqa: S101 - tells the type checker
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


def _put_none(body: Props, path: list[str]) -> None:
    for part in path[:-1]:
        body = body.setdefault(part, {})
    body[path[-1]] = None


def given(props: Props, path: str) -> list[Any]:
    """The known values at a path."""
    return [value for _, value in at(props, path.split(".")) if value is not None and value is not UNKNOWN]
