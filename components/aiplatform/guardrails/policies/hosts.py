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

_ALWAYS: Final = ("NET_BIND_SERVICE",)
"""Capabilities that the Pod Security level `restricted` allows."""


def policy(settings: GuardrailsSettings) -> Policy:
    """Return the policy."""
    fabrics = settings.fabric_namespaces
    names = sorted(fabrics)
    paths = {name: fabrics[name].host_paths for name in names if fabrics[name].host_paths}
    capabilities = {name: [*_ALWAYS, *fabrics[name].capabilities] for name in names}
    container = "variables.containers.all(containers, containers.all(container, {condition}))"
    return Policy(
        "host-access",
        (POD, Rule("", ("pods", "pods/ephemeralcontainers"), ("UPDATE",)), *WORKLOADS),
        (
            Validation(
                "variables.pods.all(pod, pod.?volumes.orValue([]).all(volume, !has(volume.hostPath) "
                "|| volume.hostPath.path in variables.paths))",
                "ai-platform: volumes: hostPath is a folder of the node; expected another kind of volume, or "
                "a path that the platform lists for this namespace",
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
            "capabilities": f"dyn({literal(capabilities)})[?request.namespace].orValue({literal(_ALWAYS)})",
        },
        {**spec_changes(settings), **namespace_conditions(settings)},
    )
