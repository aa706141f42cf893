"""A resource type as a table entry: which methods make, read, change and delete it, and how names correspond.

A type is a class whose attributes are the entry; it has methods only where the service or the real provider
has special behaviour. A create always ends with the read that a refresh makes, so that both show the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from twin.core.diff import covers
from twin.core.normalization import settled
from twin.core.templates import fill, parse
from twin.gcp.context import GcpContext
from twin.gcp.context import method as method_of
from twin.gcp.http_client import Refusal, absence_allowed
from twin.gcp.resources.entry import Change
from twin.gcp.resources.labels import labels_now
from twin.gcp.resources.links import last_of
from twin.gcp.resources.long_running_operations import FailedOperation, finished
from twin.gcp.resources.schema_mapping import Shaped, configured
from twin.provider_interface import CloudError, Context, HalfMade, Props

NOT_FOUND: Final = 404
_ZEROS: Final[tuple[Any, ...]] = (False, 0, "", [], {})
_NOTHING: Final[tuple[Any, ...]] = (None, "", 0, False, [], {})


class GcpResource(Shaped):
    """One resource type; the attributes are its table entry."""

    # Create

    def create(self, context: Context, inputs: Props) -> tuple[str, Props]:
        context = configured(context)
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
        except (CloudError, Refusal) as error:
            # The operation goes on: what comes of it is found by the next run. An id that only its end states
            # (a quota override's) is not known.
            id = fill(self.id_form, self.values(context, "", inputs))
            if not isinstance(id, str):
                raise
            words = error.words if isinstance(error, Refusal) else str(error)
            raise HalfMade(f"Error creating {self.title}: {words}", id, inputs) from error

    def written(self, context: GcpContext, id: str, inputs: Props, absent: str) -> Props:
        """What a read states of what was just written; HalfMade where it fails. absent: where it is not."""
        try:
            outputs = self.read(context, id, inputs)
        except CloudError as error:
            raise HalfMade(str(error), id, inputs, code=error.code, path=error.path) from error
        if outputs is None:
            raise HalfMade(f"Error reading {self.title} {id!r}: {absent}", id, inputs)
        return outputs

    def _complete(self, context: GcpContext, id: str, inputs: Props, places: Mapping[str, str]) -> Props:
        with self.errors("creating", places):
            self.after_create(context, id, inputs)
        outputs = self.read(context, id, inputs)
        if outputs is None:
            raise CloudError(f"Error reading {self.title} {id!r}: not found after its creation")
        return outputs

    def finish(self, context: Context, id: str, inputs: Props) -> None:
        context = configured(context)
        with self.errors("creating", {}):
            self.after_create(context, id, self.prepared(context, inputs))

    def make(self, context: GcpContext, inputs: Props, body: Props) -> Props:
        """The create call."""
        params = self.filled({**self.params, **self.create_params}, self.values(context, "", inputs))
        return context.call(f"{self.collection}.{self.create_method}", params, body)

    def made_id(self, context: GcpContext, inputs: Props, answer: Props) -> str:
        """The id of what creating made."""
        if self.named_by_service:
            return str(answer["name"])
        return str(fill(self.id_form, self.values(context, "", inputs)))

    def failed_create(self, context: GcpContext, inputs: Props, error: FailedOperation) -> None:
        """The operation of a create failed: see that nothing is left of it, as a plain error promises."""

    def after_create(self, context: GcpContext, id: str, inputs: Props) -> None:
        """What creating cannot set. Must be repeatable."""
        if self.labels_after and inputs.get("effectiveLabels"):
            self.set_labels(context, id, inputs, inputs, inputs["effectiveLabels"])

    # Read

    def read(self, context: Context, id: str, state: Props) -> Props | None:
        context = configured(context)
        if not state and not self.importable:
            raise CloudError(f"resource {self.token} doesn't support import")
        values = self.values(context, id, state)
        with self.errors("reading", {}):
            item = self.find(context, id, values)
            return None if item is None else self.outputs(context, id, item, state)

    def find(self, context: GcpContext, id: str, values: Props) -> Props | None:
        """What the API states of the resource, or None where it is gone."""
        with absence_allowed():
            return context.call(f"{self.collection}.{self.read_method}", self.filled(self.params, values))
        return None

    def outputs(self, context: GcpContext, id: str, item: Props, state: Props) -> Props:
        """All outputs from what the API states; what it does not state is taken from the state."""
        outputs = self.shape.decode(self.sdk_schema.outputs, item)
        for name in self.names:
            if isinstance(outputs.get(name), str):
                outputs[name] = last_of(outputs[name])
        # Google leaves out what is false, 0 or empty: it is what was asked for.
        zeros = {name: state[name] for name in self.sdk_schema.inputs if state.get(name) in _ZEROS}
        outputs = {**zeros, **outputs, **self._unreported(context, id, state)}
        outputs |= self.more(context, id, item, {**state, **outputs})
        if self.labels:
            outputs.pop(self.labels, None)
            outputs |= labels_now(item.get(self.label_field) or {}, state, self.labels)
        whole = settled(
            outputs,
            state,
            sets=self.sets,
            documents=frozenset(),
            declared=self.declared,
            others_change=frozenset(),
            alike=self.means,
        )
        resource_id = self.own_id(context, id, whole)
        return (
            {**whole, "id": resource_id}
            if resource_id != id and "id" not in self.sdk_schema.outputs
            else whole
        )

    def _unreported(self, context: GcpContext, id: str, state: Props) -> Props:
        """Outputs that the state or the id knows, and no answer."""
        known = self.sdk_schema.outputs
        unreported: Props = {}
        for path, field in self.fields.items():
            if not field.read and "." not in path and state.get(path) is not None:
                unreported[path] = state[path]
        values = self.values(context, id, state)
        for name in ("project", self.place, *parse(self.id_form, id)):
            if name and name in known and isinstance(values.get(name), str):
                unreported[name] = values[name] if name not in state else state[name]
        if "deletionPolicy" in known:
            unreported["deletionPolicy"] = (
                state.get("deletionPolicy") or self.default_policy or context.deletion_policy
            )
        return unreported

    def more(self, context: GcpContext, id: str, item: Props, known: Props) -> Props:
        """Outputs that are made of others, or that further calls answer."""
        return {}

    def own_id(self, context: GcpContext, id: str, outputs: Props) -> str:
        """The id in its own form; an import may name the resource in a shorter one."""
        if self.whole_id:
            return id
        id_ = fill(self.id_form, {**self.values(context, id, outputs), **self.parsed(id)})
        return id_ if isinstance(id_, str) else id

    # Update

    def update(self, context: Context, id: str, old: Props, new: Props) -> Props:
        context = configured(context)
        new = self.prepared(context, new)
        body, places = self.body(context, new)
        with self.errors("updating", places, body):
            self.change(context, id, old, new)
            self.change_labels(context, id, old, new)
        outputs_only = {k: v for k, v in old.items() if k not in self.sdk_schema.inputs}
        managed = {"pulumiLabels": self._managed_labels(context, old, new)} if self.labels else {}
        computed = {k: v for k, v in old.items() if k in self.computed and new.get(k) is None}
        outputs = self.read(context, id, {**outputs_only, **computed, **new, **managed})
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
        labels = {k: v for k, v in before.items() if k not in (old.get("pulumiLabels") or {}) or k in wanted}
        after = {**labels, **wanted}
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
            takes = method_of(called)
            query = query if "updateMask" in takes.parameters else None
            answer = context.call(called, self.filled(self.params, values), body, query)
        else:
            now = self.find(context, id, values) or {}
            body = {"labels": labels, "labelFingerprint": now.get("labelFingerprint", "")}
            params = {**self.filled(self.params, values), "resource": values.get("name")}
            answer = context.call(f"{self.collection}.{self.label_call}", params, body)
        self.done(context, answer, "Updating")

    # Delete

    def delete(self, context: Context, id: str, state: Props) -> None:
        context = configured(context)
        if self.deletes_by_policy and self.kept_by_policy(id, state):
            return
        if self.protected and state.get("deletionProtection"):
            what = self.protected.format(id=id)
            raise CloudError(
                f"cannot destroy {what} without setting deletion_protection=false and running `pulumi up`",
                path="deletionProtection",
            )
        with self.errors("deleting", {}), absence_allowed():
            self.unmake(context, id, state)

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

    def done(self, context: GcpContext, answer: Props, action: str) -> Props:
        """The answer when its operation is done."""
        return finished(context, self.api, answer, f"{action} {self.title}", self.minutes * 60)


def _put_none(body: Props, path: list[str]) -> None:
    for part in path[:-1]:
        body = body.setdefault(part, {})
    body[path[-1]] = None
