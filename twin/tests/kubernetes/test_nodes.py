"""Machines become Nodes, as their kubelets would register them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from twin.kubernetes.cloud_interface import Machine, Taint
from twin.kubernetes.nodes import ABSENT, APPLIED, NETWORK, Nodes
from twin.tests.kubernetes.builders import pod
from twin.tests.kubernetes.fakes import FakeKube, template

NAME = "ip-10-0-0-4.us-west-2.compute.internal"
MACHINE = replace(
    template(taints=[Taint("nvidia.com/gpu", "NoSchedule", "true")], labels={"ai-platform/pool": "l4"}),
    name=NAME,
    provider_id="aws:///us-west-2a/i-0123",
    internal_ip="10.0.0.4",
)
CNI = "602401143452.dkr.ecr.us-west-2.amazonaws.com/amazon-k8s-cni:v1.20.4-eksbuild.1"
AT = f"/api/v1/nodes/{NAME}"


def aws_node(**changes: Any) -> Any:
    return pod("aws-node", image=CNI, node=NAME, owner="DaemonSet", phase="Running", **changes)


def run(
    kube: FakeKube, machines: Sequence[Machine] = (MACHINE,), pods: Sequence[Any] = (), **kind: Any
) -> None:
    nodes = kube.below("/api/v1/nodes")
    Nodes(kube, **kind).step(machines, nodes, {NAME: list(pods)})  # pyright: ignore[reportArgumentType]


def condition(kube: FakeKube) -> dict[str, Any]:
    return next(
        condition for condition in kube.objects[AT]["status"]["conditions"] if condition["type"] == "Ready"
    )


def test_a_machine_registers_with_what_its_kubelet_knows() -> None:
    kube = FakeKube()
    run(kube)
    there = kube.objects[AT]
    labels = there["metadata"]["labels"]
    assert labels["kubernetes.io/hostname"] == NAME
    assert labels["beta.kubernetes.io/instance-type"] == "g6.xlarge"
    assert labels["failure-domain.beta.kubernetes.io/zone"] == "us-west-2a"
    assert labels["ai-platform/pool"] == "l4"
    assert there["spec"]["providerID"] == "aws:///us-west-2a/i-0123"
    assert there["spec"]["taints"] == [{"key": "nvidia.com/gpu", "effect": "NoSchedule", "value": "true"}]
    assert there["status"]["allocatable"]["cpu"] == "3920m"
    assert {"type": "InternalIP", "address": "10.0.0.4"} in there["status"]["addresses"]
    assert there["status"]["nodeInfo"]["kubeletVersion"] == "v1.36.5"
    assert there["metadata"]["annotations"]["kwok.x-k8s.io/node"] == "fake"


def test_a_node_is_not_ready_before_its_network_plugin_runs() -> None:
    kube = FakeKube()
    run(kube)
    assert kube.objects[AT]["metadata"]["annotations"][NETWORK] == ABSENT
    assert condition(kube)["status"] == "False"
    assert "cni plugin not initialized" in condition(kube)["message"]
    run(kube, pods=[aws_node()])
    assert NETWORK not in kube.objects[AT]["metadata"]["annotations"], "from here on kwok makes it Ready"


def test_a_node_is_not_ready_where_eks_network_plugin_may_attach_no_interface() -> None:
    kube, machine = FakeKube(), replace(MACHINE, network_rights=False)
    run(kube, [machine])
    run(kube, [machine], pods=[aws_node()])
    assert kube.objects[AT]["metadata"]["annotations"][NETWORK] == ABSENT
    other = pod("cilium", image="quay.io/cilium/cilium:v1", node=NAME, owner="DaemonSet", phase="Running")
    run(kube, [machine], pods=[other])
    assert NETWORK not in kube.objects[AT]["metadata"]["annotations"], "an overlay needs none of EC2's rights"


def test_a_node_whose_network_plugin_goes_is_not_ready_again() -> None:
    kube = FakeKube()
    run(kube)
    run(kube, pods=[aws_node()])
    condition(kube)["status"] = "True"
    run(kube)
    assert kube.objects[AT]["metadata"]["annotations"][NETWORK] == ABSENT
    run(kube)
    assert condition(kube)["reason"] == "KubeletNotReady"


def test_where_the_image_brings_the_network_nothing_is_waited_for() -> None:
    kube = FakeKube()
    run(kube, network_built_in=True)
    assert NETWORK not in kube.objects[AT]["metadata"]["annotations"]


def test_a_machine_that_is_gone_takes_its_node_lease_and_pods_along() -> None:
    kube = FakeKube()
    run(kube)
    kube.objects["/api/v1/namespaces/default/pods/train"] = pod("train", node=NAME)
    lease = f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{NAME}"
    kube.objects[lease] = {"metadata": {"name": NAME}}
    run(kube, [], [kube.objects["/api/v1/namespaces/default/pods/train"]])
    assert not any(NAME in at or "train" in at for at in kube.objects)


def test_a_node_that_somebody_else_made_is_left_alone() -> None:
    kube = FakeKube()
    kube.objects["/api/v1/nodes/other"] = {
        "metadata": {"name": "other", "annotations": {}},
        "spec": {},
        "status": {},
    }
    run(kube, [])
    assert "/api/v1/nodes/other" in kube.objects


def test_a_new_machine_under_an_old_name_replaces_the_node() -> None:
    kube = FakeKube()
    run(kube)
    fresh = replace(MACHINE, provider_id="aws:///us-west-2a/i-9999")
    run(kube, [fresh])
    run(kube, [fresh])
    assert kube.objects[AT]["spec"]["providerID"].endswith("i-9999")


def test_a_change_of_the_groups_labels_and_taints_reaches_its_nodes_and_spares_those_of_others() -> None:
    kube = FakeKube()
    run(kube)
    there = kube.objects[AT]
    there["metadata"]["labels"]["team"] = "vision"
    there["spec"]["taints"].append({"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"})
    run(
        kube, [replace(MACHINE, labels={**template().labels, "new": "yes"}, taints=[Taint("x", "NoExecute")])]
    )
    there = kube.objects[AT]
    assert there["metadata"]["labels"]["new"] == "yes"
    assert there["metadata"]["labels"]["team"] == "vision"
    assert "ai-platform/pool" not in there["metadata"]["labels"]
    assert [taint["key"] for taint in there["spec"]["taints"]] == ["x", "node.kubernetes.io/not-ready"]
    assert json.loads(there["metadata"]["annotations"][APPLIED])["labels"]["new"] == "yes"


def test_a_node_that_is_as_it_should_be_costs_no_request() -> None:
    kube = FakeKube()
    run(kube)
    run(kube, pods=[aws_node()])
    before = len(kube.requests)
    run(kube, pods=[aws_node()])
    assert len(kube.requests) == before
