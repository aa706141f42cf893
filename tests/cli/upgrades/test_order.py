"""The steps, in their order, with the values that they change and what blocks them."""

from __future__ import annotations

from typing import Any

import pytest

from cli.upgrades.facts import Addon, Facts
from cli.upgrades.items import Item
from cli.upgrades.order import Step, steps
from tests.cli.upgrades.samples import GROUPS, chart, control, document, nodes, plan, stated

FILE = "environments/Pulumi.aws-dev.yaml"


def changes(step: Step) -> dict[str, str]:
    assert all(change.file == FILE for change in step.changes)
    return {change.key: change.value for change in step.changes}


def titled(result: list[Step], title: str) -> Step:
    (step,) = [step for step in result if step.title.startswith(title)]
    return step


def test_order_is_charts_releases_control_plane_nodes_accelerators() -> None:
    behind = [
        Item("provider", "pulumi-aws", "7.30.0", "7.31.0", "behind"),
        Item("chart", "kueue", "1.0.0", "1.1.0", "behind"),
    ]
    result = steps(plan(items=behind, document=document(charts=[chart("kueue", "1.33-1.36")])))
    assert [step.runbook for step in result] == [
        "Providers and Pulumi",
        "Add-ons and charts",
        "Nodes",
        "Control plane",
        "Nodes",
        "Pools with accelerators",
    ]
    assert not any(step.blocked for step in result)


def test_control_plane_and_nodes_have_their_values() -> None:
    first, cluster, cpu, gpu = steps(plan())
    assert changes(first) == {"ai-platform:gpu_pools.t4.image_version": "1.35.8-20260930"}
    assert changes(cluster) == {"ai-platform:cluster.version": '"1.36"'}
    assert changes(cpu) == {"ai-platform:node_images.al2023": "1.36.4-20260930"}, "one value for both"
    assert changes(gpu) == {"ai-platform:gpu_pools.t4.image_version": "1.36.4-20260930"}
    assert "aiplatform drain aws-dev t4" in gpu.commands[0]


def test_newest_control_plane_leaves_releases_alone() -> None:
    known = Facts(control("1.36"), [nodes("system", version="1.36"), nodes("t4", "1.35.8-20260815")])
    cpu = steps(plan(known))
    assert [step.title for step in cpu] == ["Pool t4 with accelerators, drained"], "the others are current"


def test_one_minor_version_at_a_time() -> None:
    known = Facts(control("1.34"), [])
    step = titled(steps(plan(known, document=document(version="1.34"))), "Control plane")
    assert step.title == "Control plane to 1.35"
    assert "run this command again for 1.36" in step.notes[0]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (
            {"document": document(charts=[chart("keda", "1.33-1.35")])},
            "keda 1.0.0 is for Kubernetes 1.33-1.35",
        ),
        ({"document": document(autoscaler=["1.35"])}, "no release for 1.36"),
        ({"removed": ["storage.k8s.io/v1beta1 VolumeAttributesClass, of x, is removed"]}, "is removed"),
        ({"known": Facts(control(), GROUPS, findings=["EKS' insight 'Deprecated APIs'"])}, "Deprecated APIs"),
        ({"known": Facts(control(), [nodes("old", version="1.32")])}, "at most 3 minor versions behind 1.36"),
        (
            {
                "known": Facts(control(), GROUPS, [Addon("coredns", "v1-eksbuild.1", "", "")]),
                "document": document(addons={"coredns": "v1-eksbuild.1"}),
            },
            "no version of the add-on coredns for 1.36",
        ),
    ],
)
def test_control_plane_is_blocked_with_the_reason(options: dict[str, Any], reason: str) -> None:
    step = titled(steps(plan(**options)), "Control plane")
    assert len(step.blocked) == 1
    assert reason in step.blocked[0]


def test_chart_that_lacks_the_next_version_has_a_step_before_the_control_plane() -> None:
    result = steps(plan(document=document(charts=[chart("keda", "1.33-1.35")])))
    (change,) = result[0].changes
    assert (change.file, change.key) == ("components/aiplatform/addons/catalog.toml", "keda.version")
    assert "1.35 and 1.36" in change.value
    assert titled(result, "Control plane").blocked


def test_chart_in_a_version_of_the_file_is_changed_there() -> None:
    stated_chart = chart("kueue", version="0.9.0")
    behind = [Item("chart", "kueue", "0.9.0", "1.0.0", "behind")]
    result = steps(plan(Facts(control("1.36"), []), items=behind, document=document(charts=[stated_chart])))
    assert changes(result[0]) == {"ai-platform:addons.options.kueue.version": "1.0.0"}


def test_pinned_addon_moves_to_a_version_for_both_before_the_control_plane() -> None:
    both = Addon("coredns", "v1.12.0-eksbuild.1", "", "", ["v1.13.2-eksbuild.4"], ["v1.14.0-eksbuild.1"])
    pinned = document(addons={"coredns": both.version})
    result = steps(plan(Facts(control(), GROUPS, [both]), document=pinned))
    assert changes(result[0]) == {"ai-platform:cluster.eks.addons.coredns.version": "v1.13.2-eksbuild.4"}


def test_pinned_addon_without_a_common_version_moves_with_the_control_plane() -> None:
    apart = Addon("kube-proxy", "v1.35.0-eksbuild.1", "", "", [], ["v1.36.0-eksbuild.1"])
    pinned = document(addons={"kube-proxy": apart.version})
    step = titled(steps(plan(Facts(control(), GROUPS, [apart]), document=pinned)), "Control plane")
    assert changes(step)["ai-platform:cluster.eks.addons.kube-proxy.version"] == "v1.36.0-eksbuild.1"
    assert not step.blocked


def test_bottlerocket_is_raised_with_the_control_plane() -> None:
    pool = stated("t4", "gpu_pools.t4.image_version", image="bottlerocket", accelerators=True)
    group = nodes("t4", "1.60.0-6f4c2b1e", newest_next="1.64.0-6f4c2b1e")
    result = steps(plan(Facts(control(), [group]), document=document(nodes=[pool])))
    step = titled(result, "Control plane")
    assert changes(step)["ai-platform:gpu_pools.t4.image_version"] == "1.64.0-6f4c2b1e"
    assert len(result) == 1, "its nodes are replaced in this step"


def test_nodes_without_a_stated_release_follow() -> None:
    free = document(nodes=[stated("general", release="")])
    step = titled(steps(plan(Facts(control(), [nodes("general")]), document=free)), "System nodes")
    assert not step.changes
    assert "general, which follow the control plane" in step.notes[0]


def test_budget_that_allows_no_disruption_blocks_nodes_and_not_the_control_plane() -> None:
    result = steps(plan(budgets=["PodDisruptionBudget team/server: maxUnavailable is 0"]))
    assert [bool(step.blocked) for step in result] == [False, False, True, True]


def test_cluster_that_does_not_exist_is_not_drained() -> None:
    result = steps(plan(Facts(control(exists=False), [nodes("t4"), nodes("general")])))
    assert [step.runbook for step in result] == ["Control plane", "Nodes"]
