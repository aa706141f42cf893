"""Kinds of things that moto lacks, over extension_store: what names one, what is refused, and the operations
that differ only in names.

An operation is a function of (parameters, backend) for `extension_store.operations`; a rule is one of
(parameters, moto's state).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twin.aws.api_server.request import Refusal
from twin.aws.validation import extension_store
from twin.aws.validation.extension_store import Act, Params, Thing
from twin.aws.validation.moto_state import MotoState
from twin.core.normalization import without_none


@dataclass(frozen=True)
class Kind:
    """One kind of a service's things.

    service: moto's name of it. store: the attribute of the backend that has them. key: the parameters that
    name one; the values of several are joined by `;`. missing: code, words and status of the refusal where
    there is none; `{}` stands for the name.
    """

    service: str
    store: str
    key: tuple[str, ...]
    missing: tuple[str, str, int]

    def all(self, backend: Any) -> dict[str, Thing]:
        """All of a backend, by name or arn."""
        return extension_store.resources(backend, self.store)

    def here(self, state: MotoState) -> dict[str, Thing]:
        """All of the region, by name or arn."""
        return self.all(state.moto.backend(self.service, state.region))

    def name(self, params: Params) -> str:
        """What names one in these parameters."""
        return ";".join(str(params.get(member)) for member in self.key)

    def get(self, params: Params, backend: Any) -> Thing:
        """The one that is named. Raises Refusal."""
        return self._required(self.all(backend), self.name(params))

    def require(self, state: MotoState, name: Any) -> Thing:
        """One by its name. Raises Refusal."""
        return self._required(self.here(state), str(name))

    def present(self, params: Params, state: MotoState) -> None:
        """Rule: the one that is named exists."""
        self.require(state, self.name(params))

    def _required(self, things: Mapping[str, Thing], name: str) -> Thing:
        if name not in things:
            code, words, status = self.missing
            raise Refusal(code, words.format(name), status)
        return things[name]

    def add(self, backend: Any, name: str, description: Params, **internal: Any) -> Params:
        """Store a new one. Returns its description."""
        self.all(backend)[name] = Thing(description, internal)
        return description

    # Operations

    def describe(self, member: str = "", **more: Any) -> Act:
        """Answer with the description, or with a member that has it. more: further members."""

        def act(params: Params, backend: Any) -> Params:
            description = self.get(params, backend).description
            return {member: description, **more} if member else description

        return act

    def describe_internal(self, member: str, internal: str) -> Act:
        """Answer with what the twin keeps next to the description, as a member."""
        return lambda params, backend: {member: self.get(params, backend).internal[internal]}

    def list_all(self, member: str, of: tuple[str, ...] = (), named: str = "") -> Act:
        """Answer with all descriptions. of: parameters, where they are given, that are the first parts of the
        name. named: the parameter with the names that are wanted."""

        def act(params: Params, backend: Any) -> Params:
            prefix = "".join(f"{params[name]};" for name in of if params.get(name))
            wanted = params.get(named) if named else None
            things = self.all(backend).items()
            return {
                member: [
                    thing.description
                    for name, thing in things
                    if name.startswith(prefix) and (not wanted or name in wanted)
                ]
            }

        return act

    def update(self, answer: str = "", *without: str) -> Act:
        """Overwrite members of the description by the parameters that are given, but for some. answer: a
        parameter that is answered, or the member with the description."""

        def act(params: Params, backend: Any) -> Params:
            description = self.get(params, backend).description
            description.update(without_none(params, *without))
            return {answer: params.get(answer, description)} if answer else {}

        return act

    def drop(self, member: str = "") -> Act:
        """Delete one and its tags. member: of the answer, with the description."""

        def act(params: Params, backend: Any) -> Params:
            thing, name = self.get(params, backend), self.name(params)
            del self.all(backend)[name]
            if name.startswith("arn:"):
                extension_store.tags(backend, name).clear()
            return {member: thing.description} if member else {}

        return act
