"""The resources of the model registry on AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.components.aiplatform.model_registry.example import RELEASE, TRAINING, registry
from tests.components.cloud_answers import MASTER_SECRET as MASTER
from tests.components.recording import ACCOUNT, REGION, Recording, value

DATABASE = "aws:rds/instance:Instance"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
JOB = "kubernetes:batch/v1:Job"
POLICY = "aws:iam/rolePolicy:RolePolicy"
SECRET = "aws:secretsmanager/secret:Secret"
KEY = "aws:kms/key:Key"


@pytest.fixture(scope="module")
def default() -> Recording:
    """One account that promotes and one that does not."""
    return registry(
        accounts={
            "release": {"principals": [RELEASE], "promotes": True},
            "training": {"principals": [TRAINING]},
        },
        client_namespaces=["training"],
        hosts=["models.acme.example"],
    )


@pytest.fixture(scope="module")
def prod() -> Recording:
    """One that tolerates the failure of a zone."""
    return registry(
        high_availability=True,
        protect=True,
        database={"size": "medium", "backup_days": 30, "deletion_protection": True},
    )


def _pod(recorded: Recording, type_: str, name: str | None = None) -> dict[str, Any]:
    return recorded.one(type_, name).inputs["spec"]["template"]["spec"]


def _variables(container: dict[str, Any]) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in container["env"]}


def _statements(policy: str) -> dict[str, Any]:
    return {statement["Sid"]: statement for statement in json.loads(policy)["Statement"]}


def test_the_database_is_private_encrypted_and_signed_in_to_by_iam(default: Recording) -> None:
    database, key = default.one(DATABASE).inputs, default.one(KEY).state["arn"]
    assert (database["identifier"], database["engine"], database["engineVersion"]) == (
        "acme-dev-mlflow",
        "postgres",
        "18",
    )
    assert database["publiclyAccessible"] is False
    assert (database["storageEncrypted"], database["kmsKeyId"]) == (True, key)
    assert database["iamDatabaseAuthenticationEnabled"] is True
    assert database["manageMasterUserPassword"] is True
    assert {"password", "passwordWo"}.isdisjoint(database), "none is in state"
    parameters = default.one("aws:rds/parameterGroup:ParameterGroup").inputs
    assert parameters["family"] == "postgres18"
    assert {entry["name"]: entry["value"] for entry in parameters["parameters"]}["rds.force_ssl"] == "1"
    rule = default.one("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule").inputs
    assert rule["referencedSecurityGroupId"] == "sg-0c1u5te2", "the cluster's alone"
    assert "cidrIpv4" not in rule
    for log in ("postgresql", "upgrade", "iam-db-auth-error"):
        group = default.one("aws:cloudwatch/logGroup:LogGroup", f"models-{log}-logs")
        assert group.inputs["name"] == f"/aws/rds/instance/acme-dev-mlflow/{log}"
        assert default.depends(default.one(DATABASE), on=group), "or RDS would make it, unencrypted"


def test_a_highly_available_database_has_two_zones_and_backups(prod: Recording) -> None:
    database = prod.one(DATABASE)
    assert (database.inputs["multiAz"], database.inputs["instanceClass"]) == (True, "db.m7g.large")
    assert (database.inputs["backupRetentionPeriod"], database.inputs["deletionProtection"]) == (30, True)
    assert database.inputs["skipFinalSnapshot"] is False
    key = prod.one(KEY).state["arn"].rpartition("/")[2]
    assert database.inputs["finalSnapshotIdentifier"] == f"acme-dev-mlflow-final-{key[:8]}", (
        "the next registry of this name leaves a snapshot of another name"
    )
    assert (database.inputs["backupWindow"], database.inputs["maintenanceWindow"]) == (
        "02:00-02:45",
        "sun:04:00-sun:04:45",
    ), "RDS refuses windows that meet"
    assert database.protect
    spec = prod.one(DEPLOYMENT).inputs["spec"]
    assert spec["replicas"] == 2
    assert {entry["topologyKey"] for entry in spec["template"]["spec"]["topologySpreadConstraints"]} == {
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    }


def test_no_password_is_in_the_state_or_in_kubernetes(default: Recording) -> None:
    assert not default.all("aws:secretsmanager/secretVersion:SecretVersion"), (
        "values are generated at run time"
    )
    assert not default.all("kubernetes:core/v1:Secret")
    container = _pod(default, DEPLOYMENT)["containers"][0]
    uri = next(argument for argument in container["args"] if argument.startswith("--backend-store-uri="))
    assert uri == (
        f"--backend-store-uri=postgresql+psycopg2://mlflow@acme-dev-mlflow.abc.{REGION}.rds.amazonaws.com:5432"
        "/mlflow?sslmode=verify-full&sslrootcert=/opt/registry/database-ca.pem"
    )
    names = [secret.inputs["name"] for secret in default.all(SECRET)]
    assert names == [
        "acme-dev/mlflow/accounts/admin",
        "acme-dev/mlflow/accounts/release",
        "acme-dev/mlflow/accounts/training",
        "acme-dev/mlflow/signing-key",
    ]


def test_the_authority_of_the_databases_region_is_in_the_files(default: Recording) -> None:
    data = default.one("kubernetes:core/v1:ConfigMap").inputs["data"]
    assert data["database-ca.pem"].count("BEGIN CERTIFICATE") == 1, "this region's alone"
    assert "registry_app:create_app" in data["entry_points.txt"]
    mounted = _pod(default, DEPLOYMENT)["volumes"][0]["configMap"]["items"]
    assert {entry["key"] for entry in mounted} == set(data), "what is not mounted is not there"


def test_the_server_knows_which_account_reads_another() -> None:
    accounts = {"search": {}, "audit": {"reads": ["search"]}, "release": {"promotes": True}}
    variables = _variables(_pod(registry(accounts=accounts), DEPLOYMENT)["containers"][0])
    assert json.loads(variables["REGISTRY_READS"]) == {"audit": ["search"]}
    assert variables["REGISTRY_PROMOTERS"] == "admin,release", "they read everything"
    assert variables["REGISTRY_ACCOUNTS"] == "admin,search,audit,release"


def test_the_server_is_never_open(default: Recording) -> None:
    container = _pod(default, DEPLOYMENT)["containers"][0]
    assert "--app-name=ai-platform" in container["args"], "MLflow without it authenticates no one"
    hosts = next(argument for argument in container["args"] if argument.startswith("--allowed-hosts="))
    assert "models.acme.example" in hosts
    assert "*" not in hosts.removeprefix("--allowed-hosts=").split(",")
    assert "--cors-allowed-origins=https://models.acme.example" in container["args"]
    assert not default.all("kubernetes:networking.k8s.io/v1:Ingress")
    policy = default.one(
        "kubernetes:networking.k8s.io/v1:NetworkPolicy", "models-mlflow-network-policy"
    ).inputs["spec"]
    (peer,) = policy["ingress"][0]["from"]
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "training"}
    closed = default.one("kubernetes:networking.k8s.io/v1:NetworkPolicy", "models-default-deny").inputs
    assert closed["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_pods_are_restricted(default: Recording) -> None:
    pods = [
        _pod(default, DEPLOYMENT),
        *(_pod(default, JOB, f"models-{job}") for job in ("prepare", "migrate")),
    ]
    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        for container in (*pod.get("initContainers", []), *pod["containers"]):
            assert "@sha256:" in container["image"]
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["resources"]["limits"]["memory"]


def test_the_database_is_migrated_before_the_server_is_updated(default: Recording) -> None:
    migrate, prepare = default.one(JOB, "models-migrate"), default.one(JOB, "models-prepare")
    assert migrate.inputs["metadata"]["name"] == "mlflow-migrate-3-15-2", "a new version is a new Job"
    assert default.depends(default.one(DEPLOYMENT), on=migrate)
    assert default.depends(migrate, on=prepare)
    assert default.depends(prepare, on=default.one(POLICY, "models-mlflow-setup"))
    spec = migrate.inputs["spec"]["template"]["spec"]
    assert [entry["args"][:4] for entry in spec["initContainers"]] == [
        ["-m", "mlflow", "db", "upgrade"],
        ["-m", "mlflow.server.auth", "db", "upgrade"],
    ]
    assert spec["containers"][0]["args"] == ["-m", "registry_setup", "accounts"]


def test_only_the_first_step_signs_in_as_the_master(default: Recording) -> None:
    server = _statements(default.one(POLICY, "models-mlflow").inputs["policy"])
    setup = _statements(default.one(POLICY, "models-mlflow-setup").inputs["policy"])
    assert setup["BeMaster"]["Resource"] == MASTER
    assert MASTER not in json.dumps(server)
    passwords = [secret.state["arn"] for secret in default.all(SECRET) if "account" in secret.name]
    assert not any(arn in json.dumps(server) for arn in passwords), "the server knows hashes alone"
    sign_in = f"arn:aws:rds-db:{REGION}:{ACCOUNT}:dbuser:db-ABCDEFGHIJKLMNOPQRSTUVWXYZ/mlflow"
    assert server["SignIn"]["Resource"] == sign_in
    assert server["Files"]["Resource"] == f"arn:aws:s3:::acme-dev-models-{ACCOUNT}/runs/*"
    assert "*" not in {action for statement in server.values() for action in statement["Action"]}


def test_only_the_server_accesses_files(default: Recording) -> None:
    policy = default.one("aws:s3/bucketPolicy:BucketPolicy", "models-artifacts").inputs["policy"]
    statements = _statements(policy)
    role = default.one("aws:iam/role:Role", "models-mlflow-role").state["arn"]
    assert statements["PastTheServer"]["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": role}}
    assert {"s3:PutObject", "s3:DeleteObjectVersion"} <= set(statements["PastTheServer"]["Action"]), (
        "an older version of a file would be served"
    )
    assert {"PlainHttp", "OtherKey", "CustomersKey"} <= set(statements)
    container = _pod(default, DEPLOYMENT)["containers"][0]
    assert f"--artifacts-destination=s3://acme-dev-models-{ACCOUNT}/runs" in container["args"]
    assert "--serve-artifacts" in container["args"]


def test_principals_of_an_account_read_its_password(default: Recording) -> None:
    policy = default.one("aws:secretsmanager/secretPolicy:SecretPolicy", "models-account-release").inputs
    assert _statements(policy["policy"])["BeTheAccount"]["Principal"] == {"AWS": [RELEASE]}
    assert policy["blockPublicPolicy"] is True
    key = _statements(default.one(KEY).inputs["policy"])["AccountsRead"]
    assert key["Principal"] == {"AWS": [RELEASE, TRAINING]}
    assert key["Action"] == ["kms:Decrypt"]


def test_only_accounts_that_promote_change_guarded_aliases(default: Recording) -> None:
    variables = _variables(_pod(default, DEPLOYMENT)["containers"][0])
    assert variables["REGISTRY_PROMOTERS"] == "admin,release"
    assert variables["REGISTRY_GUARDED_ALIASES"] == "champion"


def test_outputs_have_the_address_and_the_secrets(default: Recording) -> None:
    outputs = default.result.outputs
    assert value(outputs["tracking_uri"]) == "http://mlflow.model-registry.svc.cluster.local"
    assert [value(entry)["account"] for entry in outputs["secrets"]] == ["admin", "release", "training"]
    assert default.one("aiplatform:index:ModelRegistry").outputs is not None


def test_a_server_with_a_certificate_serves_only_https() -> None:
    recorded = registry(tls_secret="mlflow-tls")
    pod = _pod(recorded, DEPLOYMENT)
    [container] = pod["containers"]
    assert (
        "--uvicorn-opts=--ssl-certfile /opt/tls/tls.crt --ssl-keyfile /opt/tls/tls.key" in container["args"]
    )
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["scheme"] == "HTTPS"
    assert [entry["secret"]["secretName"] for entry in pod["volumes"] if "secret" in entry] == ["mlflow-tls"]
    assert recorded.one("kubernetes:core/v1:Service").inputs["spec"]["ports"][0]["port"] == 443
    uri = value(recorded.result.outputs["tracking_uri"])
    assert uri == "https://mlflow.model-registry.svc.cluster.local"


def test_metrics_are_served_to_the_monitoring_by_a_container_without_secrets() -> None:
    recorded = registry(metrics=True, client_namespaces=["training"])
    pod = _pod(recorded, DEPLOYMENT)
    server, exporter = pod["containers"]
    assert "--expose-prometheus=/opt/metrics" in server["args"]
    assert exporter["args"] == ["-m", "registry_metrics", "/opt/metrics", "8000"]
    assert _variables(exporter).keys() == {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH"}
    assert {mount["name"] for mount in exporter["volumeMounts"]} == {"files", "metrics"}, (
        "the server's scratch volume has a file with the address of the accounts' database"
    )
    assert {"name": "metrics", "mountPath": "/opt/metrics"} in server["volumeMounts"]
    policy = recorded.one("kubernetes:networking.k8s.io/v1:NetworkPolicy", "models-mlflow-network-policy")
    assert _allowed(policy.inputs) == {5000: ["training"], 8000: ["monitoring"]}


def test_without_metrics_nothing_is_counted(default: Recording) -> None:
    [server] = _pod(default, DEPLOYMENT)["containers"]
    assert not [argument for argument in server["args"] if "prometheus" in str(argument)]
    policy = default.one("kubernetes:networking.k8s.io/v1:NetworkPolicy", "models-mlflow-network-policy")
    assert 8000 not in _allowed(policy.inputs)


def _allowed(policy: Any) -> dict[int, list[str]]:
    """Return the namespaces that a network policy allows to connect, by port."""
    return {
        rule["ports"][0]["port"]: [
            peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] for peer in rule["from"]
        ]
        for rule in policy["spec"].get("ingress", [])
    }
