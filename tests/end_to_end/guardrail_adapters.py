"""What the guardrails refuse of networks between accelerators: of pools with one, and adapters of EFA without
an accelerator, which no quota counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tests.end_to_end.guardrail_cases import CONTROLLER, DEVELOPER, INSIDER, Case
from tests.end_to_end.guardrail_fabrics import FABRIC_REFUSED
from tests.end_to_end.guardrail_objects import GPU, QUEUE, custom, initial, job, pod, ray_cluster, spec

_ADAPTERS: Final = {"cpu": "1", "vpc.amazonaws.com/efa": "32"}
_OF_HEAD: Final = {"headGroupSpec": {"template": {"spec": spec(_ADAPTERS)}}}
_ERROR: Final = "a Pod requests vpc.amazonaws.com/efa and no accelerator"

_SHARE: Final = "a Pod requests more vpc.amazonaws.com/efa than the share of its accelerators"


def _shared(gpus: int, adapters: int) -> dict[str, Any]:
    return spec({"cpu": "1", "nvidia.com/gpu": str(gpus), "vpc.amazonaws.com/efa": str(adapters)})


def _in_two(gpus: int, adapters: int) -> dict[str, Any]:
    """The specification of a Pod with accelerators in its first container, and adapters in each of two."""
    first = _shared(gpus, adapters)
    (second,) = spec({"cpu": "1", "vpc.amazonaws.com/efa": str(adapters)})["containers"]
    return {**first, "containers": [*first["containers"], {**second, "name": "second"}]}


SHARES_ADMITTED: Final[Mapping[str, tuple[tuple[str, str], Mapping[str, Any], str]]] = {
    "all adapters of a node with all of its accelerators": (
        DEVELOPER,
        job(_shared(gpus=8, adapters=32), QUEUE),
        "team-a",
    ),
    "the share of one accelerator": (DEVELOPER, job(_shared(gpus=1, adapters=4), QUEUE), "team-a"),
    "the share of the selected pool": (
        DEVELOPER,
        job({**_shared(gpus=8, adapters=4), "nodeSelector": {"ai-platform/pool": "p4d"}}, QUEUE),
        "team-a",
    ),
}

NETWORK_REFUSED: Final[Mapping[str, Case]] = {
    **FABRIC_REFUSED,
    "adapters alone": (DEVELOPER, job(spec(_ADAPTERS)), "team-a", _ERROR),
    "adapters alone in a queue": (DEVELOPER, job(spec(_ADAPTERS), QUEUE), "team-a", _ERROR),
    "adapters of one Pod, and accelerators of another": (
        INSIDER,
        custom("ray.io/v1", "RayCluster", {**ray_cluster(spec(GPU)), **_OF_HEAD}, QUEUE),
        "team-a",
        _ERROR,
    ),
    "adapters of an init container": (
        INSIDER,
        job({**initial(_ADAPTERS), "containers": spec()["containers"]}, QUEUE),
        "team-a",
        _ERROR,
    ),
    "adapters of a node for one accelerator": (
        DEVELOPER,
        job(_shared(gpus=1, adapters=32), QUEUE),
        "team-a",
        _SHARE,
    ),
    "adapters of a node for one accelerator, in two containers": (
        DEVELOPER,
        job(_in_two(gpus=1, adapters=3), QUEUE),
        "team-a",
        _SHARE,
    ),
    "more adapters than the share of the selected pool": (
        DEVELOPER,
        job({**_shared(gpus=4, adapters=4), "nodeSelector": {"ai-platform/pool": "p4d"}}, QUEUE),
        "team-a",
        _SHARE,
    ),
    "adapters of a node for one accelerator, in an init container": (
        DEVELOPER,
        job({**initial(_ADAPTERS), "containers": _shared(gpus=1, adapters=1)["containers"]}, QUEUE),
        "team-a",
        _SHARE,
    ),
    "adapters of a node by a controller": (
        CONTROLLER,
        pod(_shared(gpus=1, adapters=32), owner="Job"),
        "team-a",
        _SHARE,
    ),
    "adapters by a controller": (CONTROLLER, pod(spec(_ADAPTERS), owner="Job"), "team-a", _ERROR),
}
