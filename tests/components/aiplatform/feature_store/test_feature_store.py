"""A feature store on AWS: its resources, permissions, and Feast's configuration."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pulumi_aws import lakeformation

from aiplatform.feature_store import FeatureStore
from aiplatform.feature_store.config import EMPTY
from tests.components.aiplatform.feature_store.example import (
    APPLIER,
    LAKEHOUSE,
    MATERIALIZER,
    READER,
    ROLE,
    aws,
    rendered,
    statements,
)
from tests.components.aiplatform.pools import CLUSTER
from tests.components.aiplatform.schema import undocumented
from tests.components.recording import ACCOUNT, REGION, Recording, record, value

ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
ATTACHED = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
TABLES = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/acme-dev.features.*"
STAGING = f"arn:aws:s3:::acme-dev-feast-materializer-{ACCOUNT}"
REGISTRY = f"arn:aws:s3:::acme-dev-features-{ACCOUNT}"


def pod(recorded: Recording) -> dict[str, Any]:
    return recorded.one("kubernetes:apps/v1:Deployment").inputs["spec"]["template"]["spec"]


def job(recorded: Recording) -> dict[str, Any]:
    template = recorded.one("kubernetes:batch/v1:CronJob").inputs["spec"]["jobTemplate"]
    return template["spec"]


def test_its_arguments_are_documented() -> None:
    assert undocumented(FeatureStore) == []


def test_the_logical_names_are_a_contract(recording: Recording) -> None:
    names = [name for name in recording.names() if ":s3/" not in name]
    assert names == [
        "aiplatform:index:FeatureStore features",
        "aiplatform:index:WorkloadIdentity features-server",
        f"aws:athena/workgroup:Workgroup features-{APPLIER}",
        "aws:athena/workgroup:Workgroup features-materializer",
        f"aws:athena/workgroup:Workgroup features-{READER}",
        "aws:dynamodb/table:Table features-driver_stats",
        "aws:eks/podIdentityAssociation:PodIdentityAssociation features-server-association",
        "aws:glue/catalogDatabase:CatalogDatabase features-database",
        f"aws:iam/policy:Policy features-{APPLIER}",
        "aws:iam/policy:Policy features-materializer",
        f"aws:iam/policy:Policy features-{READER}",
        "aws:iam/role:Role features-server-role",
        "aws:iam/rolePolicy:RolePolicy features-server",
        f"aws:iam/rolePolicyAttachment:RolePolicyAttachment features-{APPLIER}",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment features-materializer",
        f"aws:iam/rolePolicyAttachment:RolePolicyAttachment features-{READER}",
        "aws:kms/alias:Alias features-key",
        "aws:kms/key:Key features-key",
        f"aws:lakeformation/permissions:Permissions features-{APPLIER}-tables",
        "aws:lakeformation/permissions:Permissions features-materializer-tables",
        f"aws:lakeformation/permissions:Permissions features-{READER}-tables",
        "kubernetes:apps/v1:Deployment features-feature-server-deployment",
        "kubernetes:autoscaling/v2:HorizontalPodAutoscaler features-feature-server-autoscaler",
        "kubernetes:batch/v1:CronJob features-feature-materializer",
        "kubernetes:core/v1:ConfigMap features-config",
        "kubernetes:core/v1:Namespace features-namespace",
        "kubernetes:core/v1:Service features-feature-server-service",
        "kubernetes:core/v1:ServiceAccount features-feature-materializer-account",
        "kubernetes:core/v1:ServiceAccount features-feature-server-account",
        "kubernetes:networking.k8s.io/v1:NetworkPolicy features-default-deny",
        "kubernetes:networking.k8s.io/v1:NetworkPolicy features-feature-materializer-network-policy",
        "kubernetes:networking.k8s.io/v1:NetworkPolicy features-feature-server-network-policy",
        "kubernetes:policy/v1:PodDisruptionBudget features-feature-server-disruption-budget",
    ]
    for resource in recording.resources:
        assert resource.parent or resource.type == "aiplatform:index:FeatureStore", resource.name


def test_the_tables_that_feast_expects_are_created(recording: Recording) -> None:
    table = recording.one("aws:dynamodb/table:Table")
    template = rendered(recording)["online_store"]["table_name_template"]
    assert table.inputs["name"] == template.format(project="features", table_name="driver_stats")
    assert (table.inputs["hashKey"], table.inputs["attributes"]) == (
        "entity_id",
        [{"name": "entity_id", "type": "S"}],
    ), "as Feast's own CreateTable has it"
    assert table.inputs["billingMode"] == "PAY_PER_REQUEST"
    assert table.inputs["serverSideEncryption"]["enabled"] is True
    assert table.inputs["serverSideEncryption"]["kmsKeyArn"]
    assert table.inputs["pointInTimeRecovery"] == {"enabled": True, "recoveryPeriodInDays": 35}
    assert table.inputs["deletionProtectionEnabled"] is True
    assert table.protect is True
    assert value(recording.result.online_tables) == ["acme-dev.features.driver_stats"]


def test_without_backup_days_tables_have_no_backups() -> None:
    table = aws().one("aws:dynamodb/table:Table")
    assert table.inputs["pointInTimeRecovery"] == {"enabled": False}
    assert table.inputs["deletionProtectionEnabled"] is False
    assert table.protect is None


def test_the_server_only_reads(recording: Recording) -> None:
    rights = statements(recording, "server")
    assert set(rights) == {"Registry", "FindRegistry", "OnlineStore", "UseKey"}
    assert rights["Registry"]["Action"] == ["s3:GetObject"]
    assert rights["OnlineStore"]["Resource"] == TABLES
    assert set(rights["OnlineStore"]["Action"]) == {
        "dynamodb:BatchGetItem",
        "dynamodb:DescribeTable",
        "dynamodb:GetItem",
    }


def test_the_materializer_queries_athena_and_writes_the_online_store(recording: Recording) -> None:
    attached = recording.one(ATTACHED, "features-materializer")
    assert attached.inputs["role"] == "acme-dev-wi-features", (
        "the identity comes in: the lakehouse's grants name it"
    )
    rights = statements(recording, "materializer")
    assert "dynamodb:BatchWriteItem" in rights["OnlineStore"]["Action"]
    assert "dynamodb:DeleteTable" not in rights["OnlineStore"]["Action"]
    assert rights["Registry"]["Action"] == ["s3:GetObject", "s3:PutObject"], "it notes how far it came"
    workgroup = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/acme-dev-features-materializer"
    assert rights["Query"]["Resource"] == workgroup
    database = f"arn:aws:glue:{REGION}:{ACCOUNT}:database/acme_dev_features"
    assert database in rights["OwnTables"]["Resource"]
    assert f"arn:aws:glue:{REGION}:{ACCOUNT}:table/acme_dev_curated/*" in rights["FindTables"]["Resource"]
    assert not any("curated" in arn for arn in rights["OwnTables"]["Resource"]), "no table in a zone"
    assert rights["Staging"]["Resource"] == f"{STAGING}/*"


def test_appliers_create_no_tables_and_readers_write_no_registry(recording: Recording) -> None:
    applier, reader = statements(recording, APPLIER), statements(recording, READER)
    assert applier["OnlineStore"]["Action"] == ["dynamodb:DeleteTable", "dynamodb:DescribeTable"], (
        "CreateTable and TagResource would make tables without the platform's key, or take its tags away"
    )
    assert "OnlineStore" not in reader
    assert reader["Registry"]["Action"] == ["s3:GetObject"]
    assert recording.one(ATTACHED, f"features-{READER}").inputs["role"] == "training", (
        "its name, without its path"
    )


@pytest.mark.parametrize("who", ["server", "materializer", APPLIER, READER])
def test_no_permission_has_a_wildcard_that_its_service_can_avoid(recording: Recording, who: str) -> None:
    for statement in statements(recording, who).values():
        assert not any("*" in action for action in statement["Action"]), statement
        if statement["Sid"] != "AskLakeFormation":
            assert statement["Resource"] != "*", statement
    condition = statements(recording, who)["UseKey"]["Condition"]
    assert condition == {
        "StringEquals": {"kms:ViaService": [f"s3.{REGION}.amazonaws.com", f"dynamodb.{REGION}.amazonaws.com"]}
    }


def test_principals_create_tables_only_in_feasts_database(recording: Recording) -> None:
    granted = recording.all("aws:lakeformation/permissions:Permissions")
    assert {grant.inputs["principal"] for grant in granted} == {
        f"{ROLE}acme-dev-wi-features",
        f"{ROLE}data-scientists",
        f"{ROLE}teams/training",
    }
    for grant in granted:
        assert grant.inputs["permissions"] == ["CREATE_TABLE", "DESCRIBE"]
        assert grant.inputs["database"] == {"name": "acme_dev_features"}


def test_the_database_depends_on_the_lakehouses_settings() -> None:
    def program() -> FeatureStore:
        settings = lakeformation.DataLakeSettings("settings", admins=[f"{ROLE}deployer"])
        zones: list[Any] = [
            {**zone, "database": settings.id.apply(lambda _, known=zone["database"]: known)}
            for zone in LAKEHOUSE["zones"]
        ]
        arguments: Any = {
            "prefix": "acme-dev",
            "cluster": CLUSTER,
            "lakehouse": {**LAKEHOUSE, "zones": zones},
            "materializer": MATERIALIZER,
        }
        return FeatureStore("features", arguments)

    recorded = record(program)
    settings = recorded.one("aws:lakeformation/dataLakeSettings:DataLakeSettings")
    for kind in ("aws:glue/catalogDatabase:CatalogDatabase", "aws:lakeformation/permissions:Permissions"):
        assert recorded.depends(recorded.one(kind), settings), (
            "an earlier database would be open to everything that IAM allows, and could not be granted"
        )


def test_the_database_has_a_location_in_this_stores_bucket(recording: Recording) -> None:
    database = recording.one("aws:glue/catalogDatabase:CatalogDatabase").inputs
    bucket = recording.one("aws:s3/bucket:Bucket", "features-staging-materializer").inputs["bucket"]
    assert database["locationUri"] == f"s3://{bucket}/tables", (
        "left out, the provider keeps what the database had, of a bucket that may be another account's now"
    )


def test_staging_expires_and_the_registry_does_not(recording: Recording) -> None:
    kind = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    (rule,) = recording.one(kind, f"features-staging-{READER}").inputs["rules"]
    assert rule["expiration"] == {"days": 1}
    (rule,) = recording.one(kind, "features-registry").inputs["rules"]
    assert rule["noncurrentVersionExpiration"] == {"noncurrentDays": 30}
    bucket = recording.one("aws:s3/bucket:Bucket", "features-registry")
    assert (bucket.protect, bucket.inputs["forceDestroy"]) == (True, False)
    for name in ("registry", f"staging-{READER}"):
        policy = json.loads(
            recording.one("aws:s3/bucketPolicy:BucketPolicy", f"features-{name}").inputs["policy"]
        )
        sids = {statement["Sid"] for statement in policy["Statement"]}
        assert {"PlainHttp", "OtherKey", "OtherEncryption"} <= sids


def test_the_registry_is_created_empty_and_then_changed_by_feast(recording: Recording) -> None:
    first = recording.one("aws:s3/bucketObjectv2:BucketObjectv2")
    assert first.inputs["key"] == "registry/registry.db"
    assert first.inputs["content"].encode() == b"\x1a\x01" + b"1", "registry_schema_version, field 3: 1"
    assert first.inputs["content"] == EMPTY
    assert "content" in first.ignore_changes
    assert recording.depends(recording.one("kubernetes:apps/v1:Deployment"), first), (
        "a server without one would write one, which it may not"
    )


def test_the_configuration_is_complete_and_has_no_secret(recording: Recording, valkey: Recording) -> None:
    assert rendered(recording) == {
        "project": "features",
        "provider": "aws",
        "registry": {
            "registry_type": "file",
            "path": f"s3://acme-dev-features-{ACCOUNT}/registry/registry.db",
            "cache_ttl_seconds": 60,
        },
        "online_store": {
            "type": "dynamodb",
            "region": REGION,
            "table_name_template": "acme-dev.{project}.{table_name}",
            "consistent_reads": False,
        },
        "offline_store": {
            "type": "athena",
            "region": REGION,
            "data_source": "AwsDataCatalog",
            "database": "acme_dev_features",
            "workgroup": "acme-dev-features-materializer",
            "s3_staging_location": f"s3://acme-dev-feast-materializer-{ACCOUNT}",
        },
        "materialization": {"pull_latest_features": True, "online_write_batch_size": 10000},
        "entity_key_serialization_version": 3,
    }
    store = rendered(valkey)["online_store"]
    assert store["connection_string"].endswith(
        ":6379,ssl=true,username=${FEAST_ONLINE_USER},password=${FEAST_ONLINE_PASSWORD}"
    )
    assert store["key_ttl_seconds"] == 3 * 24 * 3600


def test_the_url_of_a_sql_registry_comes_from_an_existing_secret() -> None:
    recorded = aws(registry={"kind": "sql", "secret": "feast-registry"})
    assert rendered(recorded)["registry"]["path"] == "${FEAST_REGISTRY_URL}"
    assert not recorded.all("aws:s3/bucketObjectv2:BucketObjectv2")
    assert "Registry" not in statements(recorded, "server")
    variables = {variable["name"]: variable for variable in pod(recorded)["containers"][0]["env"]}
    assert variables["FEAST_REGISTRY_URL"]["valueFrom"]["secretKeyRef"]["name"] == "feast-registry"
    deployment = recorded.one("kubernetes:apps/v1:Deployment").inputs
    assert deployment["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}
    policies = recorded.all("kubernetes:networking.k8s.io/v1:NetworkPolicy")
    server = next(resource.inputs for resource in policies if resource.name.endswith("server-network-policy"))
    ports = {port["port"] for rule in server["spec"]["egress"] for port in rule["ports"]}
    assert 5432 in ports


def test_the_server_of_a_registry_in_sql_can_have_a_user_that_only_reads() -> None:
    said = {"kind": "sql", "secret": "feast-registry", "server_secret": "feast-reads"}
    recorded = aws(registry=said)

    def secret(spec: dict[str, Any]) -> str:
        variables = {variable["name"]: variable for variable in spec["containers"][0]["env"]}
        return variables["FEAST_REGISTRY_URL"]["valueFrom"]["secretKeyRef"]["name"]

    assert secret(pod(recorded)) == "feast-reads", "it answers applications, and has routes that write"
    assert secret(job(recorded)["template"]["spec"]) == "feast-registry", "it notes how far it came"


def test_pods_are_restricted_and_have_no_token_of_the_cluster(recording: Recording) -> None:
    for spec in (pod(recording), job(recording)["template"]["spec"]):
        (container,) = spec["containers"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"requests", "limits"} <= set(container["resources"])
        assert spec["automountServiceAccountToken"] is False
    labels = recording.one("kubernetes:core/v1:Namespace").inputs["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_server_accepts_only_its_clients(recording: Recording) -> None:
    policies = {
        resource.name: resource.inputs["spec"]
        for resource in recording.all("kubernetes:networking.k8s.io/v1:NetworkPolicy")
    }
    (rule,) = policies["features-feature-server-network-policy"]["ingress"]
    assert rule["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}]
    assert rule["ports"] == [{"port": 6566, "protocol": "TCP"}]
    assert policies["features-feature-materializer-network-policy"]["ingress"] == []
    denied = policies["features-default-deny"]
    assert denied == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    service = recording.one("kubernetes:core/v1:Service").inputs["spec"]
    assert (service["type"], service["ports"][0]["targetPort"]) == ("ClusterIP", 6566)
    assert value(recording.result.endpoint) == "http://feature-server.feature-store.svc.cluster.local"


def test_the_autoscaler_sets_the_number_of_servers(recording: Recording) -> None:
    deployment = recording.one("kubernetes:apps/v1:Deployment")
    assert deployment.inputs["spec"]["replicas"] == 2, "`up` waits for the least, not for one"
    assert "spec.replicas" in deployment.ignore_changes, "what the autoscaler chose later stays"
    scaler = recording.one("kubernetes:autoscaling/v2:HorizontalPodAutoscaler").inputs["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 6)
    assert scaler["scaleTargetRef"]["name"] == deployment.inputs["metadata"]["name"]
    container = pod(recording)["containers"][0]
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)
    assert {entry["topologyKey"] for entry in pod(recording)["topologySpreadConstraints"]} == {
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    }


def test_runs_of_the_schedule_do_not_overlap_and_are_limited(recording: Recording) -> None:
    spec = recording.one("kubernetes:batch/v1:CronJob").inputs["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == (
        "17 * * * *",
        "Etc/UTC",
        "Forbid",
    )
    assert job(recording)["activeDeadlineSeconds"] == 50 * 60
    (container,) = job(recording)["template"]["spec"]["containers"]
    assert container["command"] == ["python", "/etc/feast/materialize.py", "/etc/feast"]
    assert (
        "materialize_incremental"
        in recording.one("kubernetes:core/v1:ConfigMap").inputs["data"]["materialize.py"]
    )


def test_pods_depend_on_their_permissions_and_configuration(recording: Recording) -> None:
    deployment = recording.one("kubernetes:apps/v1:Deployment")
    for name in ("features-server", "features-server-association"):
        assert recording.depends(
            deployment, recording.named(name) if "-ass" in name else recording.one(ROLE_POLICY, name)
        )
    annotations = deployment.inputs["spec"]["template"]["metadata"]["annotations"]
    assert len(annotations["ai-platform/config"]) == 16, "another file, other Pods"


def test_the_image_is_pulled_from_its_mirror() -> None:
    recorded = aws(mirrors={"quay.io": "111122223333.dkr.ecr.eu-central-1.amazonaws.com/quay"})
    assert pod(recorded)["containers"][0]["image"] == (
        "111122223333.dkr.ecr.eu-central-1.amazonaws.com/quay/feastdev/feature-server:0.67.0"
    )


@pytest.mark.parametrize("metrics", [True, False])
def test_metrics_are_served_to_the_monitoring_alone(metrics: bool) -> None:
    recorded = aws(server={"clients": ["shop"], "metrics": metrics})
    deployment = recorded.one("kubernetes:apps/v1:Deployment").inputs
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    assert ("--metrics" in container["command"]) is metrics
    policy = recorded.one(
        "kubernetes:networking.k8s.io/v1:NetworkPolicy", "features-feature-server-network-policy"
    ).inputs
    allowed = {
        rule["ports"][0]["port"]: rule["from"][0]["namespaceSelector"]["matchLabels"]
        for rule in policy["spec"]["ingress"]
    }
    assert {port: labels["kubernetes.io/metadata.name"] for port, labels in allowed.items()} == {
        6566: "shop",
        **({8000: "monitoring"} if metrics else {}),
    }
