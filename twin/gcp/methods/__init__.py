"""How the API server's services answer methods: one function a method, found by the method's id.

    @handles("container.projects.locations.clusters.create")
    def create(call: Call) -> dict[str, Any]: ...

A handler gets a call whose body follows the schema, works on `call.state` (the API server has opened one
transaction) and answers the response's JSON, or raises GoogleError. Methods without a handler go to
`twin.gcp.methods.generic`, where the collection has a Kind; all others answer 501.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from twin.gcp import services
from twin.gcp.api_server.errors import GoogleError
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body, State

__all__ = ["Call", "GoogleError", "Handler", "State", "handler", "handles", "load", "representation", "shows"]

Handler = Callable[[Call], Any]
Shower = Callable[[State, str, Body], Body]

_HANDLERS: dict[str, Handler] = {}
_SHOWERS: dict[str, Shower] = {}
_REST: dict[str, Handler] = {}


def handles(*method_ids: str) -> Callable[[Handler], Handler]:
    """The function answers these methods."""

    def keep(function: Handler) -> Handler:
        for method_id in method_ids:
            if method_id in _HANDLERS:
                raise ValueError(
                    f"{method_id} is handled twice: {_HANDLERS[method_id].__module__}, {function.__module__}"
                )
            _HANDLERS[method_id] = function
        return function

    return keep


def answers_rest_of(api: str) -> Callable[[Handler], Handler]:
    """The function answers the methods of an API that no other function handles."""

    def keep(function: Handler) -> Handler:
        _REST[api] = function
        return function

    return keep


def shows(collection: str) -> Callable[[Shower], Shower]:
    """The function completes a resource of the collection when it is read (what depends on others)."""

    def keep(function: Shower) -> Shower:
        _SHOWERS[collection] = function
        return function

    return keep


def representation(state: State, name: str, body: Body) -> Body:
    """The resource as its API shows it."""
    from twin.gcp.api_server.state import collection_of

    shower = _SHOWERS.get(collection_of(name))
    return shower(state, name, body) if shower else body


@cache
def load(api: str) -> bool:
    """Import the operations of an API. False where the twin has none."""
    if not services.has_operations(api):
        return False
    for _ in services.of_service(services.SAME.get(api, api), "operations"):
        pass
    return True


def handler(method_id: str) -> Handler | None:
    """Who answers the method, or None."""
    load(method_id.partition(".")[0])
    return _HANDLERS.get(method_id)


def rest(api: str) -> Handler | None:
    """Who answers the methods of an API that have no handler, or None for `twin.gcp.methods.generic`."""
    return _REST.get(api)
