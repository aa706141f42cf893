"""Requests to a control plane that does not answer for a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client import ApiException
from urllib3.exceptions import HTTPError, ProtocolError

from cli.maintenance import retries
from cli.maintenance.cluster import Cluster, api_errors
from cli.output import CommandError


def sender(answers: Sequence[int | Exception]) -> tuple[Callable[..., Any], list[Any]]:
    """A client's function whose requests have these results, and the limits of its requests."""
    limits: list[Any] = []

    def send(method: str, url: str, _request_timeout: Any = None) -> Any:
        answer = answers[len(limits)]
        limits.append(_request_timeout)
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(status=answer, read=lambda: b"")

    return send, limits


def requests(answers: Sequence[int | Exception], patience: float = 900) -> tuple[retries.Requests, list[Any]]:
    send, limits = sender(answers)
    return retries.Requests(send, lambda _: None, patience, lambda _: None), limits


@pytest.mark.parametrize("error", [429, 500, 502, 503, 504, ProtocolError("reset by peer")])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_request_that_fails_for_a_time_is_repeated(method: str, error: int | Exception) -> None:
    client, limits = requests([error, error, 200])
    assert client(method, "/api").status == 200
    assert limits == [(5, 60)] * 3, "each has a limit, so that a half-open connection does not block"


@pytest.mark.parametrize("status", [200, 403, 404, 409, 422])
def test_other_answers_are_not_repeated(status: int) -> None:
    client, limits = requests([status])
    assert client("GET", "/api").status == status
    assert len(limits) == 1


def test_creation_is_not_repeated() -> None:
    client, limits = requests([429])
    assert client("POST", "/eviction").status == 429
    assert len(limits) == 1


def test_patience_ends_with_the_last_answer_or_error() -> None:
    assert requests([503], patience=1e-9)[0]("GET", "/api").status == 503
    with pytest.raises(ProtocolError):
        requests([ProtocolError("reset")], patience=1e-9)[0]("GET", "/api")
    with pytest.raises(ProtocolError):
        requests([ProtocolError("reset")], patience=0)[0]("GET", "/api")


def test_address_without_a_server_is_an_error_at_once(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(
        """
        clusters: [{name: acme-prod-cluster, cluster: {server: "http://127.0.0.1:1"}}]
        contexts: [{name: c, context: {cluster: acme-prod-cluster, user: u}}]
        users: [{name: u, user: {}}]
        current-context: c
        """
    )
    with pytest.raises(CommandError, match=r"does not answer: .*; expected a cluster that answers"):
        Cluster.of("aws-prod", file)


def test_errors_of_the_api_are_reported_without_a_traceback() -> None:
    refused = r"refused a request: Forbidden \(status 403\); run it again"
    with pytest.raises(CommandError, match=refused), api_errors("run it again"):
        raise ApiException(status=403, reason="Forbidden")
    silent = pytest.raises(CommandError, match="does not answer: reset; run it again")
    with silent as caught, api_errors("run it again", code=2):
        raise HTTPError("reset")
    assert caught.value.code == 2
