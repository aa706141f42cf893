"""The feature server of the platform, and the predictor of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

FEATURES: Final = ("recent_items", "clicks", "mean_price", "top_category", "top_share")
NEW_USER: Final[Mapping[str, Any]] = {
    "recent_items": "",
    "clicks": 0,
    "mean_price": 0.0,
    "top_category": "none",
    "top_share": 0.0,
}
"""Features of a user without any: the model then scores by what all users click."""
SERVED_BY: Final = "x-served-by"
"""The header in which the route states which of two versions answered (docs/serving.md)."""


class UpstreamError(Exception):
    """A server that does not answer, or not as expected."""


@dataclass(frozen=True)
class Scores:
    """scores: of all items, item 0 first. served_by: the version, or the color of a rollout; empty where the
    route states none."""

    scores: list[float]
    served_by: str


class FeatureServer:
    """Feast's server. address: FEATURE_SERVER_URL of the platform's ConfigMap."""

    def __init__(self, client: httpx.AsyncClient, address: str) -> None:
        self._client, self._url = client, f"{address.rstrip('/')}/get-online-features"

    async def features(self, user: str) -> Mapping[str, Any]:
        """Return the newest features of a user; NEW_USER for one without. Raises UpstreamError."""
        body = {"features": [f"user_activity:{name}" for name in FEATURES], "entities": {"user_id": [user]}}
        answer = await _post(self._client, self._url, body)
        try:
            names = answer.json()["metadata"]["feature_names"]
            values = {
                name: result["values"][0]
                for name, result in zip(names, answer.json()["results"], strict=True)
                if result["statuses"][0] == "PRESENT"
            }
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise UpstreamError(f"{self._url}: an answer of another form: {error!r}") from error
        # Of one view, so that all are there or none.
        return {name: values[name] for name in FEATURES} if set(FEATURES) <= values.keys() else NEW_USER


class Predictor:
    """The service of the model. url: `.../v1/models/NAME:predict`."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client, self._url = client, url

    async def scores(self, features: Mapping[str, Any], request_id: str) -> Scores:
        """Return the scores for features. request_id: the monitor joins by it. Raises UpstreamError."""
        # A row as KServe's server makes a data frame of it.
        body = {"instances": [{name: [value] for name, value in features.items()}]}
        answer = await _post(self._client, self._url, body, {"x-request-id": request_id})
        try:
            [scores] = answer.json()["predictions"]
            return Scores([float(score) for score in scores], answer.headers.get(SERVED_BY, ""))
        except (ValueError, KeyError, TypeError) as error:
            raise UpstreamError(f"{self._url}: an answer of another form: {error!r}") from error


async def _post(
    client: httpx.AsyncClient, url: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> httpx.Response:
    try:
        answer = await client.post(url, json=body, headers=headers)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise UpstreamError(f"{url}: {error!r}") from error
    return answer
