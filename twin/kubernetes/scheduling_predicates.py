"""Would this Pod run on a machine of that shape? What the autoscaler simulates before it asks for one.

The rules are the scheduler's: resource requests (init containers, sidecars and overhead included), node
selector and required node affinity, taints and tolerations, required anti-affinity over the hostname. The
zones of volumes, preferred rules and topology spread are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from twin.kubernetes.cloud_interface import Taint
from twin.kubernetes.quantity import Amounts, add, amounts, milli, most

Pod = Mapping[str, Any]

HOSTNAME: Final = "kubernetes.io/hostname"
BLOCKING: Final = ("NoSchedule", "NoExecute")
SELECTOR_MISMATCH: Final = "node(s) didn't match Pod's node affinity/selector"


@dataclass(frozen=True)
class Shape:
    """A node as the scheduler sees it. allocatable: in thousandths (see `quantity`)."""

    labels: Mapping[str, str]
    taints: Sequence[Taint]
    allocatable: Mapping[str, int]
    name: str = ""
    unschedulable: bool = False


@dataclass
class Bin:
    """A node being filled."""

    shape: Shape
    free: Amounts
    pods: list[Pod] = field(default_factory=list[Pod])

    def place(self, pod: Pod) -> None:
        """Put a Pod there; whether it fits was asked before."""
        add(self.free, {name: -value for name, value in requests(pod).items()})
        self.pods.append(pod)


def requests(pod: Pod) -> Amounts:
    """What a Pod takes of a node, in thousandths, one of `pods` among it."""
    spec = pod.get("spec") or {}
    total: Amounts = {}
    for container in spec.get("containers") or ():
        add(total, _wanted(container))
    # An init container runs only with the sidecars that were started before it (KEP-753).
    sidecars: Amounts = {}
    peak: Amounts = {}
    for container in spec.get("initContainers") or ():
        wanted = _wanted(container)
        if container.get("restartPolicy") == "Always":
            add(sidecars, wanted)
            most(peak, sidecars)
        else:
            most(peak, add(dict(wanted), sidecars))
    most(add(total, sidecars), peak)
    for name, value in amounts((spec.get("resources") or {}).get("requests") or {}).items():
        total[name] = value
    add(total, amounts(spec.get("overhead") or {}))
    total["pods"] = 1000
    return total


def _wanted(container: Mapping[str, Any]) -> Amounts:
    resources = container.get("resources") or {}
    # The API server copies limits to requests where those are absent; templates are seen before it did.
    return amounts({**(resources.get("limits") or {}), **(resources.get("requests") or {})})


def tolerates(tolerations: Iterable[Mapping[str, Any]], taint: Taint) -> bool:
    """Whether one of the tolerations covers the taint."""
    return any(_covers(toleration, taint) for toleration in tolerations)


def _covers(toleration: Mapping[str, Any], taint: Taint) -> bool:
    effect = toleration.get("effect") or ""
    key = toleration.get("key") or ""
    operator = toleration.get("operator") or "Equal"
    if effect and effect != taint.effect:
        return False
    if key and key != taint.key:
        return False
    if operator == "Exists":
        return True
    return bool(key) and (toleration.get("value") or "") == taint.value


def _in(labels: Mapping[str, str], key: str, values: Sequence[str]) -> bool:
    return labels.get(key) in values


def _compared(labels: Mapping[str, str], key: str, values: Sequence[str], sign: int) -> bool:
    try:
        return sign * (int(labels[key]) - int(values[0])) > 0
    except (KeyError, ValueError, IndexError):
        return False


OPERATORS: Final[Mapping[str, Callable[[Mapping[str, str], str, Sequence[str]], bool]]] = {
    "In": _in,
    "NotIn": lambda labels, key, values: not _in(labels, key, values),
    "Exists": lambda labels, key, _: key in labels,
    "DoesNotExist": lambda labels, key, _: key not in labels,
    "Gt": lambda labels, key, values: _compared(labels, key, values, 1),
    "Lt": lambda labels, key, values: _compared(labels, key, values, -1),
}


def expression_holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """One requirement of a node selector term or a label selector; an unknown operator never holds."""
    operator = OPERATORS.get(expression.get("operator", ""))
    return operator is not None and operator(labels, expression["key"], expression.get("values") or ())


def selector_holds(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """A LabelSelector (matchLabels and matchExpressions, all of which must hold)."""
    same = all(labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items())
    return same and all(
        expression_holds(expression, labels) for expression in selector.get("matchExpressions") or ()
    )


def _term_holds(term: Mapping[str, Any], shape: Shape) -> bool:
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not expressions and not fields:
        return False  # an empty term matches nothing
    return all(expression_holds(expression, shape.labels) for expression in expressions) and all(
        expression_holds(expression, {"metadata.name": shape.name}) for expression in fields
    )


def selects(pod: Pod, shape: Shape) -> bool:
    """Whether node selector and required node affinity admit the node."""
    spec = pod.get("spec") or {}
    wanted = spec.get("nodeSelector") or {}
    if any(shape.labels.get(key) != value for key, value in wanted.items()):
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is None:
        return True
    return any(_term_holds(term, shape) for term in required.get("nodeSelectorTerms") or ())


def untolerated(pod: Pod, shape: Shape) -> Taint | None:
    """The first taint that keeps the Pod off the node."""
    tolerations = (pod.get("spec") or {}).get("tolerations") or ()
    for taint in shape.taints:
        if taint.effect in BLOCKING and not tolerates(tolerations, taint):
            return taint
    return None


def misfits(pod: Pod, shape: Shape, free: Mapping[str, int] | None = None) -> list[str]:
    """Why the Pod does not fit, in the scheduler's words; empty where it fits.

    free: what is left of the node, in thousandths; all of it when left out.
    """
    if shape.unschedulable and not tolerates(
        (pod.get("spec") or {}).get("tolerations") or (),
        Taint("node.kubernetes.io/unschedulable", "NoSchedule"),
    ):
        return ["node(s) were unschedulable"]
    taint = untolerated(pod, shape)
    if taint:
        return [f"node(s) had untolerated taint {{{taint.key}: {taint.value}}}"]
    if not selects(pod, shape):
        return [SELECTOR_MISMATCH]
    left = shape.allocatable if free is None else free
    return [
        "Too many pods" if name == "pods" else f"Insufficient {name}"
        for name, value in sorted(requests(pod).items())
        if value > 0 and value > left.get(name, 0)
    ]


def repels(pod: Pod, others: Iterable[Pod]) -> bool:
    """Whether required anti-affinity over the hostname, of either side, keeps the Pod away from these."""
    return any(_avoids(pod, other) or _avoids(other, pod) for other in others)


def _avoids(pod: Pod, other: Pod) -> bool:
    affinity = ((pod.get("spec") or {}).get("affinity") or {}).get("podAntiAffinity") or {}
    for term in affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or ():
        if term.get("topologyKey") != HOSTNAME or "labelSelector" not in term:
            continue
        spaces = term.get("namespaces") or [_meta(pod).get("namespace", "default")]
        if _meta(other).get("namespace", "default") not in spaces and "namespaceSelector" not in term:
            continue
        if selector_holds(term["labelSelector"] or {}, _meta(other).get("labels") or {}):
            return True
    return False


def _meta(pod: Pod) -> Mapping[str, Any]:
    return pod.get("metadata") or {}


def opened(shape: Shape, overhead: Iterable[Pod] = ()) -> Bin:
    """An empty node of that shape, the DaemonSet Pods that belong on it already there."""
    new = Bin(shape, dict(shape.allocatable))
    for pod in overhead:
        new.place(pod)
    return new


def admits(node: Bin, pod: Pod) -> bool:
    """Whether the Pod fits in what the node has free."""
    return not misfits(pod, node.shape, node.free) and not repels(pod, node.pods)


def fill(pods: Iterable[Pod], nodes: Sequence[Bin]) -> list[Pod]:
    """Place Pods on nodes that are there, first fit; returns those that stay without a place."""
    left: list[Pod] = []
    for pod in pods:
        home = next((node for node in nodes if admits(node, pod)), None)
        if home is None:
            left.append(pod)
        else:
            home.place(pod)
    return left


def pack(
    pods: Sequence[Pod], shape: Shape, limit: int, overhead: Sequence[Pod] = ()
) -> tuple[int, list[Pod], list[Bin]]:
    """How many new nodes of a shape the Pods need, at most `limit`: (nodes, Pods placed, the filled nodes).

    First fit by decreasing size, as the Cluster Autoscaler's estimator does it: small Pods fill what the
    large ones leave.
    """
    bins: list[Bin] = []
    placed: list[Pod] = []
    for pod in sorted(pods, key=lambda item: _size(item, shape), reverse=True):
        home = next((node for node in bins if admits(node, pod)), None)
        if home is None and len(bins) < limit:
            fresh = opened(shape, overhead)
            if admits(fresh, pod):
                home = fresh
                bins.append(fresh)
        if home is not None:
            home.place(pod)
            placed.append(pod)
    return len(bins), placed, bins


def _size(pod: Pod, shape: Shape) -> float:
    parts = [
        value / shape.allocatable[name]
        for name, value in requests(pod).items()
        if shape.allocatable.get(name, 0) > 0 and name != "pods"
    ]
    return max(parts, default=0.0)


def overheads(daemonsets: Iterable[Mapping[str, Any]], shape: Shape) -> list[Pod]:
    """The Pods that the DaemonSets of a cluster will put on a new node of that shape."""
    pods: list[Pod] = []
    for daemonset in daemonsets:
        template = daemonset["spec"]["template"]
        spec = dict(template.get("spec") or {})
        spec["tolerations"] = [*(spec.get("tolerations") or ()), *DAEMONSET_TOLERATIONS]
        pod = {"metadata": dict(template.get("metadata") or {}), "spec": spec}
        if not misfits(pod, shape):
            pods.append(pod)
    return pods


DAEMONSET_TOLERATIONS: Final = tuple(
    {"key": f"node.kubernetes.io/{key}", "operator": "Exists"}
    for key in (
        "not-ready",
        "unreachable",
        "disk-pressure",
        "memory-pressure",
        "pid-pressure",
        "unschedulable",
    )
)
"""What the DaemonSet controller adds to its Pods."""


def shape_of(node: Mapping[str, Any]) -> Shape:
    """A Node object as the scheduler sees it."""
    metadata, spec, status = node["metadata"], node.get("spec") or {}, node.get("status") or {}
    taints = [
        Taint(taint["key"], taint["effect"], taint.get("value") or "") for taint in spec.get("taints") or ()
    ]
    allocatable = {name: milli(str(value)) for name, value in (status.get("allocatable") or {}).items()}
    return Shape(
        metadata.get("labels") or {},
        taints,
        allocatable,
        metadata["name"],
        bool(spec.get("unschedulable")),
    )
