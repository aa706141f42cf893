"""What the component registers."""

from __future__ import annotations

import json
from typing import Any

import pulumi
from pulumi import ResourceOptions

from aiplatform.serving import Serving
from tests.components.aiplatform.schema import undocumented
from tests.components.aiplatform.serving.example import LOADER, arguments
from tests.components.recording import Recording, record

LOADERS = "kubernetes:serving.kserve.io/v1alpha1:ClusterStorageContainer"
BUDGET = "kubernetes:policy/v1:PodDisruptionBudget"
RUNTIME = "kubernetes:serving.kserve.io/v1alpha1:ClusterServingRuntime"


def serving(cloud: str = "aws", **more: Any) -> Recording:
    args: Any = arguments(cloud, **more)
    return record(lambda: Serving("serving", args))


def test_the_logical_names_are_a_contract() -> None:
    assert serving().names() == [
        "aiplatform:index:Serving serving",
        "aws:eks/podIdentityAssociation:PodIdentityAssociation serving-search-identity",
        "aws:iam/role:Role serving-search-role",
        "aws:iam/rolePolicy:RolePolicy serving-search-policy",
        "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy serving-served-models-policy",
        "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding "
        "serving-served-models-binding",
        "kubernetes:core/v1:ConfigMap serving-search-templates",
        "kubernetes:core/v1:ServiceAccount serving-search-service-account",
        f"{BUDGET} serving-search-chat-disruption-budget",
        f"{RUNTIME} serving-sklearn",
        f"{RUNTIME} serving-vllm-inference",
        f"{RUNTIME} serving-xgboost",
        f"{LOADERS} serving-loader",
    ]


def test_it_is_documented() -> None:
    assert undocumented(Serving) == []


def test_the_outputs_name_runtimes_templates_and_identities() -> None:
    outputs = serving().result.outputs
    assert outputs["runtimes"] == ["vllm-inference", "sklearn", "xgboost"]
    assert outputs["pools"]["sklearn"] == "general"
    assert (outputs["service_account"], outputs["templates"]) == ("serving", "serving-templates")
    assert outputs["services"] == {"search": ["chat", "fares"]}


def test_a_team_on_aws_reads_its_releases_and_nothing_else() -> None:
    policy = json.loads(serving().one("aws:iam/rolePolicy:RolePolicy").inputs["policy"])
    releases, key = policy["Statement"]
    assert releases["Action"] in ("s3:GetObject", ["s3:GetObject"])
    assert releases["Resource"] in (
        "arn:aws:s3:::acme-dev-releases/search/*",
        ["arn:aws:s3:::acme-dev-releases/search/*"],
    ), "with the slash: `search` is not the beginning of `search-ads`"
    assert key["Condition"]["StringEquals"]["kms:ViaService"].startswith("s3.")
    association = serving().one("aws:eks/podIdentityAssociation:PodIdentityAssociation").inputs
    assert (association["namespace"], association["serviceAccount"]) == ("search", "serving")


def test_a_team_on_google_cloud_reads_its_releases_and_nothing_else() -> None:
    recording = serving("gcp")
    grant = recording.one("gcp:storage/bucketIAMMember:BucketIAMMember").inputs
    assert grant["role"] == "roles/storage.objectViewer"
    assert grant["member"].endswith("/subject/ns/search/sa/serving")
    assert grant["condition"]["expression"] == (
        'resource.name.startsWith("projects/_/buckets/acme-dev-releases/objects/search/")'
    )
    [loader] = recording.all(LOADERS)
    variables = {entry["name"]: entry["value"] for entry in loader.inputs["spec"]["container"]["env"]}
    assert variables == {"RELEASES_URI": "gs://acme-dev-releases"}


def test_the_only_program_that_copies_models_compares_them_with_their_manifest() -> None:
    [loader] = serving().all(LOADERS)
    spec = loader.inputs["spec"]
    assert spec["container"]["image"] == LOADER
    assert spec["container"]["command"] == ["python", "-m", "model_release", "load"]
    assert {entry["prefix"] for entry in spec["supportedUriFormats"]} >= {
        "s3://",
        "gs://",
        "hf://",
        "https://",
    }, "for one that is missing KServe would take its own program, which compares nothing"
    variables = {entry["name"]: entry["value"] for entry in spec["container"]["env"]}
    assert variables["RELEASES_URI"] == "s3://acme-dev-releases"
    assert variables["AWS_REGION"] == variables["AWS_DEFAULT_REGION"], "no metadata service states it to Pods"
    assert spec["container"]["securityContext"]["readOnlyRootFilesystem"] is True


def test_clients_reach_predictors_on_their_port_only() -> None:
    policies = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
    assert "serving-search-clients" not in {entry.name for entry in serving().all(policies)}
    recording = serving(client_namespaces=["envoy-gateway-system", "monitoring"])
    for name, label in (
        ("clients", "serving.kserve.io/inferenceservice"),
        ("service-clients", "ai-platform/service"),
    ):
        policy = recording.one(policies, f"serving-search-{name}").inputs
        [rule] = policy["spec"]["ingress"]
        assert [port["port"] for port in rule["ports"]] == [8080]
        assert len(rule["from"]) == 2
        [selected] = policy["spec"]["podSelector"]["matchExpressions"]
        assert selected == {"key": label, "operator": "Exists"}


def test_what_owns_servers_or_has_kinds_of_kserve_ends_before_its_controller() -> None:
    args: Any = arguments()

    def program() -> None:
        kserve = pulumi.Stash("kserve", input="v0.20.0")
        Serving("serving", args, ResourceOptions(depends_on=[kserve]))

    recording = record(program)
    controller = recording.named("kserve")
    for kind in ("kubernetes:core/v1:ServiceAccount", LOADERS, RUNTIME):
        for resource in recording.all(kind):
            assert recording.depends(resource, controller), resource.name


def test_it_installs_nothing_so_that_another_kserve_may_run() -> None:
    kinds = {entry.type for entry in serving().resources}
    assert not kinds & {"kubernetes:helm.sh/v4:Chart", "kubernetes:core/v1:Namespace"}


def test_the_service_account_mounts_no_token_of_kubernetes() -> None:
    account = serving().one("kubernetes:core/v1:ServiceAccount").inputs
    assert account["automountServiceAccountToken"] is False
    assert account["metadata"]["namespace"] == "search"


def test_a_service_with_several_pods_loses_one_at_a_time() -> None:
    [budget] = serving().all(BUDGET)
    assert budget.inputs["metadata"]["namespace"] == "search"
    spec = budget.inputs["spec"]
    assert spec["selector"]["matchLabels"] == {"ai-platform/service": "chat"}, "of blue and green"
    assert spec["maxUnavailable"] == 1, "of a single Pod `minAvailable` would stop every drain"
