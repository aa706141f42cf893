"""Creates that fail midway: at each call after the first that changes something in the cloud."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from twin.core.serving import start
from twin.provider import Provider
from twin.provider_interface import CANCELLED, Cloud, Context, Props
from twin.store import Store
from twin.tests.provider_client import Client
from twin.tests.stack import Failed, Stack, State

_OTHER = re.compile(r"(case|vpc|igw)-?[0-9a-f]+")
"""Names and ids that are others at each attempt."""

COUNTERS = {"versionId", "etag", "effectiveTime"}
"""Inputs of the SDK that state how often or when something was done."""


@dataclass
class Calls:
    """The calls of a context, in order; the one at `fails` (from 0) is refused instead of made."""

    writes: Callable[..., bool]
    refusal: Callable[[str], Exception]
    names: list[str] = field(default_factory=list[str])
    written: list[str] = field(default_factory=list[str])
    fails: int = -1
    struck: str = ""

    def begin(self, fails: int = -1) -> None:
        """Count from here."""
        self.names, self.written, self.fails, self.struck = [], [], fails, ""

    def patched(self, call: Callable[..., Props]) -> Callable[..., Props]:
        """The context's method, counted."""

        def counted(context: Context, *words: Any, **more: Any) -> Props:
            name = ".".join(word for word in words[:2] if isinstance(word, str))
            self.names.append(name)
            if len(self.names) - 1 == self.fails:
                self.struck = name
                raise self.refusal(name)
            answer = call(context, *words, **more)
            if self.writes(*words):
                self.written.append(name)
            return answer

        return counted


@contextmanager
def stack(cloud: Cloud, context: Context) -> Iterator[Stack]:
    """A stack whose provider is configured with this context."""
    CANCELLED.clear()
    provider = Provider(cloud, Store(None))
    provider._context = context
    server, port = start(provider)
    client = Client(port)
    yield Stack(client)
    client.close()
    server.stop(None)


@dataclass
class Trial:
    """One type with inputs for it; each attempt has other names."""

    cloud: Cloud
    context: Context
    calls: Calls
    inventory: Callable[[], dict[str, list[str]]]
    token: str
    inputs: Callable[[], Props]
    chosen: frozenset[str] = frozenset()
    """Inputs that the cloud chooses, another each time."""

    def run(self) -> None:
        """Let each call after the first write fail, once to be repaired and once to be destroyed."""
        with stack(self.cloud, self.context) as engine:
            whole = self.inputs()
            self.calls.begin()
            state = engine.up(self.token, "clean", whole)
            names, written = [*self.calls.names], [*self.calls.written]
            wanted = self._seen(state)
            assert engine.preview(self.token, "clean", whole) == "same"
            engine.destroy("clean")
            first = next((i for i, name in enumerate(names) if name in written), len(names))
            for place in range(first + 1, len(names)):
                self._repaired(engine, f"repaired-{place}", place, written, wanted)
            writes = [place for place in range(first + 1, len(names)) if names[place] in written]
            for place in {*writes, len(names) - 1}:
                self._destroyed(engine, f"destroyed-{place}", place)

    def _repaired(self, engine: Stack, name: str, place: int, written: list[str], wanted: Props) -> None:
        inputs = self.inputs()
        before = self.inventory()
        struck = self._failed(engine, name, place, inputs)
        preview = engine.preview(self.token, name, inputs)
        whole = [*self.calls.written]
        assert preview != "same" or set(written) <= set(whole), f"{struck}: a preview shows that work is left"
        self.calls.begin()
        state = engine.up(self.token, name, inputs)
        whole += self.calls.written
        seen = self._seen(state)
        lacks = {key: seen.get(key) for key in {*seen, *wanted} if seen.get(key) != wanted.get(key)}
        assert not lacks, f"{struck} failed: the next update brings what is declared, not {lacks}"
        if preview != "replace":
            assert set(written) <= set(whole), f"{struck} failed: each call is made in the end"
        assert engine.preview(self.token, name, inputs) == "same", f"{struck} failed: nothing is left to do"
        engine.destroy(name)
        assert self.inventory() == before, f"{struck} failed: a destroy after the repair leaves nothing"

    def _destroyed(self, engine: Stack, name: str, place: int) -> None:
        inputs = self.inputs()
        before = self.inventory()
        struck = self._failed(engine, name, place, inputs)
        engine.destroy(name)
        assert self.inventory() == before, f"{struck} failed: a destroy leaves nothing"

    def _failed(self, engine: Stack, name: str, place: int, inputs: Props) -> str:
        self.calls.begin(place)
        with pytest.raises(Failed):
            engine.up(self.token, name, inputs)
        struck, self.calls.fails = self.calls.struck, -1
        assert struck
        return f"{self.token}: call {place}, {struck},"

    def _seen(self, state: State) -> Any:
        """The inputs that the cloud shows, read as for an import, without what is another each time."""
        kind: Any = self.cloud.resource(self.token)
        known = {} if getattr(kind, "importable", True) else state.outputs
        outputs = kind.read(self.context, state.id, known) or {}
        wanted = kind.sdk_schema.inputs.keys() - self.chosen
        compared = {name: value for name, value in outputs.items() if name in wanted}
        return _plain(compared, state.id)


def _plain(value: Any, id: str) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item, id) for key, item in value.items() if key not in COUNTERS}
    if isinstance(value, list):
        return [_plain(item, id) for item in value]
    return _OTHER.sub(r"\1", value.replace(id, "ID")) if isinstance(value, str) else value
