"""Device software: one DCGM engine and one device plugin on each node, and claims that Kueue counts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aiplatform._shared.kubernetes import node_labels
from aiplatform.addons.values import dcgm_exporter, dra_driver_nvidia_gpu, gpu_operator, kueue
from aiplatform.addons.values.setup import Setup
from aiplatform.cluster.aws.addons import _CONFIGURATION  # pyright: ignore[reportPrivateUsage]
from aiplatform.device_plugins.args import nvidia_configurations
from tests.components.aiplatform.addons import chart_facts

EXPORTER = "dcgm-exporter-4.8.2"
AGENT = "eks-node-monitoring-agent"


def engines() -> list[str]:
    """Return what starts a DCGM engine on a node with GPUs, with all device software installed."""
    result: list[str] = []
    agent: Any = _CONFIGURATION[AGENT]["dcgmAgent"]
    # Its chart runs nv-hostengine unless this is false (from 1.7.1), on nodes whose taints it tolerates.
    if agent.get("enabled", True) and {"operator": "Exists"} in agent["tolerations"]:
        result.append(AGENT)
    if "-r" not in dcgm_exporter.values(Setup())["arguments"]:
        result.append("dcgm-exporter")
    operator = gpu_operator.values(Setup())
    return result + [part for part in ("dcgm", "dcgmExporter") if operator[part]["enabled"]]


def test_a_node_has_one_dcgm_engine() -> None:
    assert engines() == [AGENT], "next to a second one the agent reports failed hardware"


def test_the_exporter_is_a_client_of_the_engine_on_its_node() -> None:
    values = dcgm_exporter.values(Setup())
    arguments = values["arguments"]
    assert arguments[arguments.index("-r") + 1] == "$(NODE_IP):5555"
    (variable,) = values["extraEnv"]
    assert variable["name"] == "NODE_IP"
    assert variable["valueFrom"]["fieldRef"]["fieldPath"] == "status.hostIP"
    assert values["securityContext"]["capabilities"] == {"add": [], "drop": ["ALL"]}, "the engine profiles"


def test_the_exporter_on_gke_starts_an_engine_with_the_driver_of_the_node() -> None:
    values = dcgm_exporter.values(Setup(cloud="gcp"))
    assert "-r" not in values["arguments"], "no engine listens on a node of GKE"
    assert values["extraHostVolumes"] == [{"name": "nvidia", "hostPath": "/home/kubernetes/bin/nvidia"}]
    mounts = {mount["name"]: mount["mountPath"] for mount in values["extraVolumeMounts"]}
    assert values["extraEnv"] == [{"name": "LD_LIBRARY_PATH", "value": f"{mounts['nvidia']}/lib64"}]
    assert mounts["exporter-metrics-volume"] == values["arguments"][1], "the list replaces the chart's own"
    context = values["securityContext"]
    assert context["privileged"] is True, "others get devices only with a request for GPUs"
    assert context["allowPrivilegeEscalation"] is True, "Kubernetes refuses false next to privileged"
    assert values["nodeSelector"] == {"cloud.google.com/gke-gpu": "true"}


def test_the_counters_have_errors_of_memory_and_throttling() -> None:
    fields = [field for field, _, _ in dcgm_exporter.COUNTERS]
    assert len(set(fields)) == len(fields)
    assert {kind for _, kind, _ in dcgm_exporter.COUNTERS} == {"gauge", "counter"}
    for part in ("ECC_DBE_VOL", "THERMAL_VIOLATION", "POWER_VIOLATION", "ROW_REMAP_FAILURE", "XID_ERRORS"):
        assert any(part in field for field in fields), part
    lines = dcgm_exporter.values(Setup())["customMetrics"].splitlines()
    assert all(line.count(",") == 2 for line in lines), "the exporter reads three columns"


def test_the_exporter_knows_every_counter() -> None:
    known = (chart_facts.folder("dcgm-exporter", EXPORTER) / "values.yaml").read_text()
    assert [field for field, _, _ in dcgm_exporter.COUNTERS if f"{field}," not in known] == []


def test_the_operator_leaves_driver_and_toolkit_to_the_image() -> None:
    values = gpu_operator.values(Setup())
    for part in ("driver", "toolkit", "migManager"):
        assert values[part] == {"enabled": False}
    assert values["cdi"] == {"enabled": False}, "the hooks of its specifications come with the toolkit"
    assert values["validator"]["plugin"]["env"], "of an empty list the chart makes an invalid policy"


def test_the_operators_plugin_shares_gpus_as_the_platforms_does() -> None:
    plugin = gpu_operator.values(Setup())["devicePlugin"]
    assert plugin["config"]["data"] == nvidia_configurations()
    assert {"name": "MOFED_ENABLED", "value": "false"} in plugin["env"], "EFA has another plugin"


def test_the_driver_runs_on_nodes_without_a_device_plugin_only() -> None:
    values = dra_driver_nvidia_gpu.values(Setup())
    assert values["kubeletPlugin"]["nodeSelector"] == {node_labels.DEVICE_ALLOCATION: node_labels.DRA}
    assert values["nvidiaDriverRoot"] == "/", "with another folder the driver does not start on EKS"
    assert values["resources"] == {"gpus": {"enabled": True}, "computeDomains": {"enabled": False}}


@pytest.mark.parametrize("claims", [False, True])
def test_kueue_counts_claims_of_the_platforms_class_where_there_are_claims(claims: bool) -> None:
    text = kueue.values(Setup(device_claims=claims))["managerConfig"]["controllerManagerConfigYaml"]
    mappings = json.loads(text)["resources"].get("deviceClassMappings")
    expected = [{"name": "ai-platform/claimed-gpu", "deviceClassNames": ["ai-platform-gpu"]}]
    assert mappings == (expected if claims else None)
    assert dcgm_exporter.values(Setup(device_claims=claims))["kubernetesDRA"] == {"enabled": claims}
