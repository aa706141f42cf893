"""A copy of a few collections of the API server, kept fresh by watches.

A tick of the simulation reads this copy and costs the API server nothing; a change wakes the simulation.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from twin.kubernetes.api import ApiError, Kube, Object, Unreachable

log = logging.getLogger(__name__)

WATCHED: Final = {
    "nodes": "/api/v1/nodes",
    "pods": "/api/v1/pods",
    "namespaces": "/api/v1/namespaces",
    "services": "/api/v1/services",
    "daemonsets": "/apis/apps/v1/daemonsets",
    "deployments": "/apis/apps/v1/deployments",
}
RETRY: Final = 0.5
"""Seconds between attempts while the API server is away."""

Key = tuple[str, str]


class Collection:
    """One collection. Objects are shared by all readers: none may change them."""

    def __init__(self) -> None:
        self.items: dict[Key, Object] = {}
        self.synced = False


class Mirror:
    """Watches of several collections, one thread each."""

    def __init__(self, kube: Kube, watched: Mapping[str, str] = WATCHED) -> None:
        self._kube = kube
        self._watched = dict(watched)
        self._lock = threading.Lock()
        self._resumed = threading.Condition(self._lock)
        self._paused = False
        self._changed = threading.Event()
        self._stop = threading.Event()
        self._epoch = 0
        self._collections = {kind: Collection() for kind in watched}

    def start(self) -> None:
        """Begin to watch. The threads end with the process."""
        for kind, where in self._watched.items():
            threading.Thread(target=self._run, args=(kind, where), name=f"watch-{kind}", daemon=True).start()

    def stop(self) -> None:
        """Ask the threads to end."""
        self._stop.set()
        with self._lock:
            self._resumed.notify_all()

    def wait(self, seconds: float) -> bool:
        """Sleep until something changes, at most that long; True when something did."""
        changed = self._changed.wait(seconds)
        self._changed.clear()
        return changed

    def wake(self) -> None:
        """End a `wait` now."""
        self._changed.set()

    @contextmanager
    def emptied(self) -> Iterator[None]:
        """While the control plane is emptied: all is dropped now, and nothing listed before the end.

        A watch that began in between, on the server that starts, would keep what is outdated, and notice
        that only at its next event, perhaps a minute later.
        """
        with self._lock:
            self._epoch += 1
            self._paused = True
            for collection in self._collections.values():
                collection.items, collection.synced = {}, False
        try:
            yield
        finally:
            with self._lock:
                self._paused = False
                self._resumed.notify_all()

    @property
    def synced(self) -> bool:
        """Every collection was listed, and its watch is open."""
        with self._lock:
            return all(collection.synced for collection in self._collections.values())

    def all(self, kind: str) -> list[Object]:
        """The objects of a collection now."""
        with self._lock:
            return list(self._collections[kind].items.values())

    def one(self, kind: str, name: str, namespace: str = "") -> Object | None:
        """One object, or None."""
        with self._lock:
            return self._collections[kind].items.get((namespace, name))

    def _run(self, kind: str, where: str) -> None:
        away = False
        while not self._stop.is_set():
            try:
                epoch, version = self._list(kind, where)
                if away:
                    log.info("%s: the API server is back", kind)
                    away = False
                self._follow(kind, where, epoch, version)
            except (ApiError, Unreachable) as error:
                with self._lock:
                    self._collections[kind].synced = False
                if not away:
                    log.warning("%s: cannot be watched, trying again: %s", kind, error)
                    away = True
                self._stop.wait(RETRY)
            except Exception:  # a watch that ends in silence would blind the simulation for good
                log.exception("%s: the watch failed, starting it again", kind)
                self._stop.wait(RETRY)

    def _list(self, kind: str, where: str) -> tuple[int, str]:
        with self._lock:
            self._resumed.wait_for(lambda: not self._paused or self._stop.is_set())
            epoch = self._epoch
        listing = self._kube.get(where)
        items = {_key(item): _slim(item) for item in listing.get("items") or []}
        with self._lock:
            if epoch == self._epoch:
                collection = self._collections[kind]
                collection.items, collection.synced = items, True
        self._changed.set()
        return epoch, listing["metadata"]["resourceVersion"]

    def _follow(self, kind: str, where: str, epoch: int, version: str) -> None:
        """Until the watch expires or breaks; a watch that the server ends in good order is taken up again."""
        while not self._stop.is_set():
            with self._lock:
                if epoch != self._epoch:
                    return
            for event in self._kube.watch(where, version):
                if event["type"] == "ERROR":
                    status = event["object"]
                    if status.get("code") == 410:
                        return
                    raise ApiError(
                        status.get("code", 500), status.get("message", ""), status.get("reason", "")
                    )
                version = event["object"]["metadata"]["resourceVersion"]
                with self._lock:
                    if epoch != self._epoch:
                        return
                    if event["type"] != "BOOKMARK":
                        self._keep(kind, event)
                if event["type"] != "BOOKMARK":
                    self._changed.set()

    def _keep(self, kind: str, event: Object) -> None:
        item = _slim(event["object"])
        items = self._collections[kind].items
        if event["type"] == "DELETED":
            items.pop(_key(item), None)
        else:
            items[_key(item)] = item


def _slim(item: Object) -> Object:
    # managedFields is half of an object's size and nothing here reads it.
    item["metadata"].pop("managedFields", None)
    return item


def _key(item: Object) -> Key:
    metadata = item["metadata"]
    return metadata.get("namespace", ""), metadata["name"]
