"""What Pods may use of their node: nothing, but for what is listed for namespaces with a network fabric."""

import re
from typing import Final

from aiplatform._shared.kubernetes.node_labels import COMPUTE_CLASS, POOL
from aiplatform.accelerators.cards import NVIDIA
from aiplatform.addons.values.setup import TOLERATIONS
from aiplatform.guardrails.args import GuardrailsSettings
from aiplatform.guardrails.policies import baseline
from aiplatform.guardrails.policies.policy import (
    CLAIMS,
    CONTAINERS_OF_POD,
    POD,
    POD_VARIABLES,
    REQUESTS_ACCELERATOR,
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

_GPU: Final = re.compile(r"/dev/nvidia\d+")
_ANNOTATIONS: Final = "object.metadata.?annotations.orValue({})"
_WITH_DEVICES: Final = (
    f"request.kind.kind == 'Pod' && {_ANNOTATIONS}.exists(key, key.startsWith({literal(DEVICES)}))"
)
_USES_NODE: Final = (
    f"pod.?volumes.orValue([]).exists(volume, has(volume.hostPath)) || pod.?hostNetwork.orValue(false) "
    f"|| ({_WITH_DEVICES}) || {CONTAINERS_OF_POD}.exists(container, "
    "container.?securityContext.?privileged.orValue(false) "
    "|| container.?securityContext.?capabilities.?add.orValue([])"
    f".exists(name, !(name in {literal(_ALWAYS)})))"
)
"""The expression by which `pod` uses what only namespaces with a network fabric may."""
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
    gpus = {name: sum(bool(_GPU.fullmatch(path)) for path in fabrics[name].devices) for name in devices}
    pools = {name: fabrics[name].pools for name in names if fabrics[name].pools}
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
            *baseline.validations(settings),
            # Last: the API server reports the first error, and for these a namespace has to list something.
            *_DEVICES,
            *_pools(settings),
        ),
        {
            **POD_VARIABLES,
            "paths": f"dyn({literal(paths)})[?request.namespace].orValue([])",
            "readable": f"dyn({literal(readable)})[?request.namespace].orValue([])",
            "devices": f"dyn({literal(devices)})[?request.namespace].orValue(dyn(['']))",
            "gpus": f"dyn({literal(gpus)})[?request.namespace].orValue(0)",
            "pools": f"dyn({literal(pools)})[?request.namespace].orValue([])",
            "on_node": (
                f"size(variables.pools) == 0 ? dyn([]) : dyn(variables.pods.filter(pod, {_USES_NODE}))"
            ),
            "capabilities": f"dyn({literal(capabilities)})[?request.namespace].orValue({literal(_ALWAYS)})",
        },
        {
            "spec-changes": f"{spec_changes(settings)['spec-changes']} || {_DEVICES_CHANGE}",
            **namespace_conditions(settings),
        },
    )


_DEVICES: Final = (
    Validation(
        f"!({_WITH_DEVICES}) || {_ANNOTATIONS}.all(key, !key.startsWith({literal(DEVICES)}) "
        "|| dyn(object.spec).?initContainers.orValue([]).exists(container, "
        f"container.?restartPolicy.orValue('') == 'Always' "
        f"&& key == {literal(f'{DEVICES}container.')} + container.name))",
        f"ai-platform: metadata.annotations: {DEVICES} is for the sidecar of a network; expected the name of "
        "an init container with restartPolicy Always",
    ),
    # Otherwise a Pod would use accelerators that no quota counts, and those of other Pods on the node.
    Validation(
        f"!({_WITH_DEVICES}) || variables.gpus == 0 || "
        "dyn(object.spec).containers.map(container, "
        f"int(container.?resources.?limits[?{literal(NVIDIA)}].orValue('0'))).sum() == variables.gpus",
        f"ai-platform: metadata.annotations: {DEVICES} adds all GPUs of a node; expected limits of the "
        f"containers that request all of them ({NVIDIA})",
    ),
)


def _pools(settings: GuardrailsSettings) -> tuple[Validation, ...]:
    """Return where a Pod may use its node: a toleration, or the name of a node, would take it to the nodes
    of the cluster's controllers."""
    taints = sorted(toleration["key"] for toleration in TOLERATIONS)
    accelerated = f"{CONTAINERS_OF_POD}.exists(container, {REQUESTS_ACCELERATOR})"
    if settings.device_claims:
        accelerated += f" || {CLAIMS}"
    selected = " || ".join(
        f"pod.?nodeSelector[?{literal(label)}].orValue('') in variables.pools"
        for label in (POOL, COMPUTE_CLASS)
    )
    return (
        Validation(
            f"variables.on_node.all(pod, {selected})",
            f"ai-platform: nodeSelector: the Pod uses its node; expected {POOL} or {COMPUTE_CLASS} with a "
            "pool that the platform lists for this namespace",
        ),
        # A Pod that exists has the name of its node.
        Validation(
            "(request.kind.kind == 'Pod' && request.operation == 'UPDATE') "
            "|| variables.on_node.all(pod, pod.?nodeName.orValue('') == '')",
            "ai-platform: nodeName: the Pod uses its node; expected none, so that the scheduler chooses one",
        ),
        Validation(
            "variables.on_node.all(pod, !pod.?tolerations.orValue([]).exists(toleration, "
            "(toleration.?key.orValue('') == '' && toleration.?effect.orValue('') != 'NoExecute') "
            f"|| toleration.?key.orValue('') in {literal(taints)}))",
            "ai-platform: tolerations: the Pod uses its node; expected no toleration of the taints of system "
            "nodes, or of every taint",
        ),
        Validation(
            f"variables.on_node.all(pod, {accelerated})",
            "ai-platform: the Pod uses its node; expected a request of the accelerators for whose network "
            "the platform lists the namespace",
        ),
    )
