"""What a team has on each cloud, who is in it, and what is refused."""

import json
from typing import Any

import pulumi
import pytest
from pulumi import Output

from aiplatform._shared.args import ArgumentError
from aiplatform.teams import Teams
from tests.components.aiplatform.pools import CLUSTER, GOOGLE_CLUSTER
from tests.components.aiplatform.schema import undocumented
from tests.components.recording import ACCOUNT, REGION, Recording, record

GOOGLE: dict[str, Any] = {**GOOGLE_CLUSTER, "workload_pool": "acme-dev-123.svc.id.goog"}
OWNER = f"arn:aws:iam::{ACCOUNT}:role/search-owners"
DEVELOPER = f"arn:aws:iam::{ACCOUNT}:role/people/search-developers"
CONTROLLER = f"arn:aws:iam::{ACCOUNT}:role/acme-dev-ext-secrets-1"
GROUP = "group:search@acme.example"
ENTRY = "aws:eks/accessEntry:AccessEntry"
NAMESPACE = "kubernetes:core/v1:Namespace"
BINDING = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"
STORE = "kubernetes:external-secrets.io/v1:SecretStore"
EXTERNAL_SECRET = "kubernetes:external-secrets.io/v1:ExternalSecret"
MEMBER = "gcp:projects/iAMMember:IAMMember"


def recorded(teams: Any = None, cluster: Any = CLUSTER, **more: Any) -> Recording:
    arguments: Any = {
        "prefix": "acme-dev",
        "cluster": cluster,
        "teams": teams or {"search": {"owners": [OWNER]}},
    }
    if cluster is CLUSTER:
        arguments["secrets_role_arn"] = CONTROLLER
    every: Any = {**arguments, **more}
    return record(lambda: Teams("teams", every))


def on_google(**team: Any) -> Recording:
    return recorded({"search": {"owners": [GROUP], **team}}, GOOGLE)


def problems(teams: Any = None, cluster: Any = CLUSTER, **more: Any) -> list[str]:
    with pytest.raises(ArgumentError) as caught:
        recorded(teams, cluster, **more)
    return [str(problem) for problem in caught.value.problems]


def test_it_is_documented() -> None:
    assert undocumented(Teams) == []


def test_a_role_in_several_teams_has_one_access_entry_with_all_their_groups() -> None:
    teams = recorded(
        {"search": {"owners": [OWNER], "developers": [DEVELOPER]}, "ads": {"owners": [DEVELOPER]}}
    )
    entries = {entry.inputs["principalArn"]: entry.inputs["kubernetesGroups"] for entry in teams.all(ENTRY)}
    assert entries == {
        OWNER: ["ai-platform:team:search:owner"],
        DEVELOPER: ["ai-platform:team:ads:owner", "ai-platform:team:search:developer"],
    }, "EKS has one entry for each principal"


def test_a_group_of_members_has_the_role_of_its_team_in_its_namespace_alone() -> None:
    teams = recorded({"search": {"owners": [OWNER], "developers": [DEVELOPER]}})
    bindings = {
        binding.inputs["roleRef"]["name"]: binding.inputs["subjects"] for binding in teams.all(BINDING)
    }
    assert bindings.keys() == {"team-owner", "team-developer"}, "no readers, no role for them"
    [subject] = bindings["team-developer"]
    assert (subject["kind"], subject["name"]) == ("Group", "ai-platform:team:search:developer")
    assert {binding.inputs["metadata"]["namespace"] for binding in teams.all(BINDING)} == {"search"}
    assert not teams.all("kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding")


def test_all_members_of_a_team_have_the_cluster_roles() -> None:
    teams = recorded({"search": {"owners": [OWNER], "developers": [DEVELOPER]}}, cluster_roles=["runtimes"])
    binding = teams.one("kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding")
    assert binding.inputs["roleRef"]["name"] == "runtimes"
    groups = [subject["name"] for subject in binding.inputs["subjects"]]
    assert groups == ["ai-platform:team:search:owner", "ai-platform:team:search:developer"]


def test_on_google_cloud_the_google_group_itself_has_the_role_and_reaches_the_cluster() -> None:
    teams = on_google()
    [binding] = teams.all(BINDING)
    assert binding.inputs["subjects"][0]["name"] == "search@acme.example"
    reach = teams.named("teams-group-search@acme.example").inputs
    assert (reach["member"], reach["role"]) == (GROUP, "roles/container.clusterViewer")


def test_a_team_with_a_queue_has_a_managed_namespace_and_the_default_local_queue() -> None:
    teams = recorded({"search": {"owners": [OWNER], "queue": "search-queue"}})
    labels = teams.one(NAMESPACE).inputs["metadata"]["labels"]
    assert labels["kueue.x-k8s.io/managed-namespace"] == "true"
    queue = teams.one("kubernetes:kueue.x-k8s.io/v1beta2:LocalQueue").inputs
    assert queue["metadata"] == {"name": "default", "namespace": "search"}
    assert queue["spec"] == {"clusterQueue": "search-queue"}


def test_a_team_without_a_queue_is_not_managed_by_kueue() -> None:
    teams = recorded()
    assert "kueue.x-k8s.io/managed-namespace" not in teams.one(NAMESPACE).inputs["metadata"]["labels"]
    assert not [resource for resource in teams.resources if "kueue" in resource.type]


def test_pods_of_a_team_are_restricted() -> None:
    labels = recorded().one(NAMESPACE).inputs["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert labels["ai-platform/team"] == "search"


def test_limits_have_no_accelerators_which_the_queue_limits() -> None:
    teams = recorded({"search": {"owners": [OWNER], "limits": {"cpu": "64", "memory": "256Gi"}}})
    hard = teams.one("kubernetes:core/v1:ResourceQuota").inputs["spec"]["hard"]
    assert (hard["requests.cpu"], hard["requests.memory"]) == ("64", "256Gi")
    assert not [name for name in hard if "gpu" in name]


def test_a_secret_store_assumes_a_role_that_reads_the_secrets_of_its_team_alone() -> None:
    account = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:"
    secret = f"{account}acme-dev/mlflow/accounts/search-AbCdEf"
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
    declared = {"MLFLOW_TRACKING_USERNAME": "username", "MLFLOW_TRACKING_PASSWORD": "password"}
    teams = recorded(
        {"search": {"owners": [OWNER], "secrets": {"mlflow": {"secret": secret, "keys": declared}}}},
        secret_keys=[key],
    )
    role = teams.one("aws:iam/role:Role").inputs
    assert role["name"] == "acme-dev-secrets-search", "the add-on may assume roles with this prefix"
    policy = json.loads(teams.one("aws:iam/rolePolicy:RolePolicy").inputs["policy"])
    secrets, keys = policy["Statement"]
    assert secrets["Resource"] == [f"{account}acme-dev/teams/search/*", secret]
    assert "secretsmanager:ListSecrets" not in secrets["Action"], "names of others' secrets stay unknown"
    assert keys["Resource"] == [key]
    assert keys["Condition"] == {"StringEquals": {"kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"}}
    provider = teams.one(STORE).inputs["spec"]["provider"]["aws"]
    assert provider["sessionTagsPolicy"] == "Simple"
    data = teams.one(EXTERNAL_SECRET).inputs["spec"]["data"]
    assert {entry["secretKey"]: entry["remoteRef"] for entry in data} == {
        "MLFLOW_TRACKING_USERNAME": {"key": secret, "property": "username"},
        "MLFLOW_TRACKING_PASSWORD": {"key": secret, "property": "password"},
    }


def test_a_secret_store_of_another_namespace_cannot_assume_the_role() -> None:
    role = recorded().one("aws:iam/role:Role").inputs
    [statement] = json.loads(role["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"AWS": CONTROLLER}
    assert statement["Condition"] == {"StringEquals": {"aws:RequestTag/esoNamespace": "search"}}


def test_a_secret_by_name_is_that_secret_and_none_that_begins_alike() -> None:
    teams = recorded(
        {"search": {"owners": [OWNER], "secrets": {"token": {"secret": "hub/token", "keys": {"token": "t"}}}}}
    )
    [statement] = json.loads(teams.one("aws:iam/rolePolicy:RolePolicy").inputs["policy"])["Statement"]
    assert statement["Resource"][1].endswith(":secret:hub/token-??????")


def test_on_google_cloud_a_secret_store_reads_as_a_service_account_of_its_namespace() -> None:
    secret = "projects/123/secrets/acme-dev-mlflow-account-search"
    teams = on_google(secrets={"mlflow": {"secret": secret, "keys": {"password": "password"}}})
    reader = "ns/search/sa/external-secrets"
    grants = teams.all(MEMBER)
    [prefix] = [grant.inputs for grant in grants if "secretAccessor" in grant.inputs["role"]]
    assert prefix["member"].endswith(f"workloadIdentityPools/acme-dev-123.svc.id.goog/subject/{reader}")
    assert '/secrets/acme-dev-teams-search_")' in prefix["condition"]["expression"]
    single = teams.one("gcp:secretmanager/secretIamMember:SecretIamMember").inputs
    assert single["secretId"] == "acme-dev-mlflow-account-search"
    assert single["member"] == prefix["member"]
    account = teams.one("kubernetes:core/v1:ServiceAccount").inputs
    assert "annotations" not in account["metadata"], "an annotation would make it a Google service account"
    [entry] = teams.one(EXTERNAL_SECRET).inputs["spec"]["data"]
    assert entry["remoteRef"]["key"] == "acme-dev-mlflow-account-search", "its id in the store's project"


def test_on_google_cloud_no_team_reads_the_secrets_of_one_whose_name_continues_its_own() -> None:
    teams = recorded({name: {"owners": [GROUP]} for name in ("search", "search-ads")}, GOOGLE)
    grants = [grant.inputs for grant in teams.all(MEMBER) if "secretAccessor" in grant.inputs["role"]]
    prefixes = sorted(grant["condition"]["expression"].split("/secrets/")[1].rstrip('")') for grant in grants)
    assert not prefixes[1].startswith(prefixes[0])


def test_on_google_cloud_a_renamed_secret_keeps_its_grant() -> None:
    def grants(name: str) -> list[str]:
        secrets = {
            name: {"secret": "mlflow", "keys": {"a": "b"}},
            "other": {"secret": "mlflow", "keys": {"c": "d"}},
        }
        kind = "gcp:secretmanager/secretIamMember:SecretIamMember"
        return [grant.name for grant in on_google(secrets=secrets).all(kind)]

    assert grants("old") == grants("new") == ["teams-search-secret-mlflow"], (
        "one for each secret, by its name"
    )


def test_objects_of_add_ons_and_namespaces_are_deleted_before_what_the_component_depends_on() -> None:
    def program() -> None:
        controller = pulumi.CustomResource("tests:index:Controller", "controller")
        arguments: Any = {
            "prefix": "acme-dev",
            "cluster": CLUSTER,
            "secrets_role_arn": CONTROLLER,
            "teams": {"search": {"owners": [OWNER], "queue": "search"}},
        }
        Teams("teams", arguments, pulumi.ResourceOptions(depends_on=[controller]))

    teams = record(program)
    controller = teams.named("controller")
    for kind in (STORE, "kubernetes:kueue.x-k8s.io/v1beta2:LocalQueue", NAMESPACE):
        assert teams.depends(teams.one(kind), controller)


def test_a_secret_store_is_created_after_what_it_reads_with() -> None:
    teams = recorded()
    store = teams.one(STORE)
    assert teams.depends(store, teams.one("aws:iam/rolePolicy:RolePolicy"))
    assert teams.depends(store, teams.one(NAMESPACE))


def test_pods_have_the_cloud_identity_of_the_team() -> None:
    identity = {
        "principal": f"arn:aws:iam::{ACCOUNT}:role/acme-dev-wi-search",
        "namespace": "search",
        "service_account": "workloads",
        "annotations": {"example.com/who": "search"},
    }
    teams = recorded({"search": {"owners": [OWNER], "identity": identity}})
    metadata = teams.one("kubernetes:core/v1:ServiceAccount").inputs["metadata"]
    assert (metadata["name"], metadata["namespace"]) == ("workloads", "search")
    assert metadata["annotations"] == {"example.com/who": "search"}


def test_configuration_is_the_config_map_platform() -> None:
    teams = recorded({"search": {"owners": [OWNER], "configuration": {"MLFLOW_TRACKING_URI": "https://m"}}})
    config = teams.one("kubernetes:core/v1:ConfigMap").inputs
    assert config["metadata"]["name"] == "platform"
    assert config["data"] == {"MLFLOW_TRACKING_URI": "https://m"}


def test_members_queues_and_secrets_of_other_resources_are_those_of_plain_values() -> None:
    def teams(value: Any) -> Recording:
        secret = {"secret": value("hub/token"), "keys": {"token": "token"}}
        team = {"owners": [value(OWNER)], "queue": value("search"), "secrets": {"hub": secret}}
        return recorded({"search": team})

    def inputs(recording: Recording) -> list[Any]:
        return [resource.inputs for resource in recording.resources if resource.type != ENTRY]

    plain, output = teams(lambda value: value), teams(Output.from_input)
    assert inputs(output) == inputs(plain)
    assert output.one(ENTRY).inputs == plain.one(ENTRY).inputs
    assert output.one(ENTRY).name == "teams-search.owners[0]", "only the engine knows the role"


@pytest.mark.parametrize(
    ("team", "expected"),
    [
        ({}, "teams.search.owners: missing"),
        ({"owners": []}, "teams.search.owners: "),
        (
            {"owners": [GROUP]},
            "teams.search.owners[0]: got 'group:search@acme.example'; expected an IAM role",
        ),
        ({"owners": [OWNER, OWNER]}, "expected no duplicates"),
        ({"owners": [OWNER], "readers": [OWNER]}, "which is owners[0], too; expected one role"),
        ({"owners": [OWNER], "queue": "Search"}, "teams.search.queue: got 'Search'"),
        ({"owners": [OWNER], "limits": {"cpu": "many"}}, "limits.cpu: got 'many'"),
        ({"owners": [OWNER], "services": {"models": [0]}}, "services.models[0]: got 0"),
        ({"owners": [OWNER], "owner": OWNER}, "teams.search.owner: unknown key"),
        (
            {"owners": [OWNER], "secrets": {"m": {"secret": "x y", "keys": {"a": "b"}}}},
            "secrets.m.secret: got",
        ),
        ({"owners": [OWNER], "secrets": {"m": {"secret": "x", "keys": {}}}}, "secrets.m.keys"),
        ({"owners": [OWNER], "configuration": {"a b": "c"}}, "configuration: "),
        ({"owners": [OWNER], "namespace": "external-dns"}, "which belongs to the cluster or an add-on"),
        ({"owners": [OWNER], "namespace": "tracing"}, "which belongs to the cluster or an add-on"),
        ({"owners": [OWNER], "namespace": "gke-mine"}, "which belongs to the cluster or an add-on"),
        (
            {"owners": [OWNER], "identity": {"principal": OWNER, "service_account": "external-secrets"}},
            "identity.service_account: got 'external-secrets'",
        ),
        (
            {"owners": [OWNER], "identity": {"principal": OWNER, "namespace": "ads"}},
            "identity.namespace: got 'ads'; expected an identity of the namespace search",
        ),
    ],
)
def test_a_wrong_team_is_refused_with_its_path(team: Any, expected: str) -> None:
    assert expected in "\n".join(problems({"search": team}))


def test_two_teams_with_one_namespace_are_refused() -> None:
    [problem] = problems({"search": {"owners": [OWNER]}, "ads": {"owners": [OWNER], "namespace": "search"}})
    assert problem == (
        "TeamsArgs.teams.ads.namespace: got 'search', which is the namespace of search; expected another one"
    )


def test_a_team_name_that_leaves_no_room_in_the_name_of_its_role_is_refused() -> None:
    [problem] = problems({"search-and-recommendation": {"owners": [OWNER]}})
    assert "at most 20" in problem


def test_secret_stores_need_the_role_of_external_secrets() -> None:
    [problem] = problems(secrets_role_arn=None)
    assert problem.startswith("TeamsArgs.secrets_role_arn: missing")


def test_a_person_is_no_member_on_google_cloud() -> None:
    [problem] = problems({"search": {"owners": ["user:ada@acme.example"]}}, GOOGLE)
    assert "expected a Google group" in problem


TEMPLATE = "kubernetes:resource.k8s.io/v1:ResourceClaimTemplate"


def test_a_team_with_a_queue_has_a_template_for_each_number_of_gpus() -> None:
    teams = {"search": {"owners": [OWNER], "queue": "shared"}, "ads": {"owners": [OWNER]}}
    templates = recorded(teams, claimed_gpus=[1, 8]).all(TEMPLATE)
    assert [(t.inputs["metadata"]["namespace"], t.inputs["metadata"]["name"]) for t in templates] == [
        ("search", "gpu-1"),
        ("search", "gpu-8"),
    ], "without a queue no claim is admitted"
    (request,) = templates[1].inputs["spec"]["spec"]["devices"]["requests"]
    assert request["exactly"] == {
        "deviceClassName": "ai-platform-gpu",
        "allocationMode": "ExactCount",
        "count": 8,
    }, "Kueue counts no other form"


def test_members_read_claims_and_write_none() -> None:
    for role in recorded(claimed_gpus=[1]).all("kubernetes:rbac.authorization.k8s.io/v1:Role"):
        for rule in role.inputs["rules"]:
            if "resource.k8s.io" in rule["apiGroups"]:
                assert set(rule["verbs"]) == {"get", "list", "watch"}, (
                    "a template that changes after its admission passes the quota"
                )


def test_a_number_of_gpus_that_no_claim_has_is_refused() -> None:
    assert problems(claimed_gpus=[0]) == ["TeamsArgs.claimed_gpus[0]: got 0; expected 1 to 32 GPUs"]


def test_namespace_of_a_team_that_uses_gpudirect_is_privileged() -> None:
    labels = on_google(queue="search", fabric=["h100"]).one(NAMESPACE).inputs["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "privileged", "Pods mount folders of the node"


def test_fabric_is_refused_on_aws_and_without_a_queue() -> None:
    (problem,) = problems({"search": {"owners": [OWNER], "queue": "search", "fabric": ["h100"]}})
    assert problem.startswith("TeamsArgs.teams.search.fabric: got ['h100'], which AWS does not support")
    (problem,) = problems({"search": {"owners": [GROUP], "fabric": ["h100"]}}, GOOGLE)
    assert problem.startswith("TeamsArgs.teams.search.queue: missing")
