"""Creating, adopting and updating one resource: the store before and after every call to the cloud."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from twin.core.autonaming import DEFAULTS_KEY
from twin.core.diff import compare
from twin.core.grpc_errors import words
from twin.property_values import compact
from twin.provider_interface import CloudError, Context, HalfMade, Props, ResourceType
from twin.store import Row, Store


@dataclass(frozen=True)
class Lifecycle:
    """One resource type in one configured provider.

    Inputs are those that Check answered (with `__defaults`) and that Cloud.prepare completed. Outputs are as
    the type answers them; filling in what it leaves out is the caller's.
    """

    store: Store
    type: ResourceType
    context: Context
    config: Props = field(default_factory=dict[str, Any])
    """The provider's configuration that `context` was made from."""

    def create(self, urn: str, inputs: Props) -> tuple[str, Props]:
        """Make the resource, or adopt what an interrupted Create of this URN left behind."""
        for row in self.store.live(urn):
            if row.token == self.type.token and not row.acknowledged:
                taken = self._adopt(row, inputs)
                if taken:
                    return taken
        intent = self.store.begin(urn, self.type.token, inputs, self.config)
        id, outputs = self._make(intent, inputs)
        return id, outputs

    def _make(self, intent: str, inputs: Props) -> tuple[str, Props]:
        # Anything but a CloudError (a dead API server, a kill, a cancellation) leaves the intent open:
        # whether the call was executed is not known, and the next Create resumes it.
        try:
            id, outputs = self.type.create(self.context.with_intent(intent), _without_defaults(inputs))
        except HalfMade as error:
            error.state = self._remains(error)
            unfinished = None if error.complete else words(error)
            self.store.created(intent, error.id, inputs, error.state, unfinished=unfinished)
            raise
        except CloudError:
            self.store.failed(intent)
            raise
        self.store.created(intent, id, inputs, outputs)
        return id, outputs

    def _remains(self, error: HalfMade) -> Props:
        """What the cloud has of a resource whose create failed midway, or what was asked for."""
        try:
            return self.type.read(self.context, error.id, error.state) or error.state
        except CloudError:
            return error.state

    def _adopt(self, row: Row, inputs: Props) -> tuple[str, Props] | None:
        resource = self.resumed(row)
        if resource is None:
            return None
        id, outputs = resource
        difference = compare(self.type, _without_defaults(row.inputs), outputs, _without_defaults(inputs))
        if difference.replaces:
            self.type.delete(self.context.with_intent(f"{row.intent}-undo"), id, outputs)
            self.store.gone(row.intent)
            return None
        if difference.changes or self.store.unfinished(self.type.token, id):
            try:
                outputs = self.update(id, outputs, inputs)
            except CloudError as error:
                # The engine knows nothing of it yet, and must: a destroy is to find it.
                raise HalfMade(str(error), id, outputs, code=error.code, path=error.path) from error
        self.store.created(row.intent, id, inputs, outputs)
        return id, outputs

    def resumed(self, row: Row) -> tuple[str, Props] | None:
        """Complete the create of the row with its own inputs; return None where it left nothing."""
        if row.id is None:
            # The inputs of then, so that each call is word for word the one that may have been executed.
            try:
                return self._make(row.intent, row.inputs)
            except HalfMade as error:
                return error.id, error.state
            except CloudError:
                return None
        outputs = self.type.read(self.context, row.id, row.outputs)
        if outputs is None:
            self.store.gone(row.intent)
            return None
        return row.id, outputs

    def update(self, id: str, outputs: Props, inputs: Props) -> Props:
        """Change the resource in place, from its outputs to these inputs; finish its create first."""
        token = self.type.token
        intent = self.store.begin_update(token, id, inputs)
        context = self.context.with_intent(intent)
        unfinished = self.store.unfinished(token, id)
        try:
            if unfinished:
                self.type.finish(context, id, _without_defaults(inputs))
                outputs = self.type.read(context, id, outputs) or outputs
            changed = self.type.update(context, id, outputs, _without_defaults(inputs))
        except HalfMade as error:
            self.store.end_update(token, id, inputs, error.state)
            raise
        except CloudError:
            self.store.end_update(token, id, None, None)
            raise
        self.store.end_update(token, id, inputs, changed)
        if unfinished:
            self.store.finished(token, id)
        return changed

    def delete(self, id: str, outputs: Props) -> None:
        """Delete the resource; one that is gone is none."""
        self.type.delete(self.context, id, outputs)
        self.store.deleted(self.type.token, id)


def unanswered(store: Store, urn: str) -> Props:
    """The inputs of a Create of this URN that the engine got no answer to, or nothing.

    Check takes an autonamed name from them, so that what is adopted keeps its name.
    """
    return next((row.inputs for row in store.live(urn) if not row.acknowledged), {})


def _without_defaults(inputs: Props) -> Props:
    return compact(inputs) if DEFAULTS_KEY in inputs else inputs
