"""The watched copy of the API server's collections."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator

import pytest

from twin.kubernetes import informer
from twin.kubernetes.api import Object, Unreachable
from twin.kubernetes.informer import Mirror


def pod(name: str, version: str = "1") -> Object:
    metadata = {"name": name, "namespace": "default", "resourceVersion": version, "managedFields": [{}]}
    return {"metadata": metadata}


class Server:
    """A list, and a watch that a test feeds: an event, None for its end, an exception for its break."""

    def __init__(self) -> None:
        self.items: list[Object] = [pod("a")]
        self.fed: queue.Queue[Object | Exception | None] = queue.Queue()
        self.lists = 0
        self.down = False

    def get(self, where: str) -> Object:
        if self.down:
            raise Unreachable("refused")
        self.lists += 1
        return {"items": self.items, "metadata": {"resourceVersion": "1"}}

    def watch(self, where: str, version: str) -> Iterator[Object]:
        while (event := self.fed.get()) is not None:
            if isinstance(event, Exception):
                raise event
            yield event


def names(mirror: Mirror) -> set[str]:
    return {item["metadata"]["name"] for item in mirror.all("pods")}


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < end, "it did not come about in five seconds"
        time.sleep(0.005)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setattr(informer, "RETRY", 0.01)
    return Server()


@pytest.fixture
def mirror(server: Server) -> Iterator[Mirror]:
    started = Mirror(server, {"pods": "/api/v1/pods"})  # pyright: ignore[reportArgumentType]
    started.start()
    until(lambda: started.synced)
    yield started
    started.stop()
    server.fed.put(None)


def event(kind: str, item: Object) -> Object:
    return {"type": kind, "object": item}


def test_events_are_followed_and_wake_who_waits(server: Server, mirror: Mirror) -> None:
    assert names(mirror) == {"a"}
    assert "managedFields" not in mirror.all("pods")[0]["metadata"]
    mirror.wait(0)
    server.fed.put(event("ADDED", pod("b", "2")))
    assert mirror.wait(5)
    until(lambda: names(mirror) == {"a", "b"})
    server.fed.put(event("DELETED", pod("a", "3")))
    until(lambda: names(mirror) == {"b"})
    assert mirror.one("pods", "b", "default") is not None
    assert mirror.one("pods", "a", "default") is None


def test_a_watch_that_ends_goes_on_without_a_list(server: Server, mirror: Mirror) -> None:
    server.fed.put(None)
    server.fed.put(event("ADDED", pod("b", "2")))
    until(lambda: names(mirror) == {"a", "b"})
    assert server.lists == 1


def test_an_expired_watch_lists_anew(server: Server, mirror: Mirror) -> None:
    server.items = [pod("c")]
    server.fed.put(event("ERROR", {"code": 410, "message": "too old"}))
    until(lambda: names(mirror) == {"c"})


@pytest.mark.parametrize("broken", [Unreachable("reset"), KeyError("a bug")])
def test_a_watch_that_breaks_is_taken_up_again(server: Server, mirror: Mirror, broken: Exception) -> None:
    server.items = [pod("d")]
    server.fed.put(broken)
    until(lambda: names(mirror) == {"d"} and mirror.synced)


def test_while_the_api_server_is_away_nothing_is_synced(server: Server, mirror: Mirror) -> None:
    server.down = True
    server.fed.put(Unreachable("reset"))
    until(lambda: not mirror.synced)
    assert names(mirror) == {"a"}, "what was seen last stays"
    server.down = False
    until(lambda: mirror.synced)


def test_while_the_control_plane_is_emptied_nothing_is_listed(server: Server, mirror: Mirror) -> None:
    with mirror.emptied():
        assert mirror.all("pods") == []
        server.fed.put(event("ADDED", pod("old", "2")))
        until(server.fed.empty)
        time.sleep(0.05)
        assert not mirror.synced, "what starts in between is not the new one yet"
        assert server.lists == 1
    until(lambda: mirror.synced)
    assert names(mirror) == {"a"}, "an event of the old control plane is not taken over"


def test_waiting_without_a_change_takes_its_time_and_no_more(mirror: Mirror) -> None:
    mirror.wait(0)
    assert mirror.wait(0.01) is False
