"""A feature store on AWS: what it makes, who may do what, and the file that Feast gets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pulumi_aws import lakeformation

from aiplatform._shared.args import keys
from aiplatform.feature_store import FeatureStore, FeatureStoreArgs
from aiplatform.feature_store.args import FeatureStoreSettings
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


def test_its_arguments_are_documented_and_complete() -> None:
    assert undocumented(FeatureStore) == []
    assert set(FeatureStoreArgs.__annotations__) == keys(FeatureStoreSettings)


def test_the_logical_names_are_a_contract(made: Recording) -> None:
    names = [name for name in made.names() if ":s3/" not in name]
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
    for resource in made.resources:
        assert resource.parent or resource.type == "aiplatform:index:FeatureStore", resource.name


def test_the_platform_makes_the_tables_that_feast_looks_for(made: Recording) -> None:
    table = made.one("aws:dynamodb/table:Table")
    template = rendered(made)["online_store"]["table_name_template"]
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
    assert value(made.result.online_tables) == ["acme-dev.features.driver_stats"]


def test_without_backups_the_tables_have_none_and_nothing_is_protected() -> None:
    table = aws().one("aws:dynamodb/table:Table")
    assert table.inputs["pointInTimeRecovery"] == {"enabled": False}
    assert table.inputs["deletionProtectionEnabled"] is False
    assert table.protect is None


def test_the_server_reads_and_writes_nothing(made: Recording) -> None:
    rights = statements(made, "server")
    assert set(rights) == {"Registry", "FindRegistry", "OnlineStore", "UseKey"}
    assert rights["Registry"]["Action"] == ["s3:GetObject"]
    assert rights["OnlineStore"]["Resource"] == TABLES
    assert set(rights["OnlineStore"]["Action"]) == {
        "dynamodb:BatchGetItem",
        "dynamodb:DescribeTable",
        "dynamodb:GetItem",
    }


def test_the_materializer_asks_athena_and_writes_online(made: Recording) -> None:
    attached = made.one(ATTACHED, "features-materializer")
    assert attached.inputs["role"] == "acme-dev-wi-features", (
        "the identity comes in: the lakehouse's grants name it"
    )
    rights = statements(made, "materializer")
    assert "dynamodb:BatchWriteItem" in rights["OnlineStore"]["Action"]
    assert "dynamodb:DeleteTable" not in rights["OnlineStore"]["Action"]
    assert rights["Registry"]["Action"] == ["s3:GetObject", "s3:PutObject"], "it notes how far it came"
    workgroup = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/acme-dev-features-materializer"
    assert rights["Query"]["Resource"] == workgroup
    own = f"arn:aws:glue:{REGION}:{ACCOUNT}:database/acme_dev_features"
    assert own in rights["OwnTables"]["Resource"]
    assert f"arn:aws:glue:{REGION}:{ACCOUNT}:table/acme_dev_curated/*" in rights["FindTables"]["Resource"]
    assert not any("curated" in arn for arn in rights["OwnTables"]["Resource"]), "no table in a zone"
    assert rights["Staging"]["Resource"] == f"{STAGING}/*"


def test_who_applies_makes_no_table_and_who_reads_writes_no_registry(made: Recording) -> None:
    applier, reader = statements(made, APPLIER), statements(made, READER)
    assert applier["OnlineStore"]["Action"] == ["dynamodb:DeleteTable", "dynamodb:DescribeTable"], (
        "CreateTable and TagResource would make tables without the platform's key, or take its tags away"
    )
    assert "OnlineStore" not in reader
    assert reader["Registry"]["Action"] == ["s3:GetObject"]
    assert made.one(ATTACHED, f"features-{READER}").inputs["role"] == "training", "its name, without its path"


@pytest.mark.parametrize("who", ["server", "materializer", APPLIER, READER])
def test_no_right_is_wider_than_its_service_has_it(made: Recording, who: str) -> None:
    for statement in statements(made, who).values():
        assert not any("*" in action for action in statement["Action"]), statement
        if statement["Sid"] != "AskLakeFormation":
            assert statement["Resource"] != "*", statement
    condition = statements(made, who)["UseKey"]["Condition"]
    assert condition == {
        "StringEquals": {"kms:ViaService": [f"s3.{REGION}.amazonaws.com", f"dynamodb.{REGION}.amazonaws.com"]}
    }


def test_whoever_asks_athena_may_make_tables_in_feasts_own_database_alone(made: Recording) -> None:
    granted = made.all("aws:lakeformation/permissions:Permissions")
    assert {grant.inputs["principal"] for grant in granted} == {
        f"{ROLE}acme-dev-wi-features",
        f"{ROLE}data-scientists",
        f"{ROLE}teams/training",
    }
    for grant in granted:
        assert grant.inputs["permissions"] == ["CREATE_TABLE", "DESCRIBE"]
        assert grant.inputs["database"] == {"name": "acme_dev_features"}


def test_its_database_comes_after_the_lakehouses_settings() -> None:
    def made() -> FeatureStore:
        settings = lakeformation.DataLakeSettings("settings", admins=[f"{ROLE}deployer"])
        zones: list[Any] = [
            {**zone, "database": settings.id.apply(lambda _, known=zone["database"]: known)}
            for zone in LAKEHOUSE["zones"]
        ]
        given: Any = {
            "prefix": "acme-dev",
            "cluster": CLUSTER,
            "lakehouse": {**LAKEHOUSE, "zones": zones},
            "materializer": MATERIALIZER,
        }
        return FeatureStore("features", given)

    recorded = record(made)
    settings = recorded.one("aws:lakeformation/dataLakeSettings:DataLakeSettings")
    for kind in ("aws:glue/catalogDatabase:CatalogDatabase", "aws:lakeformation/permissions:Permissions"):
        assert recorded.depends(recorded.one(kind), settings), (
            "a database made before would be everybody's whom IAM lets, and nobody could grant it"
        )


def test_the_database_of_feasts_tables_has_a_location_of_this_stores_own(made: Recording) -> None:
    database = made.one("aws:glue/catalogDatabase:CatalogDatabase").inputs
    bucket = made.one("aws:s3/bucket:Bucket", "features-staging-materializer").inputs["bucket"]
    assert database["locationUri"] == f"s3://{bucket}/tables", (
        "left out, the provider keeps what the database had, of a bucket that may be another account's now"
    )


def test_staging_goes_by_itself_and_the_registry_stays(made: Recording) -> None:
    kind = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    (rule,) = made.one(kind, f"features-staging-{READER}").inputs["rules"]
    assert rule["expiration"] == {"days": 1}
    (rule,) = made.one(kind, "features-registry").inputs["rules"]
    assert rule["noncurrentVersionExpiration"] == {"noncurrentDays": 30}
    bucket = made.one("aws:s3/bucket:Bucket", "features-registry")
    assert (bucket.protect, bucket.inputs["forceDestroy"]) == (True, False)
    for name in ("registry", f"staging-{READER}"):
        policy = json.loads(made.one("aws:s3/bucketPolicy:BucketPolicy", f"features-{name}").inputs["policy"])
        sids = {statement["Sid"] for statement in policy["Statement"]}
        assert {"PlainHttp", "OtherKey", "OtherEncryption"} <= sids


def test_the_registry_begins_empty_and_is_feasts_from_then_on(made: Recording) -> None:
    first = made.one("aws:s3/bucketObjectv2:BucketObjectv2")
    assert first.inputs["key"] == "registry/registry.db"
    assert first.inputs["content"].encode() == b"\x1a\x01" + b"1", "registry_schema_version, field 3: 1"
    assert first.inputs["content"] == EMPTY
    assert "content" in first.ignore_changes
    assert made.depends(made.one("kubernetes:apps/v1:Deployment"), first), (
        "a server without one would write one, which it may not"
    )


def test_the_file_is_what_feast_needs_and_says_no_secret(made: Recording, valkey: Recording) -> None:
    assert rendered(made) == {
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


def test_a_registry_in_sql_is_told_by_a_secret_that_others_make() -> None:
    recorded = aws(registry={"kind": "sql", "secret": "feast-registry"})
    assert rendered(recorded)["registry"]["path"] == "${FEAST_REGISTRY_URL}"
    assert not recorded.all("aws:s3/bucketObjectv2:BucketObjectv2")
    assert "Registry" not in statements(recorded, "server")
    variables = {each["name"]: each for each in pod(recorded)["containers"][0]["env"]}
    assert variables["FEAST_REGISTRY_URL"]["valueFrom"]["secretKeyRef"]["name"] == "feast-registry"
    deployment = recorded.one("kubernetes:apps/v1:Deployment").inputs
    assert deployment["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}
    policies = recorded.all("kubernetes:networking.k8s.io/v1:NetworkPolicy")
    server = next(each.inputs for each in policies if each.name.endswith("server-network-policy"))
    ports = {port["port"] for rule in server["spec"]["egress"] for port in rule["ports"]}
    assert 5432 in ports


def test_the_server_of_a_registry_in_sql_can_have_a_user_that_only_reads() -> None:
    said = {"kind": "sql", "secret": "feast-registry", "server_secret": "feast-reads"}
    recorded = aws(registry=said)

    def secret(spec: dict[str, Any]) -> str:
        variables = {each["name"]: each for each in spec["containers"][0]["env"]}
        return variables["FEAST_REGISTRY_URL"]["valueFrom"]["secretKeyRef"]["name"]

    assert secret(pod(recorded)) == "feast-reads", "it answers applications, and has routes that write"
    assert secret(job(recorded)["template"]["spec"]) == "feast-registry", "it notes how far it came"


def test_pods_are_restricted_and_have_no_token_of_the_cluster(made: Recording) -> None:
    for spec in (pod(made), job(made)["template"]["spec"]):
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
    labels = made.one("kubernetes:core/v1:Namespace").inputs["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_server_is_asked_by_its_clients_alone(made: Recording) -> None:
    policies = {
        each.name: each.inputs["spec"] for each in made.all("kubernetes:networking.k8s.io/v1:NetworkPolicy")
    }
    (rule,) = policies["features-feature-server-network-policy"]["ingress"]
    assert rule["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}]
    assert rule["ports"] == [{"port": 6566, "protocol": "TCP"}]
    assert policies["features-feature-materializer-network-policy"]["ingress"] == []
    denied = policies["features-default-deny"]
    assert denied == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    service = made.one("kubernetes:core/v1:Service").inputs["spec"]
    assert (service["type"], service["ports"][0]["targetPort"]) == ("ClusterIP", 6566)
    assert value(made.result.endpoint) == "http://feature-server.feature-store.svc.cluster.local"


def test_the_autoscaler_says_how_many_servers_there_are(made: Recording) -> None:
    deployment = made.one("kubernetes:apps/v1:Deployment")
    assert deployment.inputs["spec"]["replicas"] == 2, "`up` waits for the least, not for one"
    assert "spec.replicas" in deployment.ignore_changes, "what the autoscaler chose later stays"
    scaler = made.one("kubernetes:autoscaling/v2:HorizontalPodAutoscaler").inputs["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 6)
    assert scaler["scaleTargetRef"]["name"] == deployment.inputs["metadata"]["name"]
    container = pod(made)["containers"][0]
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)
    assert {each["topologyKey"] for each in pod(made)["topologySpreadConstraints"]} == {
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    }


def test_the_schedule_runs_alone_and_not_for_ever(made: Recording) -> None:
    spec = made.one("kubernetes:batch/v1:CronJob").inputs["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == (
        "17 * * * *",
        "Etc/UTC",
        "Forbid",
    )
    assert job(made)["activeDeadlineSeconds"] == 50 * 60
    (container,) = job(made)["template"]["spec"]["containers"]
    assert container["command"][:2] == ["/bin/sh", "-c"]
    assert 'materialize-incremental "$(date -u +%Y-%m-%dT%H:%M:%S)"' in container["command"][2]


def test_pods_start_with_their_rights_and_with_the_file_they_read(made: Recording) -> None:
    deployment = made.one("kubernetes:apps/v1:Deployment")
    for name in ("features-server", "features-server-association"):
        assert made.depends(deployment, made.named(name) if "-ass" in name else made.one(ROLE_POLICY, name))
    annotations = deployment.inputs["spec"]["template"]["metadata"]["annotations"]
    assert len(annotations["ai-platform/config"]) == 16, "another file, other Pods"


def test_an_image_comes_from_its_mirror() -> None:
    recorded = aws(mirrors={"quay.io": "111122223333.dkr.ecr.eu-central-1.amazonaws.com/quay"})
    assert pod(recorded)["containers"][0]["image"] == (
        "111122223333.dkr.ecr.eu-central-1.amazonaws.com/quay/feastdev/feature-server:0.67.0"
    )
