"""The routes: `GET /recommendations/{user_id}?k=10`, and `GET /healthz`."""

from __future__ import annotations

import contextlib
import heapq
import logging
import os
import re
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from serving.clients import FeatureServer, Predictor, UpstreamError

MOST: Final = 50
"""Items of an answer."""
_USER: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
log = logging.getLogger("serving")


def best(scores: Sequence[float], seen: str, k: int) -> list[dict[str, Any]]:
    """Return the k items with the highest scores, the best first, without those of a history such as `i7
    i12`."""
    known = {int(text[1:]) for text in seen.split()}
    rest = ((score, -item) for item, score in enumerate(scores) if item not in known)
    return [{"item_id": -item, "score": score} for score, item in heapq.nlargest(k, rest)]


async def recommendations(request: Request) -> Response:
    """Answer with items that the user has not clicked recently."""
    user, k = request.path_params["user_id"], request.query_params.get("k", "10")
    if not _USER.fullmatch(user):
        return _refused(f"user_id: got {user!r}; expected letters, digits, '-' and '_', at most 64")
    if not k.isdecimal() or not 1 <= int(k) <= MOST:
        return _refused(f"k: got {k!r}; expected 1 to {MOST}")
    state, identifier = request.app.state, uuid.uuid4().hex
    try:
        features: Mapping[str, Any] = await state.features.features(user)
        # At the gateway the token of the user is what allows the request to the model.
        scored = await state.predictor.scores(features, identifier, request.headers.get("authorization"))
    except UpstreamError as error:
        log.warning("%s", error)
        return JSONResponse({"error": "a server that this one needs does not answer"}, 502)
    items = best(scored.scores, str(features["recent_items"]), int(k))
    return JSONResponse(
        {
            "request_id": identifier,
            "user_id": user,
            "served_by": scored.served_by,
            "features": features,
            "items": items,
        }
    )


def _refused(reason: str) -> Response:
    return JSONResponse({"error": reason}, 400)


async def healthz(_: Request) -> Response:
    """Answer that the process runs."""
    return JSONResponse({"status": "ok"})


def create(client: httpx.AsyncClient | None = None, variables: Mapping[str, str] = os.environ) -> Starlette:
    """Return the application. variables: FEATURE_SERVER_URL, PREDICTOR_URL (of the model's route), MODEL, and
    PREDICTOR_HOST where its host is another one. Raises KeyError without one of the first three."""
    features, predictor = variables["FEATURE_SERVER_URL"], variables["PREDICTOR_URL"]
    model, host = variables["MODEL"], variables.get("PREDICTOR_HOST")

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        # A connection that is refused is tried again: the next one may reach another Pod.
        transport = httpx.AsyncHTTPTransport(retries=2)
        async with client or httpx.AsyncClient(timeout=5, transport=transport) as used:
            app.state.features = FeatureServer(used, features)
            app.state.predictor = Predictor(used, predictor, model, host)
            yield

    routes = [Route("/recommendations/{user_id}", recommendations), Route("/healthz", healthz)]
    return Starlette(routes=routes, lifespan=lifespan)
