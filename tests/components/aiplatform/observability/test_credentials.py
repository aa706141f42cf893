"""Credentials of receivers: from the cloud's secret manager to the files that Alertmanager reads."""

from __future__ import annotations

import json

from tests.components.aiplatform.observability.test_observability import (
    CONTROLLER,
    EXTERNAL_SECRET,
    GKE,
    SLACK,
    STORE,
    chart,
    recorded,
    role_policy,
)
from tests.components.recording import ACCOUNT, REGION


def test_credentials_are_files_that_external_secrets_makes() -> None:
    recording = recorded(notifications={"receivers": [SLACK], "default": "ml"})
    secret = recording.one(EXTERNAL_SECRET, "observability-alert-receiver-ml-slack")
    assert secret.inputs["spec"]["data"] == [
        {"secretKey": "ml-slack", "remoteRef": {"key": "acme-dev/alerts/slack"}}
    ]
    (statement,) = role_policy(recording, "observability-secrets")
    assert statement["Resource"] == [
        f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:acme-dev/alerts/slack-??????"
    ]
    trust = json.loads(recording.one("aws:iam/role:Role", "observability-secrets").inputs["assumeRolePolicy"])
    (allowed,) = trust["Statement"]
    assert allowed["Principal"] == {"AWS": CONTROLLER}
    assert allowed["Condition"] == {"StringEquals": {"aws:RequestTag/esoNamespace": "monitoring"}}
    assert recording.depends(chart(recording), secret), "Alertmanager would wait for its files"


def test_a_secret_that_is_missing_keeps_no_other_credential_away() -> None:
    mail = {"to": ["a@acme.com"], "sender": "b@acme.com", "host": "smtp.acme.com", "username": "b"}
    both = {**SLACK, "email": {**mail, "secret": "acme-dev/alerts/mail"}}
    recording = recorded(notifications={"receivers": [both], "default": "ml"})
    secrets = [
        secret.inputs
        for secret in recording.all(EXTERNAL_SECRET)
        if secret.inputs["metadata"]["name"].startswith("alert-receiver-")
    ]
    files = [[entry["secretKey"] for entry in secret["spec"]["data"]] for secret in secrets]
    assert sorted(files) == [["ml-email"], ["ml-slack"]], "External Secrets makes all of a Secret or none"
    spec = chart(recording).inputs["values"]["alertmanager"]["alertmanagerSpec"]
    assert "secrets" not in spec, "no replica starts without one of these"
    [volume], [mount] = spec["volumes"], spec["volumeMounts"]
    sources = [source["secret"] for source in volume["projected"]["sources"]]
    assert all(source["optional"] is True for source in sources)
    assert {source["name"] for source in sources} == {secret["metadata"]["name"] for secret in secrets}
    assert {secret["spec"]["target"]["name"] for secret in secrets} == {source["name"] for source in sources}
    configuration = json.dumps(chart(recording).inputs["values"]["alertmanager"]["config"])
    assert f"{mount['mountPath']}/ml-slack" in configuration
    assert f"{mount['mountPath']}/ml-email" in configuration


def test_credentials_on_google_cloud_are_read_by_a_service_account_that_no_pod_has() -> None:
    receiver = {"name": "ml", "pagerduty": {"secret": "projects/acme-dev-1234/secrets/pagerduty"}}
    recording = recorded(GKE, notifications={"receivers": [receiver], "default": "ml"})
    store = recording.one(STORE).inputs["spec"]["provider"]["gcpsm"]
    account = store["auth"]["workloadIdentity"]["serviceAccountRef"]["name"]
    member = recording.one("gcp:secretmanager/secretIamMember:SecretIamMember")
    assert (member.inputs["secretId"], member.inputs["role"]) == (
        "pagerduty",
        "roles/secretmanager.secretAccessor",
    )
    assert member.inputs["member"].endswith(f"/subject/ns/monitoring/sa/{account}")
    assert recording.one("kubernetes:core/v1:ServiceAccount").inputs["automountServiceAccountToken"] is False


def test_nothing_reads_secrets_without_credentials() -> None:
    recording = recorded()
    assert recording.all(STORE) == []
    assert [secret.name for secret in recording.all(EXTERNAL_SECRET)] == ["observability-grafana-admin"]
