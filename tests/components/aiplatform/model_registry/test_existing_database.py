"""A registry in a database server that exists: what is created, and what is refused before it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import pulumi
import pytest

from aiplatform._shared.args import ArgumentError, read
from aiplatform.model_registry import ModelRegistry
from aiplatform.model_registry.args import ModelRegistrySettings
from tests.components.aiplatform.model_registry.example import (
    ANSWERS,
    CONNECTION,
    HOST,
    INSTANCE,
    ON_AWS,
    READ,
    SECRET,
    on_google,
    registry,
)
from tests.components.aiplatform.pools import CLUSTER, GOOGLE_CLUSTER, GOOGLE_NETWORK, NETWORK
from tests.components.cloud_answers import RefusedError
from tests.components.recording import ACCOUNT, REGION, Recording, record, value

WRITER: Final = f"shared.cluster-c1a2b3c4d5e6.{REGION}.rds.amazonaws.com"
KEY: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
CLUSTER_ID: Final = "cluster-ABCDEFGHIJKL01234"
REGION_OF_GOOGLE: Final = str(GOOGLE_CLUSTER["region"])
RULE: Final = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
USER: Final = "gcp:sql/user:User"
CREATED: Final = (
    "aws:rds/",
    "aws:ec2/securityGroup:",
    "aws:cloudwatch/logGroup:",
    "gcp:sql/databaseInstance:",
)
"""Beginnings of the types of what only a created database needs."""


def on_aws(**existing: Any) -> Recording:
    return registry(database={"existing": {**ON_AWS, **existing}})


def google_args(**existing: Any) -> Any:
    return {
        "prefix": "acme-dev",
        "cluster": {**GOOGLE_CLUSTER, "workload_pool": "acme-dev-1234.svc.id.goog"},
        # Without private services: the registry creates nothing in them.
        "network": GOOGLE_NETWORK,
        "database": {"existing": {"connection_name": CONNECTION, **existing}},
    }


def in_cloud_sql(instance: Mapping[str, Any] = INSTANCE, **existing: Any) -> Recording:
    answers = {**ANSWERS, READ: lambda _: instance}
    return record(lambda: ModelRegistry("models", google_args(**existing)), answers=answers)


def setup_variables(recorded: Recording) -> dict[str, str]:
    spec = recorded.one("kubernetes:batch/v1:Job", "models-prepare").inputs["spec"]["template"]["spec"]
    return {variable["name"]: variable["value"] for variable in spec["containers"][0]["env"]}


def uri(recorded: Recording) -> str:
    spec = recorded.one("kubernetes:apps/v1:Deployment").inputs["spec"]["template"]["spec"]
    [stated] = [text for text in spec["containers"][0]["args"] if text.startswith("--backend-store-uri=")]
    return stated.removeprefix("--backend-store-uri=")


def statements(recorded: Recording, policy: str) -> dict[str, Any]:
    document = recorded.one("aws:iam/rolePolicy:RolePolicy", policy).inputs["policy"]
    return {statement["Sid"]: statement for statement in json.loads(document)["Statement"]}


@pytest.mark.parametrize("build", [on_aws, in_cloud_sql])
def test_nothing_of_a_database_is_created(build: Callable[[], Recording]) -> None:
    recorded = build()
    assert [name for name in recorded.names() if name.startswith(CREATED)] == []
    assert recorded.one("kubernetes:apps/v1:Deployment"), "the server is"


def test_permissions_are_for_one_user_of_the_named_server_and_its_secret() -> None:
    recorded = on_aws(name="models_dev")
    user = f"arn:aws:rds-db:{REGION}:{ACCOUNT}:dbuser:db-ABCDEFGHIJKL01234/models_dev"
    server, setup = statements(recorded, "models-mlflow"), statements(recorded, "models-mlflow-setup")
    for policy in (server, setup):
        assert policy["SignIn"] == {
            "Sid": "SignIn",
            "Effect": "Allow",
            "Action": ["rds-db:connect"],
            "Resource": user,
        }
    assert setup["BeMaster"]["Resource"] == SECRET
    assert "KeyOfMaster" not in setup, "AWS's own key allows the account by Secrets Manager"
    assert SECRET not in json.dumps(server)


def test_a_key_of_the_masters_secret_is_used_by_secrets_manager_alone() -> None:
    setup = statements(on_aws(master_secret_kms_key=KEY), "models-mlflow-setup")
    assert setup["KeyOfMaster"] == {
        "Sid": "KeyOfMaster",
        "Effect": "Allow",
        "Action": ["kms:Decrypt"],
        "Resource": KEY,
        "Condition": {"StringEquals": {"kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"}},
    }


def test_the_cluster_is_allowed_in_a_named_security_group_and_in_no_other() -> None:
    assert on_aws().all(RULE) == [], "the owner has allowed the cluster"
    recorded = registry(
        retain_data=True,
        protect=True,
        database={"existing": {**ON_AWS, "port": 6432, "security_group_id": "sg-0123456789abcdef0"}},
    )
    rule = recorded.one(RULE)
    assert rule.inputs["securityGroupId"] == "sg-0123456789abcdef0"
    assert rule.inputs["referencedSecurityGroupId"] == CLUSTER["security_group_id"]
    assert (rule.inputs["fromPort"], rule.inputs["toPort"]) == (6432, 6432)
    assert (rule.retain_on_delete, rule.protect) == (None, None), "the group is the owner's"


def test_pods_connect_to_the_address_of_the_server_alone() -> None:
    recorded = on_aws(host=WRITER, resource_id=CLUSTER_ID, port=6432, cidr="10.77.0.0/24")
    assert uri(recorded).startswith(f"postgresql+psycopg2://mlflow@{WRITER}:6432/mlflow?sslmode=verify-full")
    policy = recorded.one("kubernetes:networking.k8s.io/v1:NetworkPolicy", "models-mlflow-network-policy")
    assert '"cidr": "10.77.0.0/24"' in json.dumps(policy.inputs["spec"]["egress"])
    assert "10.77" not in json.dumps(on_aws().named("models-mlflow-network-policy").inputs)
    assert value(recorded.result.outputs["database_endpoint"]) == WRITER


def test_databases_and_user_have_the_stated_name() -> None:
    recorded = on_aws(name="models_dev", create_databases=False)
    variables = setup_variables(recorded)
    assert variables["REGISTRY_DATABASES"] == "models_dev,models_dev_accounts"
    assert variables["REGISTRY_DATABASE_USER"] == "models_dev"
    assert variables["REGISTRY_PREFIX"] == "acme-dev", "by it the Job knows databases of other registries"
    assert variables["REGISTRY_CREATE_DATABASES"] == "false"
    assert value(recorded.result.outputs["database_name"]) == "models_dev"


def test_a_created_server_has_no_variables_of_an_existing_one() -> None:
    variables = setup_variables(registry())
    assert {"REGISTRY_PREFIX", "REGISTRY_CREATE_DATABASES"}.isdisjoint(variables)


def test_the_key_of_the_registry_is_not_for_logs_of_a_database() -> None:
    policy = json.loads(on_aws().one("aws:kms/key:Key").inputs["policy"])
    assert "/aws/rds/instance" not in json.dumps(policy)
    created = json.loads(registry().one("aws:kms/key:Key").inputs["policy"])
    assert "/aws/rds/instance" in json.dumps(created)


def test_cloud_sql_of_another_project_gets_databases_users_and_permissions() -> None:
    recorded = in_cloud_sql(name="models_dev")
    [call] = [call for call in recorded.calls if call.token == READ]
    assert (call.arguments["project"], call.arguments["name"]) == ("acme-databases", "shared")
    databases = recorded.all("gcp:sql/database:Database")
    assert {entry.inputs["name"] for entry in databases} == {"models_dev", "models_dev_accounts"}
    for resource in (*databases, *recorded.all(USER)):
        assert (resource.inputs["project"], resource.inputs["instance"]) == ("acme-databases", "shared")
    members = recorded.all("gcp:projects/iAMMember:IAMMember")
    assert {entry.inputs["project"] for entry in members} == {"acme-databases"}
    assert {entry.inputs["condition"]["expression"] for entry in members} == {
        'resource.service == "sqladmin.googleapis.com" && '
        'resource.name == "projects/acme-databases/instances/shared"'
    }
    assert "@10.90.0.7:5432/models_dev?sslmode=verify-ca" in uri(recorded).replace("%40", "@")
    files = recorded.one("kubernetes:core/v1:ConfigMap").inputs["data"]
    assert files["database-ca.pem"] == "-----BEGIN CERTIFICATE-----"
    assert value(recorded.result.outputs["database_endpoint"]) == "10.90.0.7"


def test_only_the_user_that_owns_tables_stays_in_cloud_sql() -> None:
    recorded = in_cloud_sql()
    server, setup = recorded.one(USER, "models-mlflow"), recorded.one(USER, "models-mlflow-setup")
    assert server.inputs["deletionPolicy"] == "ABANDON"
    assert "deletionPolicy" not in setup.inputs, "no member of cloudsqlsuperuser is left"
    assert setup.inputs["databaseRoles"] == ["cloudsqlsuperuser"]


def test_databases_that_were_restored_still_get_the_user_of_the_server() -> None:
    recorded = in_cloud_sql(create_databases=False)
    assert recorded.all("gcp:sql/database:Database") == []
    assert {user.name for user in recorded.all(USER)} == {"models-mlflow", "models-mlflow-setup"}


def test_a_user_that_exists_in_cloud_sql_is_used_with_new_databases() -> None:
    recorded = in_cloud_sql(create_user=False)
    assert len(recorded.all("gcp:sql/database:Database")) == 2
    assert [user.name for user in recorded.all(USER)] == ["models-mlflow-setup"]


def test_databases_and_user_of_a_destroyed_registry_are_used_again() -> None:
    recorded = in_cloud_sql(create_databases=False, create_user=False)
    assert recorded.all("gcp:sql/database:Database") == []
    assert [user.name for user in recorded.all(USER)] == ["models-mlflow-setup"]
    assert uri(recorded).startswith("postgresql+psycopg2://acme-dev-wi-mlflow%40")


def test_cloud_sql_may_not_use_the_key_of_the_registry() -> None:
    grants = in_cloud_sql().all("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember")
    assert {grant.name.rpartition("-")[2] for grant in grants} == {"secretmanager", "storage"}


def _in_instance(**changed: Any) -> dict[str, Any]:
    return {**INSTANCE, **changed}


def _with_settings(**changed: Any) -> dict[str, Any]:
    return _in_instance(settings=[{**INSTANCE["settings"][0], **changed}])


def _with_ip(**changed: Any) -> dict[str, Any]:
    [configuration] = INSTANCE["settings"][0]["ipConfigurations"]
    return _with_settings(ipConfigurations=[{**configuration, **changed}])


UNUSABLE: Final[Mapping[str, tuple[Mapping[str, Any], str]]] = {
    "old": (
        _in_instance(databaseVersion="POSTGRES_15"),
        "whose version is POSTGRES_15; expected",
    ),
    "mysql": (
        _in_instance(databaseVersion="MYSQL_8_4"),
        "whose version is MYSQL_8_4; expected",
    ),
    "replica": (_in_instance(instanceType="READ_REPLICA_INSTANCE"), "which is a READ_REPLICA_INSTANCE"),
    "public": (_in_instance(privateIpAddress=""), "which has no private address"),
    "passwords": (_with_settings(databaseFlags=[]), "without the flag cloudsql.iam_authentication"),
    "elsewhere": (
        _in_instance(connectionName="acme-databases:asia-east1:shared"),
        "whose connection name is acme-databases:asia-east1:shared; expected that",
    ),
    "connectors alone": (
        _with_settings(connectorEnforcement="REQUIRED"),
        "which only connectors may use (connectorEnforcement)",
    ),
    "certificates of clients": (
        _with_ip(sslMode="TRUSTED_CLIENT_CERTIFICATE_REQUIRED"),
        "which requires certificates of clients (TRUSTED_CLIENT_CERTIFICATE_REQUIRED)",
    ),
    "shared authority": (
        _with_ip(serverCaMode="GOOGLE_MANAGED_CAS_CA"),
        "whose certificate has a shared authority (GOOGLE_MANAGED_CAS_CA)",
    ),
}


@pytest.mark.parametrize(("instance", "reason"), UNUSABLE.values(), ids=UNUSABLE)
def test_an_instance_that_the_registry_cannot_use_is_refused(
    instance: Mapping[str, Any], reason: str
) -> None:
    with pytest.raises(ArgumentError) as error:
        in_cloud_sql(instance)
    [problem] = error.value.problems
    assert problem.path == "ModelRegistryArgs.database.existing.connection_name"
    assert problem.reason.startswith(f"got '{CONNECTION}', {reason}")


def _tried(answer: Callable[[Any], Any]) -> tuple[str, Recording]:
    """Return the error of a registry whose instance answers so, and what was registered before."""

    def program() -> str:
        with pytest.raises(ArgumentError) as error:
            ModelRegistry("models", google_args())
        return str(error.value)

    recorded = record(program, answers={**ANSWERS, READ: answer})
    return recorded.result, recorded


def test_an_instance_is_refused_before_anything_is_created() -> None:
    def absent(_: Any) -> Any:
        raise RefusedError("Error 404: The Cloud SQL instance does not exist., instanceDoesNotExist")

    for answer, expected in (
        (absent, f"got '{CONNECTION}'; expected an instance that exists"),
        (lambda _: _in_instance(databaseVersion="MYSQL_8_4"), "whose version is MYSQL_8_4"),
    ):
        error, recorded = _tried(answer)
        assert expected in error
        assert [resource for resource in recorded.resources if resource.custom] == []


def test_ids_may_be_outputs() -> None:
    outputs = {key: pulumi.Output.from_input(text) for key, text in ON_AWS.items()}
    recorded = on_aws(**outputs, security_group_id=pulumi.Output.from_input("sg-0123456789abcdef0"))
    assert f"mlflow@{HOST}:5432" in uri(recorded)
    assert recorded.one(RULE).inputs["securityGroupId"] == "sg-0123456789abcdef0"
    recorded = in_cloud_sql(connection_name=pulumi.Output.from_input(CONNECTION))
    assert recorded.one(USER, "models-mlflow").inputs["project"] == "acme-databases"


def test_an_instance_of_an_output_is_checked_when_it_is_known() -> None:
    with pytest.raises(ArgumentError, match="which only connectors may use"):
        in_cloud_sql(
            _with_settings(connectorEnforcement="REQUIRED"),
            connection_name=pulumi.Output.from_input(CONNECTION),
        )


def test_the_location_of_outputs_is_checked_when_they_are_known() -> None:
    with pytest.raises(ValueError, match="a database in eu-west-3; expected one in"):
        on_aws(host=pulumi.Output.from_input(HOST.replace(REGION, "eu-west-3")))


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (
            {"host": HOST.replace(REGION, "eu-west-3")},
            "a database in eu-west-3; expected one in",
        ),
        ({"master_secret": SECRET.replace(REGION, "eu-west-3")}, "a secret in eu-west-3; expected one in"),
        (
            {"master_secret_kms_key": KEY.replace(REGION, "eu-west-3")},
            "a key in eu-west-3; expected one in",
        ),
        (
            {"master_secret": SECRET.replace(ACCOUNT, "999988887777")},
            "a secret of the account 999988887777 that the key of AWS encrypts",
        ),
    ],
)
def test_another_region_or_account_is_refused_by_the_component(wrong: dict[str, Any], reason: str) -> None:
    with pytest.raises(ArgumentError, match=reason):
        on_aws(**wrong)


def test_a_secret_of_another_account_needs_its_key() -> None:
    secret = SECRET.replace(ACCOUNT, "999988887777")
    setup = statements(on_aws(master_secret=secret, master_secret_kms_key=KEY), "models-mlflow-setup")
    assert setup["BeMaster"]["Resource"] == secret


def test_an_endpoint_in_china_is_accepted() -> None:
    settings = read(
        ModelRegistrySettings,
        {
            "prefix": "acme-dev",
            "cluster": CLUSTER,
            "network": NETWORK,
            "database": {
                "existing": {**ON_AWS, "host": "shared.c1a2b3c4d5e6.rds.cn-north-1.amazonaws.com.cn"}
            },
        },
        "ModelRegistryArgs",
    )
    assert settings.database.existing is not None


def test_backups_of_a_database_that_exists_are_its_owners() -> None:
    recorded = registry(protect=True, high_availability=True, database={"existing": ON_AWS})
    deployment = recorded.one("kubernetes:apps/v1:Deployment").inputs["spec"]
    assert deployment["replicas"] == 2, "high availability concerns the server alone"


def test_a_created_database_on_google_cloud_still_needs_private_services() -> None:
    with pytest.raises(ArgumentError, match=r"network\.private_services: missing"):
        on_google(network=GOOGLE_NETWORK)
