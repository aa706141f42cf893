"""Injected faults, whatever the cloud: which are on, which strike a call; a restart does not heal them."""

from __future__ import annotations

import difflib
import fnmatch
import json
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from twin import state_files
from twin.private_files import write_private
from twin.state_files import StateFileError


class InjectedFaults:
    """The faults that are on, kept in a file so that a restart does not heal them.

    kinds: the kinds of fault and what narrows each; one that no service narrows lasts and strikes no call.
    """

    def __init__(self, file: Path, kinds: Mapping[str, set[str]]) -> None:
        self._file = file
        self._kinds = kinds
        self._lock = threading.Lock()
        self._on = read(file, kinds)

    def every(self) -> list[dict[str, Any]]:
        """All that are on."""
        with self._lock:
            return [dict(fault) for fault in self._on]

    def add(self, fault: dict[str, Any]) -> None:
        """Switch one on. ValueError says what is wrong with it."""
        kind = str(fault.get("kind"))
        if kind not in self._kinds:
            raise ValueError(f"kind: got {kind!r}, one of {', '.join(sorted(self._kinds))} is right")
        unknown = set(fault) - self._kinds[kind] - {"kind"}
        if unknown:
            raise ValueError(f"{kind}: unknown {sorted(unknown)}; it takes {sorted(self._kinds[kind])}")
        complete = dict(fault)
        if kind in ("throttle", "fail"):
            complete.setdefault("times", 1)
        with self._lock:
            self._on.append(complete)
            self._save()

    def clear(self, kind: str = "") -> None:
        """Switch off all, or all of a kind."""
        with self._lock:
            self._on = [fault for fault in self._on if kind and fault["kind"] != kind]
            self._save()

    def capacity(self, what: str) -> list[tuple[str, str]]:
        """(machine, zone) of which there are none now; `*` is any. what: the key that names the machine."""
        return [
            (fault.get(what) or "*", fault.get("zone") or "*")
            for fault in self.every()
            if fault["kind"] == "capacity"
        ]

    def taken(self, service: str, operation: str) -> list[dict[str, Any]]:
        """The faults that strike this call; one that strikes a number of times has one time less left."""
        if not self._on:
            return []
        taken: list[dict[str, Any]] = []
        with self._lock:
            for fault in list(self._on):
                if "service" not in self._kinds[fault["kind"]] or not _matches(fault, service, operation):
                    continue
                taken.append(fault)
                if fault.get("times"):
                    fault["times"] = int(fault["times"]) - 1
                    if not fault["times"]:
                        self._on.remove(fault)
                    self._save()
        return taken

    def _save(self) -> None:
        write_private(self._file, json.dumps(self._on))


def read(file: Path, kinds: Mapping[str, set[str]] | None = None) -> list[dict[str, Any]]:
    """Return the faults of a file, none where there is no file. kinds: those that there are.

    Raises StateFileError for a file that contains something else.
    """

    def parse(text: str) -> list[dict[str, Any]]:
        faults = json.loads(text)
        if not isinstance(faults, list):
            raise TypeError("expected a JSON array")
        for fault in faults:
            kind = fault.get("kind") if isinstance(fault, dict) else None
            if not isinstance(kind, str) or (kinds is not None and kind not in kinds):
                raise ValueError(f"no fault: {fault!r}")
        return faults

    if not file.exists():
        return []
    try:
        return state_files.read(file, parse)
    except StateFileError as error:
        # Nothing depends on them: the file may be deleted.
        raise StateFileError(f"{error}; or delete the file: it contains injected faults only") from error


def pause(fault: dict[str, Any]) -> None:
    """What `slow` does."""
    time.sleep(float(fault.get("seconds", 1)))


def nearest(name: str, known: Iterable[str], example: str) -> str:
    """Return the end of an error about an unknown name: the one that was meant, or an example."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"expected a name such as {example}"


def available(unavailable: list[tuple[str, str]], machine: str, zone: str) -> bool:
    """Whether there are machines of that type in that zone."""
    return not any(kind in ("*", machine) and place in ("*", zone) for kind, place in unavailable)


def _matches(fault: dict[str, Any], service: str, operation: str) -> bool:
    return fnmatch.fnmatchcase(service, fault.get("service") or "*") and fnmatch.fnmatchcase(
        operation, fault.get("operation") or "*"
    )
