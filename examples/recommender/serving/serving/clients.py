"""The feature server of the platform, and the predictor of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

DATATYPES: Final[Mapping[str, str]] = {
    "recent_items": "BYTES",
    "clicks": "INT64",
    "mean_price": "FP64",
    "top_category": "BYTES",
    "top_share": "FP64",
}
"""Feature -> its type in the Open Inference protocol."""
FEATURES: Final = tuple(DATATYPES)
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
    """The service of the model, by the Open Inference protocol (V2). address: of its route. model: the
    service's name. host: of the route, which its certificate names, where the address is that of a Service
    in the cluster."""

    def __init__(self, client: httpx.AsyncClient, address: str, model: str, host: str | None = None) -> None:
        self._client, self._url, self._host = client, f"{address.rstrip('/')}/v2/models/{model}/infer", host

    async def scores(
        self, features: Mapping[str, Any], request_id: str, authorization: str | None = None
    ) -> Scores:
        """Return the scores for features. authorization: the header of the user's request, with the token
        that the gateway checks. Raises UpstreamError."""
        inputs = [
            {"name": name, "shape": [1], "datatype": DATATYPES[name], "data": [value]}
            for name, value in features.items()
        ]
        # With this parameter the server makes a data frame of the inputs.
        body = {"id": request_id, "parameters": {"content_type": "pd"}, "inputs": inputs}
        headers = {"authorization": authorization, "host": self._host}
        answer = await _post(self._client, self._url, body, headers)
        try:
            [output] = answer.json()["outputs"]
            return Scores([float(score) for score in output["data"]], answer.headers.get(SERVED_BY, ""))
        except (ValueError, KeyError, TypeError) as error:
            raise UpstreamError(f"{self._url}: an answer of another form: {error!r}") from error


async def _post(
    client: httpx.AsyncClient,
    url: str,
    body: Mapping[str, Any],
    headers: Mapping[str, str | None] | None = None,
) -> httpx.Response:
    sent = {name: value for name, value in (headers or {}).items() if value is not None}
    # The name that TLS requests, and that the certificate is compared with.
    extensions = {"sni_hostname": sent["host"]} if "host" in sent else {}
    try:
        answer = await client.post(url, json=body, headers=sent, extensions=extensions)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise UpstreamError(f"{url}: {error!r}") from error
    return answer
