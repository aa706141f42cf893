"""The guardrails: which policies and bindings are registered.

tests/end_to_end/test_guardrails.py has what they admit and refuse.
"""

from typing import Any

import pytest
from pulumi import Output

from aiplatform._shared.args import ArgumentError
from aiplatform.addons.catalog import catalog
from aiplatform.addons.values.kueue import INTEGRATIONS, RAY
from aiplatform.guardrails import Guardrails
from aiplatform.guardrails.args import POLICIES
from aiplatform.guardrails.policies import BUILDERS
from aiplatform.guardrails.policies.accelerators import QUEUED_OWNERS
from tests.components.aiplatform.schema import undocumented
from tests.components.recording import Recording, record
from twin.gcp.services.iam import data as iam

API = "kubernetes:admissionregistration.k8s.io/v1"
POLICY = f"{API}:ValidatingAdmissionPolicy"
BINDING = f"{API}:ValidatingAdmissionPolicyBinding"
PRIORITY = "kubernetes:scheduling.k8s.io/v1:PriorityClass"


def guardrails(**arguments: Any) -> Recording:
    overrides: Any = arguments
    return record(lambda: Guardrails("guardrails", overrides))


def spec(recorded: Recording, name: str) -> dict[str, Any]:
    return recorded.one(POLICY, f"guardrails-{name}-policy").inputs["spec"]


def expressions(recorded: Recording, name: str) -> str:
    return "\n".join(validation["expression"] for validation in spec(recorded, name)["validations"])


def problems(**arguments: Any) -> str:
    with pytest.raises(ArgumentError) as caught:
        guardrails(**arguments)
    return str(caught.value)


def test_every_policy_that_a_file_may_name_exists() -> None:
    assert tuple(BUILDERS) == POLICIES


def test_the_logical_names_are_a_contract() -> None:
    recorded = guardrails(required_labels=["team"])
    assert recorded.names() == [
        "aiplatform:index:Guardrails guardrails",
        *(f"{POLICY} guardrails-{name}-policy" for name in sorted(POLICIES)),
        *(f"{BINDING} guardrails-{name}-binding" for name in sorted(POLICIES)),
        *(f"{PRIORITY} guardrails-{name}-priority" for name in ("interactive", "serving", "training")),
    ]


def test_it_is_documented() -> None:
    assert undocumented(Guardrails) == []


def test_every_policy_refuses_what_it_cannot_evaluate() -> None:
    for policy in guardrails().all(POLICY):
        assert policy.inputs["spec"]["failurePolicy"] == "Fail", policy.name


def test_every_error_is_recognizable_and_states_what_is_expected() -> None:
    for policy in guardrails(
        required_labels=["team"], allowed_registries=["quay.io"], require_digests=True
    ).all(POLICY):
        for validation in policy.inputs["spec"]["validations"]:
            assert validation["message"].startswith("ai-platform: ")
            assert "expected" in validation["message"]
            assert "\n" not in validation["message"], "Kubernetes refuses it"


@pytest.mark.parametrize(
    ("arguments", "actions"),
    [
        ({}, ["Deny", "Audit"]),
        ({"enforcement": "warn"}, ["Warn", "Audit"]),
        ({"enforcement": "warn", "policies": {"images": "deny"}}, ["Deny", "Audit"]),
        ({"policies": {"images": "warn"}}, ["Warn", "Audit"]),
    ],
)
def test_a_binding_denies_or_warns_as_configured(arguments: dict[str, Any], actions: list[str]) -> None:
    binding = guardrails(**arguments).one(BINDING, "guardrails-images-binding")
    assert binding.inputs["spec"] == {"policyName": "ai-platform-images", "validationActions": actions}


def test_a_policy_that_is_off_is_not_registered() -> None:
    recorded = guardrails(policies={"images": "off"})
    assert "guardrails-images-policy" not in [policy.name for policy in recorded.all(POLICY)]
    component = recorded.one("aiplatform:index:Guardrails")
    assert component.outputs is not None
    assert component.outputs["policies"] == [name for name in POLICIES if name not in ("images", "labels")]


def test_namespaces_of_kubernetes_the_cloud_and_the_addons_are_left_out() -> None:
    for policy in guardrails(system_namespaces=["argo"]).all(POLICY):
        if policy.name == "guardrails-namespaces-policy":
            continue
        (expression,) = policy.inputs["spec"]["matchConstraints"]["namespaceSelector"]["matchExpressions"]
        assert expression["operator"] == "NotIn"
        assert {"kube-system", "amazon-guardduty", "argo"} <= set(expression["values"])
        assert {addon.namespace for addon in catalog().values() if addon.namespace} <= set(
            expression["values"]
        )


def test_gkes_namespaces_are_left_out_by_their_prefix() -> None:
    for policy in guardrails(cloud="gcp").all(POLICY):
        if policy.name == "guardrails-namespaces-policy":
            continue
        conditions = {entry["expression"] for entry in policy.inputs["spec"]["matchConditions"]}
        assert "!request.?namespace.orValue('').startsWith('gke-')" in conditions, policy.name
    for policy in guardrails().all(POLICY):
        assert "gke-" not in str(policy.inputs["spec"].get("matchConditions")), "no such namespaces on EKS"


def test_the_creation_of_every_namespace_is_evaluated() -> None:
    policy = spec(guardrails(system_namespaces=["argo"]), "namespaces")
    assert "namespaceSelector" not in policy["matchConstraints"]
    (condition,) = policy["matchConditions"]
    assert condition["expression"].startswith("request.operation == 'CREATE' || ")
    assert '"argo"' in condition["expression"], "its other changes are not evaluated"


def test_a_fabric_namespace_is_evaluated_also_where_it_is_a_system_namespace() -> None:
    recorded = guardrails(system_namespaces=["fabric"], fabric_namespaces={"fabric": {}})
    selector = spec(recorded, "host-access")["matchConstraints"]["namespaceSelector"]
    assert "fabric" not in selector["matchExpressions"][0]["values"]


def test_a_fabric_namespace_needs_only_the_policy_of_hosts_to_deny() -> None:
    recorded = guardrails(
        enforcement="warn",
        policies={"host-access": "deny"},
        fabric_namespaces={"f": {"capabilities": ["IPC_LOCK"]}},
    )
    binding = recorded.one(BINDING, "guardrails-host-access-binding")
    assert binding.inputs["spec"]["validationActions"] == ["Deny", "Audit"]


def test_a_namespace_with_gpus_by_annotation_counts_those_and_no_other_devices() -> None:
    devices = [*(f"/dev/nvidia{index}" for index in range(12)), "/dev/nvidiactl", "/dev/nvidia-uvm"]
    recorded = guardrails(fabric_namespaces={"f": {"devices": devices, "pools": ["gpu"]}})
    (gpus,) = [
        variable["expression"]
        for variable in spec(recorded, "host-access")["variables"]
        if variable["name"] == "gpus"
    ]
    assert '{"f": 12}' in gpus


def test_images_come_from_anywhere_by_default() -> None:
    assert "startsWith" not in expressions(guardrails(), "images")


def test_exception_of_one_image_is_none_of_its_repository() -> None:
    stated = ["registry.acme.com:5000", "quay.io/argoproj", "mirror.acme.com:5000/hub/torch:2.2.2"]
    text = expressions(guardrails(require_digests=True, digest_exceptions=stated), "images")
    assert '|| image in ["mirror.acme.com:5000/hub/torch:2.2.2"] ||' in text, "compared as a whole"
    assert '"mirror.acme.com:5000/hub/torch:2.2.2:"' not in text
    assert '"mirror.acme.com:5000/hub/torch:"' not in text, "another tag needs a digest"
    assert '"registry.acme.com:5000/"' in text, "a port is no tag"
    assert '"quay.io/argoproj/"' in text


def test_registries_may_be_outputs() -> None:
    plain = guardrails(allowed_registries=["registry.acme.com/ml"])
    later = record(
        lambda: Guardrails("guardrails", {"allowed_registries": [Output.from_input("registry.acme.com/ml")]})
    )
    assert spec(later, "images") == spec(plain, "images")


def test_a_registry_is_not_the_beginning_of_another_ones_name() -> None:
    text = expressions(guardrails(allowed_registries=["acme.com"]), "images")
    assert '["acme.com/", "acme.com:", "acme.com@"]' in text


def test_priority_classes_that_everyone_may_use_do_not_preempt() -> None:
    recorded = guardrails()
    serving = recorded.one(PRIORITY, "guardrails-serving-priority").inputs
    for name in ("training", "interactive"):
        inputs = recorded.one(PRIORITY, f"guardrails-{name}-priority").inputs
        assert inputs["preemptionPolicy"] == "Never", "a notebook would evict another team's training"
    assert serving["preemptionPolicy"] == "PreemptLowerPriority"
    training = recorded.one(PRIORITY, "guardrails-training-priority").inputs
    assert serving["value"] > training["value"]
    assert not serving["globalDefault"]


def test_a_priority_class_is_replaced_where_kubernetes_refuses_a_change() -> None:
    for priority_class in guardrails().all(PRIORITY):
        assert set(priority_class.replace_on_changes) == {"value", "preemptionPolicy"}
        assert priority_class.delete_before_replace, "the names of both would be the same"


def test_a_class_that_is_not_everyones_is_for_namespaces_that_list_it() -> None:
    variables = spec(guardrails(), "priorities")["variables"]
    allowed = next(entry["expression"] for entry in variables if entry["name"] == "allowed")
    assert '"interactive", "training"]' in allowed
    assert "serving" not in allowed
    assert "ai-platform/priority-classes" in allowed


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"policies": {"image": "off"}}, "policies.image: unknown policy; expected one of accelerators"),
        ({"policies": {"image": "off"}}, "did you mean 'images'?"),
        ({"policies": {"images": "audit"}}, "policies.images: got 'audit'; expected one of deny, warn, off"),
        ({"enforcement": "off"}, "enforcement: got 'off'; expected one of deny, warn"),
        (
            {"allowed_registries": ["https://quay.io"]},
            "allowed_registries[0]: got 'https://quay.io'; expected a",
        ),
        ({"allowed_registries": ["quay.io/"]}, "expected a registry"),
        ({"allowed_registries": ["quay.io/a:1"]}, "without scheme and tag"),
        ({"digest_exceptions": ["quay.io:v1"]}, "or one image with its tag"),
        ({"digest_exceptions": ["quay.io/a:"]}, "or one image with its tag"),
        ({"digest_exceptions": [f"quay.io/a:v1@sha256:{'a' * 64}"]}, "or one image with its tag"),
        ({"allowed_registries": ["quay.io/x:1"]}, "expected a registry"),
        ({"system_namespaces": ["Argo"]}, "system_namespaces[0]: got 'Argo'; expected a DNS label"),
        ({"system_namespaces": ["argo", "argo"]}, "system_namespaces"),
        (
            {"fabric_namespaces": {"f": {"read_only_host_paths": ["/opt"]}}},
            "fabric_namespaces.f.pools: missing, and Pods would get read_only_host_paths on every node",
        ),
        (
            {"fabric_namespaces": {"f": {"devices": ["/dev/nvidia0"], "privileged": True}}},
            "fabric_namespaces.f.pools: missing, and Pods would get devices, privileged on every node",
        ),
        (
            {"fabric_namespaces": {"f": {"host_paths": ["/opt"], "pools": ["gpu", "system"]}}},
            "fabric_namespaces.f.pools: got 'system', whose nodes run the cluster's controllers",
        ),
        (
            {"fabric_namespaces": {"f": {}}, "enforcement": "warn"},
            "fabric_namespaces: only the policy host-access limits what these namespaces use of nodes, and "
            "it is 'warn'; expected 'deny' as policies.host-access",
        ),
        (
            {"fabric_namespaces": {"f": {}}, "policies": {"host-access": "off"}},
            "and it is 'off'; expected 'deny' as policies.host-access",
        ),
        ({"fabric_namespaces": {"F": {}}}, "with 'F'; expected DNS labels as names of namespaces"),
        (
            {"fabric_namespaces": {"f": {"host_paths": ["dev"]}}},
            "fabric_namespaces.f.host_paths[0]: got 'dev'",
        ),
        ({"fabric_namespaces": {"f": {"host_paths": ["/"]}}}, "expected an absolute path"),
        ({"fabric_namespaces": {"f": {"host_paths": ["/dev/../etc"]}}}, "expected an absolute path"),
        ({"fabric_namespaces": {"f": {"capabilities": ["CAP_IPC_LOCK"]}}}, "a Linux capability without CAP_"),
        (
            {"fabric_namespaces": {"kube-system": {}}},
            "fabric_namespaces.kube-system: a namespace of the system",
        ),
        ({"fabric_namespaces": {"kueue-system": {}}}, "fabric_namespaces.kueue-system: a namespace of the"),
        ({"cloud": "gcp", "fabric_namespaces": {"gke-x": {}}}, "fabric_namespaces.gke-x: a namespace of the"),
        ({"required_labels": ["a b"]}, "required_labels[0]: got 'a b'; expected the key of a label"),
        ({"priority_classes": {"system-x": {"value": 1}}}, "Kubernetes reserves the prefix system-"),
        ({"priority_classes": {"x": {"value": 2_000_000_000}}}, "expected -1000000000 to 1000000000"),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_is_registered(
    arguments: dict[str, Any], error: str
) -> None:
    assert error in problems(**arguments)


def test_every_kind_that_kueue_queues_is_evaluated() -> None:
    kinds = {name.rpartition("/")[2] for name in (*INTEGRATIONS, *RAY)} - {"pod"}
    assert {kind.lower() for kind in QUEUED_OWNERS} == kinds
    rules = spec(guardrails(), "accelerators")["matchConstraints"]["resourceRules"]
    assert {f"{kind}s" for kind in kinds} <= {name for rule in rules for name in rule["resources"]}


def test_no_role_for_users_of_google_cloud_counts_as_the_platform() -> None:
    escalate = "container.clusterRoles.escalate"
    roles = [role for role in iam.names() if escalate in set(iam.permissions(role))]
    assert "roles/container.admin" in roles
    assert not {"roles/editor", "roles/container.developer", "roles/container.clusterAdmin"} & set(roles)


def test_claims_are_accelerators_that_need_a_queue_where_kueue_counts_them() -> None:
    without, with_claims = guardrails(), guardrails(device_claims=True)
    assert "size(pod.?resourceClaims.orValue([])) > 0" in expressions(without, "accelerators")
    assert "resourceClaimTemplateName" not in expressions(without, "accelerators")
    assert "resourceClaimTemplateName.orValue('') == ''" in expressions(with_claims, "accelerators"), (
        "a claim that several Pods share has no quantity"
    )
    (accelerated,) = [
        variable["expression"]
        for variable in spec(with_claims, "accelerators")["variables"]
        if variable["name"] == "accelerated"
    ]
    assert "resourceClaims" in accelerated, "a Pod with a claim needs a queue as one with a request does"


def test_the_taint_of_claimed_nodes_is_one_of_accelerators() -> None:
    assert "ai-platform/device-allocation" in expressions(guardrails(), "accelerators")
