"""What a Pod with an EKS Pod Identity association gets, and the agent on its node."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from twin.aws.services.eks.workload_identity import AUDIENCE, PodIdentity
from twin.instances import Instance
from twin.kubernetes.cloud_interface import Cluster
from twin.tests.kubernetes.builders import pod
from twin.tests.kubernetes.fakes import ROLE, FakeView

KEY = {
    "accessKeyId": "ASIA",
    "secretAccessKey": "secret",
    "sessionToken": "session",
    "expiration": datetime(2026, 1, 1, tzinfo=UTC),
}


class Auth:
    """EKS Auth, which accepts one token."""

    def assume_role_for_pod_identity(self, **role_arn: str) -> Any:
        if role_arn != {"clusterName": "acme-dev", "token": "good"}:
            raise PermissionError("InvalidTokenException")
        return {"credentials": KEY}


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch) -> Iterator[PodIdentity]:
    view = FakeView(Cluster("acme-dev", "ACTIVE", "1.36"), roles={("default", "trainer"): ROLE})
    monkeypatch.setattr(PodIdentity, "_auth", lambda _: Auth())
    pod_identity = PodIdentity(Instance("test", ports={"cloud": 4566}), view)
    yield pod_identity
    pod_identity.close()


def test_a_pod_of_an_associated_account_gets_the_token_and_the_agent(identity: PodIdentity) -> None:
    body = pod(serviceAccountName="trainer", initContainers=[{"name": "init", "image": "a"}])
    extended = identity.extended(body)
    [volume] = extended["spec"]["volumes"]
    assert volume["projected"]["sources"][0]["serviceAccountToken"]["audience"] == AUDIENCE
    for container in [*extended["spec"]["containers"], *extended["spec"]["initContainers"]]:
        [mount], [variable] = container["volumeMounts"], container["env"]
        assert variable["name"] == "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
        assert variable["value"].startswith(mount["mountPath"])
    assert "volumes" not in body["spec"], "the object of the API is left as it is"
    variables = identity.variables(body)
    assert variables["AWS_REGION"] == "us-west-2"
    assert variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"].endswith(f":{identity.ports[1]}/v1/credentials")
    assert identity.ports[0] == 4566


def test_a_pod_without_an_association_gets_the_endpoints_only(identity: PodIdentity) -> None:
    body = pod(serviceAccountName="other")
    assert identity.extended(body) is body
    assert set(identity.variables(body)) == {
        "AWS_ENDPOINT_URL",
        "AWS_EC2_METADATA_DISABLED",
        "PYICEBERG_CATALOG__DEFAULT__URI",
        "PYICEBERG_CATALOG__DEFAULT__S3__ENDPOINT",
    }


def ask(identity: PodIdentity, token: str, path: str = "/v1/credentials") -> tuple[int, str]:
    url = f"http://127.0.0.1:{identity.ports[1]}{path}"
    request = urllib.request.Request(url, headers={"Authorization": token})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - of this test
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_the_agent_exchanges_a_token_for_a_session_and_refuses_others(identity: PodIdentity) -> None:
    status, body = ask(identity, "good")
    assert status == 200
    assert json.loads(body) == {
        "AccessKeyId": "ASIA",
        "SecretAccessKey": "secret",
        "Token": "session",
        "AccountId": "123456789012",
        "Expiration": "2026-01-01T00:00:00Z",
    }
    assert ask(identity, "bad")[0] == 400
    assert ask(identity, "")[0] == 400, "another user of the machine has no token"
    assert ask(identity, "good", "/")[0] == 404
