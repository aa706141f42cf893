"""What the Pod Security level `baseline` refuses, for namespaces of the level `privileged`.

A namespace with a network fabric has that level, as others admit no folders of the node. Paths, capabilities,
ports and the namespaces of the node are in hosts.py; the rest of `baseline` is here ("Pod Security
Standards").
"""

from typing import Final

from aiplatform.guardrails.args import GuardrailsSettings
from aiplatform.guardrails.policies.policy import CONTAINERS_OF_POD, Validation, literal

_APPARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"
_SELINUX_TYPES: Final = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
_SYSCTLS: Final = (
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
)
_OF_CONTEXT: Final = (
    "{context}.?seccompProfile.?type.orValue('') != 'Unconfined' "
    "&& {context}.?appArmorProfile.?type.orValue('') != 'Unconfined' "
    "&& !{context}.?windowsOptions.?hostProcess.orValue(false) "
    f"&& {{context}}.?seLinuxOptions.?type.orValue('') in {literal(_SELINUX_TYPES)} "
    "&& {context}.?seLinuxOptions.?user.orValue('') == '' "
    "&& {context}.?seLinuxOptions.?role.orValue('') == ''"
)
_HANDLERS: Final = (
    "[?dyn(container).?livenessProbe, ?dyn(container).?readinessProbe, ?dyn(container).?startupProbe, "
    "?dyn(container).?lifecycle.?postStart, ?dyn(container).?lifecycle.?preStop]"
)


def validations(settings: GuardrailsSettings) -> tuple[Validation, ...]:
    """Return what is refused in namespaces with a network fabric; nothing where containers may be privileged,
    which gives them the node anyway."""
    names = sorted(name for name, fabric in settings.fabric_namespaces.items() if not fabric.privileged)
    if not names:
        return ()
    elsewhere = f"!(request.namespace in {literal(names)})"
    in_pod = _OF_CONTEXT.format(context="pod.?securityContext")
    in_container = _OF_CONTEXT.format(context="container.?securityContext")
    hosts = " && ".join(f"handler.?{kind}.?host.orValue('') == ''" for kind in ("httpGet", "tcpSocket"))
    annotations = "object.metadata.?annotations.orValue({})"
    return (
        Validation(
            f"{elsewhere} || variables.pods.all(pod, {in_pod} "
            f"&& {CONTAINERS_OF_POD}.all(container, {in_container}))",
            "ai-platform: securityContext: Unconfined, a type of SELinux or hostProcess takes the limits of "
            "the runtime away; expected what the Pod Security level baseline allows",
        ),
        Validation(
            f"{elsewhere} || request.kind.kind != 'Pod' || {annotations}.all(key, "
            f"!key.startsWith({literal(_APPARMOR)}) || {annotations}[key] == 'runtime/default' "
            f"|| {annotations}[key].startsWith('localhost/'))",
            f"ai-platform: metadata.annotations: {_APPARMOR} takes the limits of the runtime away; expected "
            "runtime/default",
        ),
        Validation(
            f"{elsewhere} || variables.pods.all(pod, pod.?securityContext.?sysctls.orValue([])"
            f".all(sysctl, sysctl.name in {literal(_SYSCTLS)}))",
            "ai-platform: securityContext.sysctls: not safe for other Pods on the node; expected those that "
            "the Pod Security level baseline allows",
        ),
        Validation(
            f"{elsewhere} || variables.pods.all(pod, {CONTAINERS_OF_POD}.all(container, "
            f"{_HANDLERS}.all(handler, {hosts})))",
            "ai-platform: probes and lifecycle: the kubelet would connect to another host; expected no host",
        ),
    )
