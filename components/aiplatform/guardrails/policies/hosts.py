"""What Pods may use of their node: nothing, but for what is listed for namespaces with a network fabric."""

from typing import Final

from aiplatform.guardrails.args import GuardrailsSettings
from aiplatform.guardrails.policies.policy import (
    POD,
    POD_VARIABLES,
    WORKLOADS,
    Policy,
    Rule,
    Validation,
    literal,
    namespace_conditions,
    spec_changes,
    strings,
)

DEVICES: Final = "devices.gke.io/"
"""Beginning of the annotations that GKE's device injector reads. It adds any device of the node, also to
containers without privileges; a disk is enough to control the node."""

_ALWAYS: Final = ("NET_BIND_SERVICE",)
"""Capabilities that the Pod Security level `restricted` allows."""

_ANNOTATIONS: Final = "object.metadata.?annotations.orValue({})"
_DEVICES_CHANGE: Final = (
    f"{_ANNOTATIONS}.exists(key, key.startsWith({literal(DEVICES)}) && {_ANNOTATIONS}[key] "
    "!= oldObject.metadata.?annotations[?key].orValue(''))"
)
"""An annotation of devices is evaluated when it is changed, too: the kubelet reads it whenever it starts the
Pod's containers."""


def policy(settings: GuardrailsSettings) -> Policy:
    """Return the policy."""
    fabrics = settings.fabric_namespaces
    names = sorted(fabrics)
    paths = {name: fabrics[name].host_paths for name in names if fabrics[name].host_paths}
    readable = {
        name: fabrics[name].read_only_host_paths for name in names if fabrics[name].read_only_host_paths
    }
    # The lines of an annotation. Other forms of YAML are refused, so that nothing has to parse it.
    devices = {
        name: ["", *(f"- path: {path}" for path in fabrics[name].devices)]
        for name in names
        if fabrics[name].devices
    }
    capabilities = {name: [*_ALWAYS, *fabrics[name].capabilities] for name in names}
    container = "variables.containers.all(containers, containers.all(container, {condition}))"
    return Policy(
        "host-access",
        (POD, Rule("", ("pods", "pods/ephemeralcontainers"), ("UPDATE",)), *WORKLOADS),
        (
            Validation(
                "variables.pods.all(pod, pod.?volumes.orValue([]).all(volume, !has(volume.hostPath) "
                "|| volume.hostPath.path in variables.paths || volume.hostPath.path in variables.readable))",
                "ai-platform: volumes: hostPath is a folder of the node; expected another kind of volume, or "
                "a path that the platform lists for this namespace",
            ),
            Validation(
                "variables.pods.all(pod, pod.?volumes.orValue([]).all(volume, !has(volume.hostPath) "
                "|| volume.hostPath.path in variables.paths || "
                "(dyn(pod.?containers.orValue([])) + pod.?initContainers.orValue([]) "
                "+ pod.?ephemeralContainers.orValue([])).all(container, "
                "container.?volumeMounts.orValue([]).all(mount, "
                "mount.name != volume.name || mount.?readOnly.orValue(false)))))",
                "ai-platform: volumeMounts: the path of the node is for reading; expected readOnly: true",
            ),
            Validation(
                f"request.kind.kind != 'Pod' || {_ANNOTATIONS}.all(key, !key.startsWith({literal(DEVICES)}) "
                f"|| {_ANNOTATIONS}[key].split('\\n').all(line, line.trim() in variables.devices))",
                f"ai-platform: metadata.annotations: {DEVICES} adds devices of the node; expected lines "
                "`- path: DEVICE` with devices that the platform lists for this namespace",
            ),
            Validation(
                container.format(
                    condition="container.?securityContext.?capabilities.?add.orValue([])"
                    ".all(name, name in variables.capabilities)"
                ),
                "ai-platform: securityContext.capabilities.add: not allowed here; expected capabilities that "
                "the platform lists for this namespace",
            ),
            Validation(
                f"request.namespace in {strings([n for n in names if fabrics[n].privileged])} || "
                + container.format(
                    condition="!container.?securityContext.?privileged.orValue(false) "
                    "&& container.?securityContext.?procMount.orValue('Default') == 'Default'"
                ),
                "ai-platform: securityContext: a privileged container controls its node; expected privileged "
                "to be false and procMount to be Default",
            ),
            Validation(
                f"request.namespace in {strings([n for n in names if fabrics[n].host_network])} || "
                "(variables.pods.all(pod, !pod.?hostNetwork.orValue(false)) && "
                + container.format(
                    condition="container.?ports.orValue([]).all(port, port.?hostPort.orValue(0) == 0)"
                )
                + ")",
                "ai-platform: hostNetwork and hostPort use the network of the node; expected neither",
            ),
            Validation(
                "variables.pods.all(pod, !pod.?hostPID.orValue(false) && !pod.?hostIPC.orValue(false))",
                "ai-platform: hostPID and hostIPC show the node's processes; expected neither",
            ),
        ),
        {
            **POD_VARIABLES,
            "paths": f"dyn({literal(paths)})[?request.namespace].orValue([])",
            "readable": f"dyn({literal(readable)})[?request.namespace].orValue([])",
            "devices": f"dyn({literal(devices)})[?request.namespace].orValue(dyn(['']))",
            "capabilities": f"dyn({literal(capabilities)})[?request.namespace].orValue({literal(_ALWAYS)})",
        },
        {
            "spec-changes": f"{spec_changes(settings)['spec-changes']} || {_DEVICES_CHANGE}",
            **namespace_conditions(settings),
        },
    )
