"""What the guardrails refuse of networks between accelerators: of pools with one, and adapters of EFA without
an accelerator, which no quota counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.end_to_end.guardrail_cases import CONTROLLER, DEVELOPER, INSIDER, Case
from tests.end_to_end.guardrail_fabrics import FABRIC_REFUSED
from tests.end_to_end.guardrail_objects import GPU, QUEUE, custom, initial, job, pod, ray_cluster, spec

_ADAPTERS: Final = {"cpu": "1", "vpc.amazonaws.com/efa": "32"}
_OF_HEAD: Final = {"headGroupSpec": {"template": {"spec": spec(_ADAPTERS)}}}
_ERROR: Final = "a Pod requests vpc.amazonaws.com/efa and no accelerator"

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
    "adapters by a controller": (CONTROLLER, pod(spec(_ADAPTERS), owner="Job"), "team-a", _ERROR),
}
