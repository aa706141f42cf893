"""The managed add-ons: their objects, and how they fare."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from twin.instances import Instance
from twin.kubernetes import manifests
from twin.kubernetes.addons import Addons, complete, objects, preinstall
from twin.kubernetes.cloud_interface import Addon, Cluster
from twin.kubernetes.time_scale import Clock
from twin.tests.kubernetes.fakes import FakeKube, FakeMirror, FakeView

INSTANCE = Instance("test")
CLUSTER = Cluster("acme-dev", "ACTIVE", "1.34")
NAMES = (
    "vpc-cni",
    "kube-proxy",
    "coredns",
    "eks-pod-identity-agent",
    "aws-ebs-csi-driver",
    "metrics-server",
    "eks-node-monitoring-agent",
)


def rendered(name: str, configuration: dict[str, Any] | None = None, **rest: Any) -> dict[str, Any]:
    """The objects of an add-on by kind and name."""
    addon = Addon(name, "v1.20.4-eksbuild.2", "CREATING", configuration or {}, **rest)
    return {f"{item['kind']}/{item['metadata']['name']}": item for item in objects(INSTANCE, addon, CLUSTER)}


def pod_spec(item: dict[str, Any]) -> dict[str, Any]:
    return item["spec"]["template"]["spec"]


@pytest.mark.parametrize("name", NAMES)
def test_every_addon_has_objects_that_select_their_own_pods(name: str) -> None:
    items = rendered(name)
    accounts = {item["metadata"]["name"] for item in items.values() if item["kind"] == "ServiceAccount"}
    workloads = [item for item in items.values() if item["kind"] in {"DaemonSet", "Deployment"}]
    assert workloads
    for item in workloads:
        labels = item["spec"]["template"]["metadata"]["labels"].items()
        assert item["spec"]["selector"]["matchLabels"].items() <= labels
        assert pod_spec(item).get("serviceAccountName", "default") in {*accounts, "default"}
        volumes = {volume["name"] for volume in pod_spec(item).get("volumes", ())}
        for container in pod_spec(item)["containers"]:
            assert "$" not in container["image"], "every placeholder is filled"
            assert {mount["name"] for mount in container.get("volumeMounts", ())} <= volumes
        assert item["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "EKS"


def test_the_names_are_those_of_eks() -> None:
    assert "DaemonSet/aws-node" in rendered("vpc-cni")
    assert [c["name"] for c in pod_spec(rendered("vpc-cni")["DaemonSet/aws-node"])["containers"]] == [
        "aws-node",
        "aws-eks-nodeagent",
    ]
    assert rendered("coredns")["Deployment/coredns"]["spec"]["replicas"] == 2
    assert rendered("coredns")["Service/kube-dns"]["spec"]["clusterIP"] == "172.20.0.10"
    assert {"Deployment/ebs-csi-controller", "DaemonSet/ebs-csi-node", "CSIDriver/ebs.csi.aws.com"} <= set(
        rendered("aws-ebs-csi-driver")
    )
    assert not any(key.startswith("APIService") for key in rendered("metrics-server"))


def test_the_dns_service_has_the_tenth_address_of_the_clusters_range() -> None:
    addon = Addon("coredns", "v1", "CREATING", {})
    items = objects(INSTANCE, addon, replace(CLUSTER, service_cidr="10.100.0.0/16"))
    (service,) = [item for item in items if item["kind"] == "Service"]
    assert service["spec"]["clusterIP"] == "10.100.0.10"


def test_configuration_decides_where_and_how_often() -> None:
    toleration = [{"key": "system", "operator": "Exists"}]
    configuration = {
        "replicaCount": 3,
        "tolerations": toleration,
        "nodeSelector": {"pool": "system"},
        "resources": {"requests": {"cpu": "200m"}},
    }
    item = rendered("coredns", configuration)["Deployment/coredns"]
    assert item["spec"]["replicas"] == 3
    assert pod_spec(item)["tolerations"] == toleration
    assert pod_spec(item)["nodeSelector"] == {"pool": "system"}
    assert pod_spec(item)["containers"][0]["resources"] == {"requests": {"cpu": "200m"}}


def test_network_policy_is_switched_on_in_map_and_agent() -> None:
    items = rendered("vpc-cni", {"enableNetworkPolicy": "true", "env": {"ENABLE_PREFIX_DELEGATION": "true"}})
    assert items["ConfigMap/amazon-vpc-cni"]["data"]["enable-network-policy-controller"] == "true"
    cni, agent = pod_spec(items["DaemonSet/aws-node"])["containers"]
    assert "--enable-network-policy=true" in agent["args"]
    values = [
        variable.get("value") for variable in cni["env"] if variable["name"] == "ENABLE_PREFIX_DELEGATION"
    ]
    assert values == ["true"], "a variable that is given replaces the default"


def test_the_ebs_driver_has_a_section_for_each_half() -> None:
    items = rendered(
        "aws-ebs-csi-driver", {"controller": {"replicaCount": 1}, "node": {"tolerateAllTaints": True}}
    )
    assert items["Deployment/ebs-csi-controller"]["spec"]["replicas"] == 1
    assert pod_spec(items["DaemonSet/ebs-csi-node"])["tolerations"] == [{"operator": "Exists"}]


def test_the_role_goes_to_the_addons_first_service_account() -> None:
    items = rendered("aws-ebs-csi-driver", service_account_role="arn:aws:iam::123456789012:role/ebs")
    annotations = items["ServiceAccount/ebs-csi-controller-sa"]["metadata"]["annotations"]
    assert annotations["eks.amazonaws.com/role-arn"].endswith("role/ebs")
    assert "annotations" not in items["ServiceAccount/ebs-csi-node-sa"]["metadata"]


def daemonset(**status: int) -> dict[str, Any]:
    return {
        "metadata": {"name": "aws-node", "namespace": "kube-system", "generation": 1},
        "spec": {"updateStrategy": {}},
        "status": {"observedGeneration": 1, **status},
    }


def coredns(available: int) -> dict[str, Any]:
    return {
        "metadata": {"name": "coredns", "namespace": "kube-system", "generation": 1},
        "spec": {"replicas": 2},
        "status": {"observedGeneration": 1, "availableReplicas": available, "updatedReplicas": 2},
    }


def test_a_daemonset_without_nodes_is_complete_and_one_half_out_is_not() -> None:
    assert complete(daemonset(desiredNumberScheduled=0))
    assert not complete(daemonset(desiredNumberScheduled=2, numberReady=1, updatedNumberScheduled=2))
    assert not complete({}), "what the cluster does not know yet is not complete"
    assert not complete({**daemonset(), "status": {}}), "nor what no controller has looked at"


class Trial:
    """Add-ons over fakes, with a clock that a test moves."""

    def __init__(self, *addons: Addon) -> None:
        self.view = FakeView(CLUSTER, wanted_addons={addon.name: addon for addon in addons})
        self.kube = FakeKube()
        self.mirror = FakeMirror()
        self.clock = Still()
        self.addons = Addons(
            self.view,
            self.kube,  # pyright: ignore[reportArgumentType]
            self.mirror,  # pyright: ignore[reportArgumentType]
            INSTANCE,
            self.clock,
        )

    def step(self, seconds: float = 0.0) -> None:
        self.clock.time += seconds
        self.addons.step(self.view.addons(), CLUSTER)

    def status(self, name: str) -> str:
        return self.view.wanted_addons[name].status


class Still(Clock):
    time = 0.0

    def now(self) -> float:
        return self.time


def test_coredns_without_nodes_is_degraded_after_its_grace_and_active_with_them() -> None:
    trial = Trial(Addon("coredns", "v1.12.1-eksbuild.2", "CREATING", {}))
    trial.step()
    trial.mirror.collections["deployments"] = [coredns(0)]
    trial.step(5)
    assert trial.status("coredns") == "CREATING", "a rollout takes a moment"
    trial.step(90)
    assert trial.status("coredns") == "DEGRADED"
    assert "desired number of replicas" in trial.view.calls[-1][3][0]
    trial.mirror.collections["deployments"] = [coredns(2)]
    trial.step(1)
    assert trial.status("coredns") == "ACTIVE"


def test_an_addon_of_daemonsets_is_active_without_nodes() -> None:
    trial = Trial(Addon("vpc-cni", "v1.20.4-eksbuild.2", "CREATING", {}))
    trial.step()
    trial.mirror.collections["daemonsets"] = [daemonset(desiredNumberScheduled=0)]
    trial.step(1)
    assert trial.status("vpc-cni") == "ACTIVE"


def test_objects_are_applied_once_and_again_when_the_addon_changes() -> None:
    trial = Trial(Addon("kube-proxy", "v1.34.0-eksbuild.2", "CREATING", {}))
    trial.step()
    trial.step()
    count = len(trial.kube.requests)
    assert count == 4, "one request an object"
    changed = replace(trial.view.wanted_addons["kube-proxy"], configuration={"resources": {"requests": {}}})
    trial.view.wanted_addons["kube-proxy"] = changed
    trial.step()
    assert len(trial.kube.requests) == 2 * count


def test_deleting_removes_the_objects_and_then_the_addon() -> None:
    trial = Trial(Addon("kube-proxy", "v1.34.0-eksbuild.2", "CREATING", {}))
    trial.step()
    trial.view.wanted_addons["kube-proxy"] = replace(
        trial.view.wanted_addons["kube-proxy"], status="DELETING"
    )
    trial.step()
    assert trial.view.wanted_addons == {}
    assert not any("kube-proxy" in at for at in trial.kube.objects)


def test_an_addon_that_the_twin_has_no_objects_for_is_taken_as_it_is() -> None:
    trial = Trial(Addon("snapshot-controller", "v8", "CREATING", {}))
    trial.step()
    assert trial.status("snapshot-controller") == "ACTIVE"
    assert trial.kube.requests == []


def test_eks_puts_in_gp2_that_is_no_default_and_no_aws_auth() -> None:
    kube = FakeKube()
    preinstall(kube, INSTANCE, CLUSTER)  # pyright: ignore[reportArgumentType]
    gp2 = kube.objects["/apis/storage.k8s.io/v1/storageclasses/gp2"]
    assert gp2["provisioner"] == "kubernetes.io/aws-ebs"
    assert "annotations" not in gp2["metadata"], "since EKS 1.30 no StorageClass is the default"
    assert not any("aws-auth" in at for at in kube.objects)
    assert not any("aws-node" in at for at in kube.objects)
    preinstall(
        kube,  # pyright: ignore[reportArgumentType]
        INSTANCE,
        replace(CLUSTER, self_managed_addons=True),
    )
    assert "/apis/apps/v1/namespaces/kube-system/daemonsets/aws-node" in kube.objects


def test_every_manifest_is_known_by_its_path() -> None:
    for file in sorted((manifests.FOLDER / "aws").glob("*.yaml")):
        for item in manifests.load("aws", file.stem):
            at = manifests.where(item)
            assert ("/namespaces/" in at) is ("namespace" in item["metadata"]), f"{file.name}: {at}"


def test_binary_authorization_has_the_images_that_are_admitted() -> None:
    gcp = replace(INSTANCE, cloud="gcp")
    values = {"pattern": r"^(quay\.io/acme/[^/]*)$", "place": "us-central1.demo"}
    policy, binding = objects(gcp, Addon("binary-authorization", "1", "CREATING", values), CLUSTER)
    assert policy["spec"]["variables"][0]["expression"].endswith(
        r"""filter(image, !image.matches(r"^(quay\.io/acme/[^/]*)$"))"""
    )
    assert "rule for us-central1.demo." in policy["spec"]["validations"][0]["messageExpression"]
    assert binding["spec"]["policyName"] == policy["metadata"]["name"]
    assert manifests.where(policy).endswith(
        "/v1/validatingadmissionpolicies/imagepolicywebhook.image-policy.k8s.io"
    )
    assert "/validatingadmissionpolicybindings/" in manifests.where(binding)
