"""The resources of the model registry on Google Cloud."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi import Output

from aiplatform.model_registry.gcp import database as gcp_database
from tests.components.aiplatform.model_registry.example import PIPELINE, on_google
from tests.components.recording import Recording

INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance"
USER = "gcp:sql/user:User"
MAY = "gcp:secretmanager/secretIamMember:SecretIamMember"


@pytest.fixture(scope="module")
def default() -> Recording:
    """One account that promotes, in two zones."""
    return on_google(
        accounts={"release": {"principals": [PIPELINE], "promotes": True}},
        high_availability=True,
        database={"backup_days": 14},
        tags={"owner": "ml-platform"},
    )


def test_the_database_has_only_a_private_address_and_no_password(default: Recording) -> None:
    instance = default.one(INSTANCE).inputs
    settings: dict[str, Any] = instance["settings"]
    assert instance["databaseVersion"] == "POSTGRES_18"
    assert "rootPassword" not in instance
    assert (settings["edition"], settings["tier"]) == ("ENTERPRISE", "db-custom-2-4096")
    address = settings["ipConfiguration"]
    assert (address["ipv4Enabled"], address["sslMode"]) == (False, "ENCRYPTED_ONLY")
    assert address["allocatedIpRange"] == "acme-dev-private-services"
    flags = {flag["name"]: flag["value"] for flag in settings["databaseFlags"]}
    assert flags["cloudsql.iam_authentication"] == "on"
    for user in default.all(USER):
        assert user.inputs["type"] == "CLOUD_IAM_SERVICE_ACCOUNT"
        assert user.inputs["name"].endswith(".iam"), "PostgreSQL's names are too short for the address"
        assert {"password", "passwordWo"}.isdisjoint(user.inputs)
    assert default.one(USER, "models-mlflow-setup").inputs["databaseRoles"] == ["cloudsqlsuperuser"]
    assert "databaseRoles" not in default.one(USER, "models-mlflow").inputs


def test_the_authority_of_the_database_is_not_secret() -> None:
    async def certificates() -> tuple[str | None, bool]:
        authority = Output.secret([SimpleNamespace(cert="-----BEGIN CERTIFICATE-----")])
        instance: Any = SimpleNamespace(server_ca_certs=authority)
        output = gcp_database.certificates(instance)
        return await output.future(), await output.is_secret()

    text, secret = asyncio.run(certificates())
    assert text == "-----BEGIN CERTIFICATE-----"
    assert not secret, "else the whole ConfigMap that holds it is one, which policies refuse"


def test_the_database_has_labels(default: Recording) -> None:
    labels = default.one(INSTANCE).inputs["settings"]["userLabels"]
    assert labels["owner"] == "ml-platform", "a provider's default labels do not come to Cloud SQL"


def test_the_database_is_highly_available_and_backed_up(default: Recording) -> None:
    settings = default.one(INSTANCE).inputs["settings"]
    assert settings["availabilityType"] == "REGIONAL"
    backups = settings["backupConfiguration"]
    assert backups["pointInTimeRecoveryEnabled"] is True
    assert backups["transactionLogRetentionDays"] == 7, "more is another edition's"
    assert backups["backupRetentionSettings"] == {"retainedBackups": 14, "retentionUnit": "COUNT"}
    assert default.one(INSTANCE).ignore_changes == ("settings.diskSize",), "it grows by itself"


def test_roles_are_limited_to_one_instance_bucket_and_secret(default: Recording) -> None:
    members = default.all("gcp:projects/iAMMember:IAMMember")
    assert {resource.inputs["role"] for resource in members} == {"roles/cloudsql.instanceUser"}
    assert all("/instances/" in resource.inputs["condition"]["expression"] for resource in members)
    bucket = default.one("gcp:storage/bucketIAMMember:BucketIAMMember", "models-artifacts").inputs
    assert bucket["role"] == "roles/storage.objectUser"
    readers = {
        resource.inputs["member"]
        for resource in default.all(MAY)
        if "release" in resource.name and resource.inputs["role"] == "roles/secretmanager.secretAccessor"
    }
    server = default.one("gcp:serviceaccount/account:Account", "models-mlflow-account").state["member"]
    setup = default.one("gcp:serviceaccount/account:Account", "models-mlflow-setup-account").state["member"]
    assert readers == {PIPELINE, setup}
    assert server not in readers


def test_all_data_is_encrypted_by_one_key(default: Recording) -> None:
    key = default.one(INSTANCE).inputs["encryptionKeyName"]
    assert key.startswith(default.one("gcp:kms/cryptoKey:CryptoKey").name)
    assert default.one("gcp:storage/bucket:Bucket", "models-artifacts").inputs["encryption"] == {
        "defaultKmsKeyName": key
    }
    grants = default.all("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember")
    assert {resource.name.rpartition("-")[2] for resource in grants} == {
        "secretmanager",
        "sqladmin",
        "storage",
    }
    assert all(default.depends(default.one(INSTANCE), on=grant) for grant in grants)


def test_pods_sign_in_as_their_service_accounts(default: Recording) -> None:
    account = default.one("kubernetes:core/v1:ServiceAccount", "models-mlflow-account").inputs["metadata"]
    assert account["annotations"]["iam.gke.io/gcp-service-account"].startswith("acme-dev-wi-mlflow@")
    job = default.one("kubernetes:batch/v1:Job", "models-prepare").inputs["spec"]["template"]["spec"]
    variables = {variable["name"]: variable["value"] for variable in job["containers"][0]["env"]}
    assert variables["REGISTRY_MASTER_USER"].startswith("acme-dev-wi-mlflow-setup@")
    assert "REGISTRY_MASTER_SECRET" not in variables
