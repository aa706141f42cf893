"""Containers keep the isolation of their runtime."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..framework import Entry, Option, Options, Outcome, Policy, Resource, Violation, check_each
from ..framework.pod_search import Context
from ..framework.pods import AGENT_NAMESPACES, WORKLOADS, annotations_of, check_contexts, is_agent

POLICY = Policy(
    title="Containers are confined",
    severity="high",
    description="A runtime hides parts of /proc and confines containers by AppArmor or SELinux, and a "
    "kernel setting that is not isolated changes the node for all its pods. The baseline of the Pod "
    "Security Standards forbids what this policy reports. A missing setting means the default of the "
    "runtime, which is confined.",
    remediation="Remove `procMount: Unmasked`, the sysctls that are not safe and the profile `Unconfined`, "
    "and set the kernel parameters of nodes in their node pool.",
    frameworks=("CIS Kubernetes 5.2.1", "CIS Kubernetes 5.7.3", "NIST 800-53 SC-39", "SOC 2 CC6.1"),
    options={
        "agent_namespaces": AGENT_NAMESPACES,
        "sysctls": Option(
            {"type": "array", "items": {"type": "string"}},
            # https://kubernetes.io/docs/concepts/security/pod-security-standards, Baseline
            [
                "kernel.shm_rmid_forced",
                "net.ipv4.ip_local_port_range",
                "net.ipv4.ip_local_reserved_ports",
                "net.ipv4.ip_unprivileged_port_start",
                "net.ipv4.ping_group_range",
                "net.ipv4.tcp_fin_timeout",
                "net.ipv4.tcp_keepalive_intvl",
                "net.ipv4.tcp_keepalive_probes",
                "net.ipv4.tcp_keepalive_time",
                "net.ipv4.tcp_rmem",
                "net.ipv4.tcp_syncookies",
                "net.ipv4.tcp_wmem",
            ],
            "The kernel parameters that a pod may set.",
        ),
    },
)

_APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
# Types of SELinux that the baseline of the Pod Security Standards allows.
_SELINUX_TYPES = (None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")


@POLICY.on(*WORKLOADS)
def rule(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Contexts and annotations that lift the isolation."""
    namespaces = options["agent_namespaces"]
    yield from check_contexts(resource, _check, options["sysctls"], agent_namespaces=namespaces)
    if not is_agent(resource, namespaces):
        yield from check_each(annotations_of(resource), _check_annotation)


def _check(context: Context, sysctls: Collection[str]) -> Iterator[Outcome]:
    yield from check_each(_CHECKS, _check_value, context)
    yield from check_each(context.entries("sysctls"), _check_sysctl, sysctls)
    kind = context.known("seLinuxOptions.type")
    if kind not in _SELINUX_TYPES:
        yield Violation(
            context.where("seLinuxOptions.type"), f"is {kind!r}, a type of SELinux that confines less"
        )


_CHECKS = {
    "procMount": ("Unmasked", "shows all of /proc of the node, which the runtime hides"),
    "appArmorProfile.type": ("Unconfined", "runs without a profile of AppArmor"),
}


def _check_value(path: str, context: Context) -> Iterator[Outcome]:
    value, effect = _CHECKS[path]
    if context.known(path) == value:
        yield Violation(context.where(path), f"is {value!r}: {context.name!r} {effect}")


def _check_sysctl(sysctl: Entry, sysctls: Collection[str]) -> Iterator[Outcome]:
    name = sysctl.known("name")
    # A slash separates the parts of a name as a dot does.
    if isinstance(name, str) and name.replace("/", ".") not in sysctls:
        yield Violation(sysctl.where("name"), f"sets {name!r}, which is not isolated between pods or unsafe")


def _check_annotation(annotation: Entry) -> Iterator[Outcome]:
    name = annotation.path.rpartition("[")[2].removesuffix("]")
    if name.startswith(_APP_ARMOR) and annotation.known() == "unconfined":
        container = name.removeprefix(_APP_ARMOR)
        yield Violation(annotation.path, f"{container!r} runs without a profile of AppArmor")
