"""A resource type as a table entry: which calls make, read, change and delete it, and how names correspond.

A type is an entry of `resources.toml` (entries.py); it has a class only where the service has behaviour
that no entry states. A create always ends with the read that a refresh makes: both state the same.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

import jmespath
from botocore.exceptions import BotoCoreError, ClientError
from botocore.utils import merge_dicts

from twin.aws.api_server.errors import cloud_error, code_of
from twin.aws.context import AwsContext
from twin.aws.resources import refusals
from twin.aws.resources.calls import Change, Wait
from twin.aws.resources.entry import Entry
from twin.aws.resources.fields import Field, from_api, property_path, to_api
from twin.aws.resources.tags import tag_path
from twin.aws.resources.waiting import Checked, FailedStateError, issues_text
from twin.aws.validation.parameters import violations
from twin.core.backoff import growing_pauses
from twin.core.normalization import equal, settled, without_none
from twin.core.templates import fill, parse
from twin.provider_interface import UNKNOWN, CloudError, Context, Failure, HalfMade, Props, pause

_UNIQUE: Final = 26
"""The length of the suffix that makes a name from a prefix, as in the real provider."""
_BUSY_SECONDS: Final = 6.0
"""How long a delete is tried again while the API says that dependents are still there."""
_NOTHING: Final[tuple[Any, ...]] = (None, "", 0, False, [], {})


class AwsResource(Entry):
    """One AWS resource type; the attributes are its table entry."""

    # Validation

    def check(self, context: Context, inputs: Props) -> Sequence[Failure]:
        assert isinstance(context, AwsContext)  # noqa: S101 - reports the type checker
        failures = [*self._refused(inputs), *self.rules(inputs)]
        failures += self._check_references(inputs)
        failures += self._check_prefix(inputs)
        seen = {failure.path for failure in failures}
        for failure in self.wrong_company(inputs):
            if failure.path not in seen:
                seen.add(failure.path)
                failures.append(failure)
        prefix, name, _ = self.name_prefix
        if prefix and inputs.get(prefix) and not inputs.get(name):
            inputs = {**inputs, name: UNKNOWN}  # the name is made from its prefix when the resource is
        for call in self.checked_calls(context, inputs):
            for path, reason in violations(self.service, call.operation, call.params):
                where = self.property_of(path) or call.blame
                if where and where not in seen:
                    seen.add(where)
                    failures.append(Failure(where, reason))
        return failures

    def _refused(self, inputs: Props) -> Iterator[Failure]:
        yield from refusals.of_ranges(self.ranges, inputs)
        yield from refusals.of_choices(self.choices, inputs)
        yield from refusals.of_policies(self.policies, inputs)
        for refusal in self.refused:
            yield from refusal.failures(inputs)

    def rules(self, inputs: Props) -> Iterator[Failure]:
        """What the service demands beyond its model and what the entry states. UNKNOWN passes."""
        return iter(())

    def checked_calls(self, context: AwsContext, inputs: Props) -> Iterator[Checked]:
        """The calls that these inputs would make, for validation."""
        yield Checked(self.create_call.operation, self.create_params(context, inputs))
        values = {**self.values(context, "", inputs), "id": UNKNOWN}
        for update in self.updates:
            if update.after_create and any(inputs.get(name) is not None for name in update.when):
                yield Checked(update.call.operation, fill(update.call.params, values), update.when[0])

    def property_of(self, path: str) -> str:
        """The property that an error of a parameter belongs to; empty where no field sends it."""
        property_ = property_path(self.fields, path)
        if not property_ and self.tagging:
            property_ = tag_path(path)
        return property_

    def _check_references(self, inputs: Props) -> Iterator[Failure]:
        for name, prefix in self.references.items():
            value = inputs.get(name)
            members = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
            for index, member in members:
                if isinstance(member, str) and not member.startswith(prefix):
                    path = name if index is None else f"{name}[{index}]"
                    yield Failure(path, f'Invalid id: "{member}" (expecting "{prefix}...")')

    def _check_prefix(self, inputs: Props) -> Iterator[Failure]:
        prefix, name, longest = self.name_prefix
        prefix_value = inputs.get(prefix) if prefix else None
        if isinstance(prefix_value, str) and len(prefix_value) + _UNIQUE > longest:
            yield Failure(
                prefix,
                f"expected length of {prefix} to be in the range (0 - {longest - _UNIQUE}), "
                f"got {prefix_value} ({len(prefix_value)})",
            )
        if prefix_value and inputs.get(name):
            yield Failure(prefix, f'"{prefix}": conflicts with {name}')

    def same(self, path: str, old: Any, new: Any) -> bool:
        return equal(path, old, new, self.sets, self.documents)

    # Create

    def create(self, context: Context, inputs: Props) -> tuple[str, Props]:
        context = self._context(context, inputs)
        inputs = self.named(context, inputs)
        with self.errors("creating", self.describe(inputs)):
            answer = self.make(context, inputs)
            id = self.made_id(context, answer, inputs)
        try:
            return id, self._complete(context, id, inputs, answer)
        except HalfMade:
            raise
        except CloudError as error:
            # The AWS provider sets the id before it goes on: what failed stays in the state, with init
            # errors, and the next update has nothing to change (pulumi-terraform-bridge,
            # pkg/tfbridge/provider.go).
            raise HalfMade(str(error), id, inputs, code=error.code, path=error.path) from error

    def _complete(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> Props:
        with self.errors("creating", self.describe(inputs, id)):
            self.after_create(context, id, inputs, answer)
        try:
            self.wait(context, id, inputs, self.created, "create")
        except CloudError as error:
            raise HalfMade(str(error), id, inputs, code=error.code, path=error.path, complete=True) from error
        outputs = self.read(context, id, inputs)
        if outputs is None:
            raise CloudError(f"reading {self.title} ({id}): couldn't find resource after its creation")
        return outputs

    def make(self, context: AwsContext, inputs: Props) -> Props:
        """The create call."""
        return context.call(self.service, self.create_call.operation, self.create_params(context, inputs))

    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        """The create call's parameters; UNKNOWN stays where it is."""
        params: Props = fill(self.create_call.params, self.values(context, "", inputs))
        merge_dicts(params, to_api(self.fields, inputs))
        if self.tagging:
            params.update(self.tagging.on_create(context.tags.merged(inputs.get("tags"))))
        return params

    def made_id(self, context: AwsContext, answer: Props, inputs: Props) -> str:
        """The id of what the create call made."""
        if self.id_form:
            # What belongs to no other account by its arguments is the caller's.
            account_ids = dict.fromkeys(("catalogId", "accountId"), context.account)
            return str(fill(self.id_form, {**account_ids, **without_none(inputs)}))
        return str(jmespath.search(self.id_path, answer))

    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        """What creating cannot set: the updates that say so. Must be repeatable.

        answer: the create call's, empty where the create failed midway and is finished by a later update.
        """
        values = self.values(context, id, inputs)
        for update in self.updates:
            wanted = [inputs.get(name) for name in update.when]
            if update.after_create and any(value not in (None, update.created) for value in wanted):
                context.call(self.service, update.call.operation, fill(update.call.params, values))

    def finish(self, context: Context, id: str, inputs: Props) -> None:
        context = self._context(context, inputs)
        with self.errors("creating", self.describe(inputs, id)):
            self.after_create(context, id, inputs, {})

    def named(self, context: AwsContext, inputs: Props) -> Props:
        """The inputs with a name made from its prefix: the same one for the same intent."""
        prefix, name, _ = self.name_prefix
        if not prefix or inputs.get(name) or not inputs.get(prefix):
            return inputs
        seed = context.intent or str(time.time_ns())
        digits = str(int(hashlib.sha256(f"{seed}{self.token}".encode()).hexdigest(), 16))
        return {**inputs, name: inputs[prefix] + digits[:_UNIQUE]}

    # Read

    def read(self, context: Context, id: str, state: Props) -> Props | None:
        context = self._context(context, state)
        with self.errors("reading", id):
            item = self.find(context, id, state)
            return None if item is None else self.outputs(context, id, item, state)

    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        """What the read call reports of the resource, or None."""
        try:
            params = fill(self.read_call.params, self.values(context, id, state))
            answer = context.call(self.service, self.read_call.operation, params)
        except ClientError as error:
            if code_of(error) in self.not_found:
                return None
            raise
        item = jmespath.search(self.item, answer) if self.item != "@" else answer
        if not item or (self.gone and jmespath.search(self.gone, item)):
            return None
        return item

    def outputs(self, context: AwsContext, id: str, item: Any, state: Props) -> Props:
        """All outputs from what the read call reports; what no API reports is taken from the state."""
        outputs = {name: value for name, value in parse(self.id_form, id).items() if name in self.fields}
        outputs |= from_api(self.fields, item)
        for name, field in self.fields.items():
            if not field.path and state.get(name) is not None:
                outputs[name] = state[name]
        outputs |= self.more(context, id, item, {**state, **outputs})
        if self.templates:
            outputs |= fill(self.templates, self.values(context, id, {**state, **outputs}))
        if self.arn_form:
            outputs["arn"] = fill(self.arn_form, self.values(context, id, {**state, **outputs}))
        if self.regional:
            outputs["region"] = context.region
        outputs |= self._tags(context, id, item, {**state, **outputs}, state)
        return settled(
            outputs,
            state,
            sets=self.sets,
            documents=self.documents,
            declared=self.declared,
            others_change=self.others_change,
        )

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        """Outputs that further calls report."""
        return {}

    def _tags(self, context: AwsContext, id: str, item: Any, known: Props, state: Props) -> Props:
        if self.tagging is None:
            return {}
        remote = self.tagging.remote(context, self.service, item, self.values(context, id, known))
        resource_tags = context.tags.of_resource(remote, state.get("tags"))
        tags = {"tags": resource_tags} if resource_tags or state.get("tags") is not None else {}
        return {**tags, "tagsAll": context.tags.seen(remote)}

    # Update

    def update(self, context: Context, id: str, old: Props, new: Props) -> Props:
        context = self._context(context, old)
        with self.errors("updating", self.describe(new, id)):
            self.change(context, id, old, new)
            self._change_tags(context, id, old, new)
        self.wait(context, id, new, self.updated, "update")
        outputs_only = {k: v for k, v in old.items() if k not in self.fields and k not in ("tags", "tagsAll")}
        outputs = self.read(context, id, {**outputs_only, **self._inherited(old, new), **new})
        if outputs is None:
            raise CloudError(f"updating {self.title} ({id}): couldn't find resource")
        return outputs

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        """The calls for what changed, tags apart."""
        changed = self.changed(old, new)
        if self.change_call and changed:
            self._change_all(context, id, old, new, self.change_call)
        values = self.values(context, id, {**self._inherited(old, new), **self.defaults, **without_none(new)})
        for update in self.updates:
            if changed.intersection(update.when):
                context.call(self.service, update.call.operation, fill(update.call.params, values))
                self.wait(context, id, new, self.updated, "update")

    def _change_all(self, context: AwsContext, id: str, old: Props, new: Props, change: Change) -> None:
        wanted = {**(self._inherited(old, new) if change.keeps else {}), **without_none(new)}
        if change.call is None:
            self.make(context, wanted)
            return
        params: Props = fill(change.call.params, self.values(context, id, {**old, **wanted}))
        if change.only_changed:
            sent = self.changed_params(change, old, new)
            if sent:
                context.call(self.service, change.call.operation, {**params, **sent})
            return
        left_out = {*change.without, self.tagging.create if self.tagging else ""}
        sent = self.create_params(context, wanted)
        merge_dicts(params, {name: value for name, value in sent.items() if name not in left_out})
        context.call(self.service, change.call.operation, params)

    def changed_params(self, change: Change, old: Props, new: Props) -> Props:
        """The parameters of what an update has to change."""
        fields = {**self.fields, **change.fields}
        wanted = {**self.defaults, **without_none(new)}
        params: Props = {}
        for name in sorted(self.changed(old, new)):
            if name in wanted:
                merge_dicts(params, to_api({name: fields[name]}, wanted))
            elif name in change.cleared:
                params |= change.cleared[name]
        return params

    def changed(self, old: Props, new: Props) -> set[str]:
        """The inputs that an update has to change: a computed one that the program leaves out stays."""
        return {
            name
            for name in self.fields
            if not (new.get(name) is None and (name in self.computed or name not in old))
            and not (new.get(name) in _NOTHING and old.get(name) in _NOTHING)
            and not self.same(
                name, old.get(name), new[name] if new.get(name) is not None else self.defaults.get(name)
            )
        }

    def _inherited(self, old: Props, new: Props) -> Props:
        return {
            name: value
            for name, value in old.items()
            if name in self.fields and name in self.computed and new.get(name) is None
        }

    def _change_tags(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.tagging is None:
            return
        before = old.get("tagsAll") or {}
        wanted = context.tags.merged(new.get("tags"))
        if before != wanted:
            values = self.values(context, id, {**old, **without_none(new)})
            self.tagging.change(context, self.service, values, before, wanted)

    # Delete

    def delete(self, context: Context, id: str, state: Props) -> None:
        context = self._context(context, state)
        deadline = time.monotonic() + (context.timeout or _BUSY_SECONDS)
        with self.errors("deleting", id):
            while True:
                try:
                    self.unmake(context, id, state)
                    break
                except ClientError as error:
                    if code_of(error) in self.not_found:
                        return
                    if code_of(error) not in self.busy or time.monotonic() > deadline:
                        raise
                    pause(0.5)
            self._wait_gone(context, id, state)

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        """The delete call; none where the program keeps what there is."""
        if self.delete_call and not state.get("skipDestroy"):
            params = fill(self.delete_call.params, self.values(context, id, state))
            context.call(self.service, self.delete_call.operation, params)

    def _wait_gone(self, context: AwsContext, id: str, state: Props) -> None:
        if not self.deleted_seconds:
            return
        deadline = time.monotonic() + (context.timeout or self.deleted_seconds)
        pauses = growing_pauses()
        while (item := self.find(context, id, state)) is not None:
            self._refuse_failed(id, item, "delete")
            if time.monotonic() > deadline:
                raise CloudError(
                    f"waiting for {self.title} ({id}) delete: timeout while waiting for resource to be gone"
                )
            pause(next(pauses))

    # Common

    def wait(self, context: AwsContext, id: str, state: Props, wait: Wait | None, action: str) -> None:
        """Poll until the resource is ready; an error as soon as it has failed."""
        if wait is None:
            return
        deadline = time.monotonic() + (context.timeout or wait.seconds)
        patience = time.monotonic() + wait.patience
        pauses = growing_pauses()
        while True:
            with self.errors(f"waiting for {action} of", id):
                item = self.find(context, id, state)
            status = jmespath.search(wait.status, item) if item is not None else "absent"
            if status in wait.ready:
                return
            if status not in wait.stuck:
                patience = time.monotonic() + wait.patience
            if status in wait.failed or time.monotonic() > patience:
                raise FailedStateError(self._failed_words(id, item, wait, action, status), code=status)
            if time.monotonic() > deadline:
                wanted = ", ".join(sorted(wait.ready))
                raise CloudError(
                    f"waiting for {self.title} ({id}) {action}: timeout while waiting for state to become "
                    f"'{wanted}' (last state: '{status}')"
                )
            pause(next(pauses))

    def _refuse_failed(self, id: str, item: Any, action: str) -> None:
        wait = self.created
        status = jmespath.search(wait.status, item) if wait else None
        if wait and isinstance(status, str) and status == "DELETE_FAILED":
            raise FailedStateError(self._failed_words(id, item, wait, action, status), code=status)

    def _failed_words(self, id: str, item: Any, wait: Wait, action: str, status: str) -> str:
        issues = jmespath.search(wait.issues, item) if wait.issues else None
        reported = f" last error: {issues_text(issues)}" if issues else ""
        wanted = ", ".join(sorted(wait.ready))
        return (
            f"waiting for {self.title} ({id}) {action}: "
            f"unexpected state '{status}', wanted target '{wanted}'.{reported}"
        )

    def values(self, context: AwsContext, id: str, props: Props) -> Props:
        """What templates may name: the properties as the API takes them, the id's parts, the place."""
        place = {"region": context.region, "account": context.account, "partition": context.partition}
        place["url_suffix"] = context.url_suffix
        encoded: Props = {}
        for name, field in self.fields.items():
            if props.get(name) is not None:
                encoded[name] = _encoded(name, field, props[name])
        rest = {name: value for name, value in props.items() if name not in encoded}
        return {**rest, **encoded, **place, **parse(self.id_form, id), **({"id": id} if id else {})}

    def describe(self, props: Props, id: str = "") -> str:
        """What is in brackets behind the title in an error."""
        called = self.called or f"{{{self.name_prefix[1] or 'name'}}}"
        return id or re.sub(r"\{(\w+)\}", lambda match: str(props.get(match[1]) or ""), called)

    @contextmanager
    def errors(self, action: str, what: str) -> Iterator[None]:
        """Turn botocore's errors into the provider's words."""
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            title = f"{action} {self.title} ({what})" if what else f"{action} {self.title}"
            raise cloud_error(title, self.service, error, self.paths) from error

    def _context(self, context: Context, props: Props) -> AwsContext:
        assert isinstance(context, AwsContext)  # noqa: S101
        return context.in_region(props.get("region")) if self.regional else context


def _encoded(name: str, field: Field, value: Any) -> Any:
    return to_api({name: replace(field, api="_")}, {name: value}).get("_")
