"""Cloud SQL, Secret Manager and Artifact Registry, against an API server."""

from __future__ import annotations

from typing import Any

import pytest

from twin.core.diff import compare
from twin.gcp.api_server.server import ApiServer
from twin.gcp.context import GcpContext
from twin.gcp.resources.function import table as functions
from twin.provider_interface import CloudError
from twin.tests.gcp.api_servers import PROJECT, client
from twin.tests.gcp.api_servers import refused as refusal
from twin.tests.gcp.resources.life import Made, make, refused

INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance"
DATABASE = "gcp:sql/database:Database"
USER = "gcp:sql/user:User"
SECRET = "gcp:secretmanager/secret:Secret"
VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
REPOSITORY = "gcp:artifactregistry/repository:Repository"
IDENTITY = "gcp:projects/serviceIdentity:ServiceIdentity"
ACCOUNT = "gcp:serviceaccount/account:Account"
NETWORK = f"projects/{PROJECT}/global/networks/net"


def connected(gcp: GcpContext) -> None:
    """A private connection of the network `net` to Google's services."""
    make(
        gcp,
        "gcp:compute/globalAddress:GlobalAddress",
        name="services",
        purpose="VPC_PEERING",
        addressType="INTERNAL",
        prefixLength=16,
        network=NETWORK,
    )
    make(
        gcp,
        "gcp:servicenetworking/connection:Connection",
        network=NETWORK,
        service="servicenetworking.googleapis.com",
        reservedPeeringRanges=["services"],
    )


@pytest.fixture(scope="module")
def peered(shared_data: GcpContext) -> GcpContext:
    """A Google where `net` has its private connection and `alone` has none, for what is refused."""
    connected(shared_data)
    make(shared_data, "gcp:compute/network:Network", name="alone", autoCreateSubnetworks=False)
    return shared_data


def settings(**more: Any) -> dict[str, Any]:
    """A private instance's settings."""
    backup = {
        "enabled": True,
        "pointInTimeRecoveryEnabled": True,
        "transactionLogRetentionDays": 7,
        "backupRetentionSettings": {"retainedBackups": 7},
    }
    return {
        "tier": "db-custom-2-4096",
        "edition": "ENTERPRISE",
        "availabilityType": "REGIONAL",
        "ipConfiguration": {"ipv4Enabled": False, "privateNetwork": NETWORK, "sslMode": "ENCRYPTED_ONLY"},
        "backupConfiguration": backup,
        "databaseFlags": [{"name": "cloudsql.iam_authentication", "value": "on"}],
        **more,
    }


def instance(gcp: GcpContext, *, name: str = "mlflow", version: str = "POSTGRES_18", **more: Any) -> Made:
    """A private PostgreSQL."""
    return make(
        gcp,
        INSTANCE,
        name=name,
        databaseVersion=version,
        region="us-central1",
        deletionProtection=False,
        settings=settings(**more),
    )


def test_an_instance_lives_with_its_database_and_user(data: GcpContext) -> None:
    make(data, "gcp:compute/network:Network", name="net", autoCreateSubnetworks=False)
    connected(data)
    database_instance = instance(data)
    assert database_instance.outputs["connectionName"] == f"{PROJECT}:us-central1:mlflow"
    assert database_instance.outputs["privateIpAddress"]
    assert "BEGIN CERTIFICATE" in database_instance.outputs["serverCaCerts"][0]["cert"]
    grown = database_instance.update(settings=settings(tier="db-custom-4-15360", diskSize=50))
    assert grown["settings"]["diskSize"] == 50
    assert database_instance.replaced_by(region="us-east1") == ["region"]
    database = make(data, DATABASE, instance="mlflow", name="mlflow")
    assert database.outputs["charset"] == "UTF8"
    account = make(data, ACCOUNT, accountId="server").outputs["email"]
    arguments = {"instance": "mlflow", "type": "CLOUD_IAM_SERVICE_ACCOUNT"}
    with pytest.raises(CloudError, match="must leave out"):
        make(data, USER, **arguments, name=account)
    user = make(data, USER, **arguments, name=account.removesuffix(".gserviceaccount.com"))
    assert user.outputs["iamEmail"] == account
    assert user.update(databaseRoles=["cloudsqlsuperuser"])["databaseRoles"] == ["cloudsqlsuperuser"]
    for resource in (user, database, database_instance):
        resource.delete()
        assert resource.read() is None
    with pytest.raises(CloudError, match="can't reuse the name"):
        instance(data)
    with pytest.raises(CloudError, match="deletion_protection is set to true"):
        database_instance.kind.delete(
            data, database_instance.id, {**database_instance.outputs, "deletionProtection": True}
        )


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"edition": "ENTERPRISE_PLUS"}, "Invalid Tier"),
        ({"edition": None}, r"for \(ENTERPRISE_PLUS\) Edition"),
        ({"tier": "db-custom-3-4096"}, "an even number of vCPUs"),
        ({"backupConfiguration": {"enabled": False}}, "must be enabled for instances with availability"),
        ({"ipConfiguration": {"ipv4Enabled": False}}, "At least one of Public IP or Private IP"),
        ({"ipConfiguration": {"privateNetwork": NETWORK[:-3] + "alone"}}, "NETWORK_NOT_PEERED"),
        ({"databaseFlags": [{"name": "cloudsql.nothing", "value": "on"}]}, "Invalid flag name"),
        (
            {
                "backupConfiguration": {
                    "enabled": True,
                    "pointInTimeRecoveryEnabled": True,
                    "transactionLogRetentionDays": 30,
                }
            },
            "must be from 1 to 7",
        ),
    ],
)
def test_an_instance_that_cannot_be_is_refused(peered: GcpContext, more: dict[str, Any], words: str) -> None:
    with pytest.raises(CloudError, match=words):
        instance(peered, **more)


def test_a_secrets_payload_is_seen_by_who_may(data: GcpContext, google: ApiServer) -> None:
    agent = make(data, IDENTITY, service="secretmanager.googleapis.com").outputs["member"]
    ring = make(data, "gcp:kms/keyRing:KeyRing", name="ring", location="us-central1")
    key = make(data, "gcp:kms/cryptoKey:CryptoKey", name="data", keyRing=ring.id).id
    replica = {"location": "us-central1", "customerManagedEncryption": {"kmsKeyName": key}}
    arguments: dict[str, Any] = {"secretId": "admin", "replication": {"userManaged": {"replicas": [replica]}}}
    with pytest.raises(CloudError, match="cryptoKeyEncrypterDecrypter"):
        make(data, SECRET, **arguments)
    make(
        data,
        "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
        cryptoKeyId=key,
        role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
        member=agent,
    )
    secret = make(data, SECRET, **arguments, labels={"team": "ml"})
    assert secret.update(labels={"team": "data"})["effectiveLabels"]["team"] == "data"
    version = make(data, VERSION, secret=secret.id, secretData="s3cret")
    assert version.outputs["version"] == "1"
    email = make(data, ACCOUNT, accountId="reader").outputs["email"]
    token = google.identity.token(f"serviceAccount:{email}")
    versions = client(google, "secretmanager", token=token).projects().secrets().versions()
    assert refusal(versions.access(name=f"{secret.id}/versions/latest")).code == 403
    make(
        data,
        "gcp:secretmanager/secretIamMember:SecretIamMember",
        secretId="admin",
        role="roles/secretmanager.secretAccessor",
        member=f"serviceAccount:{email}",
    )
    answered = versions.access(name=f"{secret.id}/versions/latest").execute()
    assert answered["payload"]["data"] == "czNjcmV0"
    version.delete()
    assert version.read() is None
    assert refusal(versions.access(name=f"{secret.id}/versions/1")).status == "FAILED_PRECONDITION"
    auto = make(data, SECRET, secretId="plain", replication={"auto": {}})
    auto.delete()
    assert refused(data, SECRET, secretId="none", replication={})
    with pytest.raises(CloudError, match="Invalid Secret id"):
        make(data, SECRET, secretId="no/slash", replication={"auto": {}})


@pytest.mark.parametrize(
    ("age", "differs"), [("2592000s", False), ("720h", False), ("31d", True), ("30", True), ("", True)]
)
def test_an_age_of_images_in_another_unit_is_no_change(data: GcpContext, age: str, differs: bool) -> None:
    def policies(older: str) -> dict[str, Any]:
        return {"cleanupPolicies": [{"id": "old", "action": "DELETE", "condition": {"olderThan": older}}]}

    repository = make(
        data, REPOSITORY, repositoryId="models", location="us-central1", format="DOCKER", **policies("30d")
    )
    difference = compare(
        repository.kind, repository.inputs, repository.outputs, {**repository.inputs, **policies(age)}
    )
    assert bool(difference.changes) is differs


def test_repositories_live(data: GcpContext) -> None:
    policies = [
        {"id": "old", "action": "DELETE", "condition": {"tagState": "UNTAGGED", "olderThan": "30d"}},
        {"id": "last", "action": "KEEP", "mostRecentVersions": {"keepCount": 5}},
    ]
    repository = make(
        data,
        REPOSITORY,
        repositoryId="models",
        location="us-central1",
        format="DOCKER",
        dockerConfig={"immutableTags": True},
        cleanupPolicies=policies,
        labels={"team": "ml"},
    )
    assert repository.outputs["registryUri"] == f"us-central1-docker.pkg.dev/{PROJECT}/models"
    assert repository.update(description="Models")["description"] == "Models"
    assert repository.update(cleanupPolicies=policies[:1])["cleanupPolicies"][0]["id"] == "old"
    assert repository.replaced_by(format="NPM") == ["format"]
    member = make(
        data,
        "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember",
        repository="models",
        location="us-central1",
        role="roles/artifactregistry.reader",
        member="group:ml@example.com",
    )
    assert member.id.startswith(f"{repository.id}/roles/")
    member.delete()
    remote = {"dockerRepository": {"customRepository": {"uri": "https://ghcr.io"}}}
    cache = make(
        data,
        REPOSITORY,
        repositoryId="ghcr",
        location="us-central1",
        format="DOCKER",
        mode="REMOTE_REPOSITORY",
        remoteRepositoryConfig=remote,
    )
    cache.delete()
    repository.delete()
    assert repository.read() is None


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"repositoryId": "Models"}, "Invalid Repository id"),
        ({"mode": "REMOTE_REPOSITORY"}, "which need it"),
        ({"format": "NPM", "dockerConfig": {"immutableTags": True}}, "format DOCKER only"),
        (
            {"cleanupPolicies": [{"id": "x", "action": "DELETE", "mostRecentVersions": {"keepCount": 5}}]},
            "for the action KEEP only",
        ),
        ({"location": "mars"}, "Location 'mars'"),
    ],
)
def test_a_repository_that_cannot_be_is_refused(
    shared_data: GcpContext, more: dict[str, Any], words: str
) -> None:
    arguments = {"repositoryId": "models", "location": "us-central1", "format": "DOCKER"}
    with pytest.raises(CloudError, match=words):
        make(shared_data, REPOSITORY, **{**arguments, **more})


def test_the_function_has_the_settings_of_an_instance_in_lists_of_one(data: GcpContext) -> None:
    function = functions()["gcp:sql/getDatabaseInstance:getDatabaseInstance"]
    with pytest.raises(CloudError, match="'mlflow': not found"):
        function.invoke(data, {"name": "mlflow", "project": PROJECT})
    make(data, "gcp:compute/network:Network", name="net", autoCreateSubnetworks=False)
    connected(data)
    instance(data)
    answered = function.invoke(data, {"name": "mlflow", "project": PROJECT})
    assert answered["connectionName"].startswith(f"{PROJECT}:")
    assert answered["databaseVersion"] == "POSTGRES_18"
    assert answered["privateIpAddress"]
    [known] = answered["settings"]
    assert known["ipConfigurations"][0]["sslMode"] == "ENCRYPTED_ONLY"
    assert {"name": "cloudsql.iam_authentication", "value": "on"} in known["databaseFlags"]
