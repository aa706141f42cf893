"""A provider's configuration becomes a context, or is refused in the provider's words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from twin.gcp import configuration
from twin.gcp.context import ATTRIBUTION, Labels
from twin.provider_interface import UNKNOWN, CloudError, Props

VARIABLES = (
    *("GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"),
    *("GOOGLE_REGION", "CLOUDSDK_COMPUTE_REGION", "GOOGLE_OAUTH_ACCESS_TOKEN", "GOOGLE_CREDENTIALS"),
    *("GOOGLE_COMPUTE_CUSTOM_ENDPOINT", "GOOGLE_KMS_CUSTOM_ENDPOINT"),
)


@pytest.fixture(autouse=True)
def _nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_the_configuration_counts_more_than_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "acme-ml-prod")
    monkeypatch.setenv("GOOGLE_REGION", "europe-west4")
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.one")
    monkeypatch.setenv("GOOGLE_KMS_CUSTOM_ENDPOINT", "http://127.0.0.1:1/cloudkms.googleapis.com/v1")
    context = configuration.configure({"project": "acme-ml-dev", "defaultLabels": {"owner": "platform"}})
    assert (context.project, context.region, context.transport.token) == (
        "acme-ml-dev",
        "europe-west4",
        "ya29.one",
    )
    assert context.endpoints["cloudkms"] == "http://127.0.0.1:1/cloudkms.googleapis.com/v1/"
    assert context.endpoints["compute"] == "https://compute.googleapis.com/compute/v1/"
    assert context.labels.default == {"owner": "platform"}


def test_an_endpoint_of_the_configuration_is_used() -> None:
    context = configuration.configure({"accessToken": "t", "computeCustomEndpoint": "http://one/compute/v1/"})
    assert context.endpoints["compute"] == "http://one/compute/v1/"


def test_the_token_may_stand_in_a_file_of_credentials(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    file.write_text(json.dumps({"type": "access_token", "access_token": "ya29.two"}))
    for credentials in (str(file), file.read_text()):
        assert configuration.configure({"credentials": credentials}).transport.token == "ya29.two"
    with pytest.raises(CloudError, match="No credentials loaded"):
        configuration.configure({})


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"project": "Acme"}, "project"),
        ({"project": "acme-ml-dev-"}, "project"),
        ({"defaultLabels": {"Owner": "platform"}}, "defaultLabels.Owner"),
        ({"defaultLabels": {"owner": "Platform Team"}}, "defaultLabels.owner"),
        ({"deletionPolicy": "KEEP"}, "deletionPolicy"),
        ({"pulumiAttributionLabelAdditionStrategy": "SOMETIMES"}, "pulumiAttributionLabelAdditionStrategy"),
        ({"accessToken": "t", "credentials": "{}"}, "accessToken"),
    ],
)
def test_what_is_wrong_is_refused_at_its_key(config: Props, path: str) -> None:
    assert [failure.path for failure in configuration.check(config)] == [path]
    with pytest.raises(CloudError):
        configuration.configure({"accessToken": "t", **config})


def test_what_is_not_known_yet_passes() -> None:
    assert not configuration.check({"project": UNKNOWN, "defaultLabels": UNKNOWN})


def test_the_attribution_is_added_to_new_resources_alone_unless_told() -> None:
    key, value = ATTRIBUTION
    assert Labels().managed({"team": "ml"}, None) == {"team": "ml", key: value}
    assert Labels().managed({"team": "ml"}, {}) == {"team": "ml"}
    assert Labels().managed({}, {key: value}) == {key: value}
    assert Labels(strategy="PROACTIVE").managed({}, {}) == {key: value}
    assert Labels(attribution=False).managed({}, None) == {}
    assert Labels({"owner": "a"}).managed({"owner": "b"}, {}) == {"owner": "b"}
    assert Labels().managed(UNKNOWN, None) is UNKNOWN
