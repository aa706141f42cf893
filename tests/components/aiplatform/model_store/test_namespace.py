"""The namespace of promotions: what its Pods reach, who creates Jobs, and which Jobs."""

from __future__ import annotations

from typing import Any

import pytest

from aiplatform.model_store import admission, args
from cli.model import jobs
from tests.components.aiplatform.model_store.example import (
    APPROVERS,
    CERTIFICATE,
    GOOGLE_REGISTRY,
    IMAGE,
    REGISTRY,
    on_google,
    store,
)
from tests.components.recording import Recording

POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"


@pytest.fixture(scope="module")
def default() -> Recording:
    return store(registry=REGISTRY, release_group=[APPROVERS], image=IMAGE)


def _https(recording: Recording, account: str) -> list[Any]:
    egress = recording.one(POLICY, f"store-{account}-network-policy").inputs["spec"]["egress"]
    return [rule for rule in egress if rule["ports"] == [{"port": 443, "protocol": "TCP"}]]


def test_the_namespace_is_restricted_and_closed(default: Recording) -> None:
    namespace = default.one("kubernetes:core/v1:Namespace", "store-namespace").inputs["metadata"]
    assert namespace["name"] == "release"
    assert namespace["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    closed = default.one(POLICY, "store-default-deny").inputs["spec"]
    assert closed == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    quota = default.one("kubernetes:core/v1:ResourceQuota", "store-release-quota").inputs["spec"]["hard"]
    assert quota["services.loadbalancers"] == "0"


def test_network_policies_select_pods_by_the_label_that_admission_requires(default: Recording) -> None:
    for account in ("promoter", "importer"):
        spec = default.one(POLICY, f"store-{account}-network-policy").inputs["spec"]
        assert spec["podSelector"]["matchLabels"] == {"ai-platform/release-job": account}


def test_only_imports_reach_every_address_on_google_cloud() -> None:
    recording = on_google(registry=GOOGLE_REGISTRY)
    (importing,) = _https(recording, "importer")
    assert "to" not in importing
    (promoting, *_) = _https(recording, "promoter")
    ranges = [peer["ipBlock"]["cidr"] for peer in promoting["to"]]
    assert ranges == ["199.36.153.4/30", "199.36.153.8/30"], "the addresses of Google's APIs"


def test_stated_ranges_close_promotions_on_aws() -> None:
    recording = store(api_ranges=["10.0.0.0/16"])
    (promoting,) = _https(recording, "promoter")
    assert promoting["to"] == [{"ipBlock": {"cidr": "10.0.0.0/16"}}]


def test_promotions_reach_the_registry_and_imports_do_not(default: Recording) -> None:
    def namespaces(account: str) -> set[str]:
        egress = default.one(POLICY, f"store-{account}-network-policy").inputs["spec"]["egress"]
        return {
            peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
            for rule in egress
            for peer in rule.get("to", [])
            if "namespaceSelector" in peer
        }

    assert namespaces("promoter") == {"kube-system", "model-registry"}
    assert namespaces("importer") == {"kube-system"}


def test_jobs_find_their_settings_in_one_config_map(default: Recording) -> None:
    data = default.one("kubernetes:core/v1:ConfigMap", "store-configuration").inputs["data"]
    assert data["IMAGE"] == IMAGE
    assert data["RELEASES_URI"].startswith("s3://")
    assert data["PROFILE"] == "dev"
    assert data["MLFLOW_ACCOUNT_SECRET"] == REGISTRY["secret"], "the secret's name; never its value"
    assert data["GUARDED_ALIASES"] == "champion"


def test_a_secret_of_google_cloud_that_is_stated_by_its_id_has_its_project() -> None:
    recording = on_google(registry={**GOOGLE_REGISTRY, "secret": "release"}, hugging_face={"secret": "hub"})
    data = recording.one("kubernetes:core/v1:ConfigMap", "store-configuration").inputs["data"]
    assert data["HUGGING_FACE_SECRET"] == "projects/acme-dev-1234/secrets/hub"
    assert data["MLFLOW_ACCOUNT_SECRET"] == "projects/acme-dev-1234/secrets/release"


def test_jobs_verify_a_registry_by_the_authority_that_is_stated(default: Recording) -> None:
    recording = store(
        registry={**REGISTRY, "tracking_uri": "https://mlflow.model-registry.svc.cluster.local"},
        registry_ca=CERTIFICATE,
    )
    files = recording.one("kubernetes:core/v1:ConfigMap", "store-files").inputs
    assert files["metadata"]["name"] == args.FILES, "which Jobs mount"
    assert files["data"] == {"ca.pem": CERTIFICATE}
    data = recording.one("kubernetes:core/v1:ConfigMap", "store-configuration").inputs["data"]
    assert data["MLFLOW_TRACKING_SERVER_CERT_PATH"] == "/etc/model-release/ca.pem"
    plain = default.one("kubernetes:core/v1:ConfigMap", "store-configuration").inputs["data"]
    assert "MLFLOW_TRACKING_SERVER_CERT_PATH" not in plain, "MLflow takes an empty one for no verification"


def test_the_release_group_creates_jobs_and_runs_nothing_in_pods(default: Recording) -> None:
    rules = default.one("kubernetes:rbac.authorization.k8s.io/v1:Role", "store-release-managers").inputs[
        "rules"
    ]
    verbs = {(rule["apiGroups"][0], name): rule["verbs"] for rule in rules for name in rule["resources"]}
    assert "create" in verbs["batch", "jobs"]
    assert "update" not in verbs["batch", "jobs"]
    assert verbs["ai-platform", "releases"] == ["approve"]
    assert not {"pods/exec", "secrets", "serviceaccounts"} & {resource for _, resource in verbs}


def test_without_a_release_group_no_role_is_bound() -> None:
    assert not store().all("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding")


def test_each_admission_policy_fails_closed_and_denies(default: Recording) -> None:
    policies = default.all("kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy")
    assert [policy.name for policy in policies] == [
        "store-release-debugging-policy",
        "store-release-jobs-policy",
        "store-release-pod-changes-policy",
        "store-release-pods-policy",
        "store-release-tokens-policy",
    ]
    for policy in policies:
        spec = policy.inputs["spec"]
        assert spec["failurePolicy"] == "Fail", policy.name
        assert spec["matchConstraints"]["namespaceSelector"] == {
            "matchLabels": {"kubernetes.io/metadata.name": "release"}
        }
    for binding in default.all("kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding"):
        assert binding.inputs["spec"]["validationActions"] == ["Deny"], binding.name


def _expressions(recording: Recording, name: str) -> list[str]:
    policy = recording.one(
        "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy", f"store-{name}-policy"
    )
    return [validation["expression"] for validation in policy.inputs["spec"]["validations"]]


@pytest.mark.parametrize(
    ("name", "pod"),
    [("release-jobs", "object.spec.template.spec"), ("release-pods", "object.spec")],
)
def test_nothing_but_the_entry_point_runs_in_a_container(default: Recording, name: str, pod: str) -> None:
    """A probe with `exec` runs a command with the container's identity, as `command` does."""
    stated = {part for expression in _expressions(default, name) for part in expression.split(" && ")}
    for field in ("command", "lifecycle", "livenessProbe", "readinessProbe", "startupProbe", "workingDir"):
        assert f"!has({pod}.containers[0].{field})" in stated, field


@pytest.mark.parametrize("field", ["hostAliases", "dnsConfig", "nodeName"])
def test_names_lead_jobs_where_the_cluster_says(default: Recording, field: str) -> None:
    expressions = " && ".join(_expressions(default, "release-jobs"))
    assert f"!has(object.spec.template.spec.{field})" in expressions.split(" && ")


@pytest.mark.parametrize("command", ["promote", "rollback", "show", "list", "import"])
def test_the_jobs_of_the_command_have_the_form_that_is_admitted(command: str) -> None:
    body = jobs.job(IMAGE, "maria", [command], label="ranker")
    template = body["spec"]["template"]
    pod = template["spec"]
    (container,) = pod["containers"]
    assert body["metadata"]["namespace"] == args.NAMESPACE
    assert body["spec"]["activeDeadlineSeconds"] <= admission.MAX_SECONDS
    annotation = {admission.APPROVED_BY: "maria"}
    assert body["metadata"]["annotations"] == template["metadata"]["annotations"] == annotation
    assert pod["serviceAccountName"] in (args.PROMOTER, args.IMPORTER)
    assert template["metadata"]["labels"][admission.JOB_LABEL] == pod["serviceAccountName"]
    assert not container.keys() & set(admission.REFUSED_IN_CONTAINERS)
    assert not pod.keys() & {*admission.REFUSED_IN_PODS, "dnsPolicy", "initContainers", "ephemeralContainers"}
    assert {mount["mountPath"] for mount in container["volumeMounts"]} <= set(admission.MOUNT_PATHS)
    field = f"metadata.annotations['{admission.APPROVED_BY}']"
    assert container["env"] == [{"name": "APPROVED_BY", "valueFrom": {"fieldRef": {"fieldPath": field}}}]
    assert container["envFrom"] == [{"configMapRef": {"name": args.CONFIGURATION}}]
    for volume in pod["volumes"]:
        assert "emptyDir" in volume or volume["configMap"]["name"] == args.FILES, volume
    assert container["image"] == IMAGE
