"""NVIDIA's GPU operator on EKS: device plugin and labels of GPU features. Driver and container toolkit are
those of EKS's images; metrics come from the add-on dcgm-exporter, so that a node has one DCGM engine."""

from typing import Any, Final

from aiplatform._shared.images import images
from aiplatform._shared.kubernetes.node_labels import GPU_PRESENT
from aiplatform.addons.values.setup import PRIORITY_CLASS, Setup, requests, scheduling
from aiplatform.device_plugins.args import DEFAULT_CONFIG, nvidia_configurations

_CONFIGS: Final = "device-plugin-configs"
_PLUGIN: Final = "nvidia-device-plugin"
_OPERATOR: Final = "gpu-operator"
_OFF: Final = ("driver", "toolkit", "dcgm", "dcgmExporter", "migManager", "ccManager", "nodeStatusExporter")
_EVERYWHERE: Final = ({"operator": "Exists"},)


def values(setup: Setup) -> dict[str, Any]:
    """Return the values of the chart. Bottlerocket's image makes partitions (MIG): on its nodes, and on those
    whose GPUs are claimed, a label keeps the operator from installing anything."""
    return {
        **{part: {"enabled": False} for part in _OFF},
        "operator": {
            **_image(setup, _OPERATOR),
            "priorityClassName": PRIORITY_CLASS,
            "resources": requests("100m", "350Mi"),
            **scheduling(),
        },
        "daemonsets": {"tolerations": [dict(toleration) for toleration in _EVERYWHERE]},
        # Without the toolkit of the operator the hooks that its specifications name are on no node.
        "cdi": {"enabled": False},
        "mig": {"strategy": "none"},
        "validator": {
            **_image(setup, _OPERATOR),
            # With an empty list the chart renders a policy that the API server refuses.
            "plugin": {"env": [{"name": "WITH_WORKLOAD", "value": "false"}]},
        },
        "devicePlugin": {
            **_image(setup, _PLUGIN),
            # Where the module nvidia_fs is loaded the plugin would look for Mellanox devices; EFA has another
            # plugin.
            "env": [{"name": "MOFED_ENABLED", "value": "false"}],
            "config": {
                "create": True,
                "name": _CONFIGS,
                "default": DEFAULT_CONFIG,
                "data": dict(nvidia_configurations()),
            },
        },
        "gfd": _image(setup, _PLUGIN),
        "node-feature-discovery": {
            "image": setup.image("node-feature-discovery"),
            "master": {"resources": requests("50m", "128Mi"), **scheduling()},
            "gc": {"resources": requests("10m", "128Mi"), **scheduling()},
            "worker": {
                "resources": requests("10m", "64Mi"),
                "nodeSelector": {GPU_PRESENT: "true"},
                "tolerations": [dict(toleration) for toleration in _EVERYWHERE],
            },
        },
    }


def _image(setup: Setup, name: str) -> dict[str, str]:
    """Return an image in the three parts that the chart takes."""
    repository, _, image = setup.repository(name).rpartition("/")
    return {"repository": repository, "image": image, "version": images()[name].version.removeprefix(":")}
