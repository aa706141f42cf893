"""A stack of one provider, kept as the engine keeps it: what a create or an update that fails midway leaves
in the state, what a preview shows of it, and what the next update does.

After pkg/resource/deploy of Pulumi's engine (step.go, step_generator.go, deployment_executor.go).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2, status_pb2

from twin.property_values import marshal, unmarshal
from twin.provider_interface import Props
from twin.tests.provider_client import Client, urn


class Failed(Exception):  # noqa: N818 - the provider's answer, not a defect of the test
    """A step failed; the text is the provider's."""


@dataclass(frozen=True)
class State:
    """One resource in the state. failed: it has initialization errors. refresh: read it before it is used."""

    token: str
    id: str
    inputs: Props
    outputs: Props
    failed: bool = False
    refresh: bool = False


class Stack:
    """The state and the commands on it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.resources: dict[str, State] = {}

    def up(self, token: str, name: str, inputs: Props) -> State:
        """Create or change one resource. Raises Failed; what is left of it is in the state then."""
        step, wanted = self._step(token, name, inputs)
        state = self._refreshed(name)
        if step == "replace" and state is not None:
            self.destroy(name)  # in any order: a test has no dependents
        if step in ("create", "replace"):
            request = provider_pb2.CreateRequest(urn=urn(token, name), properties=marshal(wanted))
            answer = self._write(token, name, wanted, "", self._client.stub.Create, request)
            return self._keep(name, State(token, answer.id, wanted, unmarshal(answer.properties).props))
        assert state is not None
        if step == "update":
            request = provider_pb2.UpdateRequest(
                id=state.id,
                urn=urn(token, name),
                olds=marshal(state.outputs),
                news=marshal(wanted),
                old_inputs=marshal(state.inputs),
            )
            answer = self._write(token, name, wanted, state.id, self._client.stub.Update, request)
            return self._keep(name, State(token, state.id, wanted, unmarshal(answer.properties).props))
        return self._keep(name, state)

    def preview(self, token: str, name: str, inputs: Props) -> str:
        """`create`, `update`, `replace` or `same`."""
        return self._step(token, name, inputs)[0]

    def destroy(self, name: str) -> None:
        """Delete the resource, if there is one."""
        state = self._refreshed(name)
        if state is not None:
            self._client.delete(state.token, state.id, state.outputs)
        self.resources.pop(name, None)

    def _step(self, token: str, name: str, inputs: Props) -> tuple[str, Props]:
        state = self._refreshed(name)
        wanted, failures = self._client.check(token, inputs, state.inputs if state else None, name=name)
        assert not failures, f"{token} refuses inputs that the cloud takes: {failures}"
        if state is None:
            return "create", wanted
        _, answer = self._client.diff(token, state.id, state.outputs, wanted, state.inputs)
        if answer.replaces:
            return "replace", wanted
        changed = answer.changes == provider_pb2.DiffResponse.DIFF_SOME
        return "update" if changed or state.failed else "same", wanted

    def _refreshed(self, name: str) -> State | None:
        """The state, read again first where the provider asked for that."""
        state = self.resources.get(name)
        if state is None or not state.refresh:
            return state
        try:
            id, outputs, inputs = self._client.read(state.token, state.id, state.outputs, state.inputs, name)
        except grpc.RpcError as error:
            left = _left(error)
            if left is None:
                raise
            now = replace(
                state, inputs=unmarshal(left.inputs).props, outputs=unmarshal(left.properties).props
            )
            return replace(now, failed=True, refresh=left.refresh_before_update)
        return State(state.token, id, inputs, outputs) if id else None

    def _write(self, token: str, name: str, inputs: Props, id: str, call: Any, request: Any) -> Any:
        try:
            return call(request)
        except grpc.RpcError as error:
            left = _left(error)
            if left is not None:
                outputs = unmarshal(left.properties).props
                failed = State(token, left.id, inputs, outputs, failed=True)
                self._keep(name, replace(failed, refresh=left.refresh_before_update))
            raise Failed(error.details()) from error

    def _keep(self, name: str, state: State) -> State:
        self.resources[name] = state
        return state


def _left(error: Any) -> Any:
    """What the error says is left in the cloud, or None."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status = status_pb2.Status.FromString(value)
            left = provider_pb2.ErrorResourceInitFailed()
            for detail in status.details:
                if detail.Unpack(left):
                    return left
    return None
