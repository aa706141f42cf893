"""The argument `pods_ready` of the add-ons."""

from dataclasses import dataclass
from typing import Annotated

from aiplatform._shared.args import between


@dataclass(frozen=True)
class PodsReady:
    """How long Kueue waits until all Pods of an admitted workload are ready. Where they are not, it evicts
    the workload, so that its quota is free for others, and queues it again."""

    timeout_minutes: Annotated[int, between(1, 1440, "minutes")] = 30
    """Minutes from admission until all Pods are ready, 1 to 1440: new nodes, images and models included.
    Default 30."""
    recovery_minutes: Annotated[int, between(0, 1440, "minutes")] = 30
    """Minutes until the Pod that replaces a failed one is ready, 0 to 1440. 0: unlimited. Default 30."""
    attempts: Annotated[int, between(0, 1000)] | None = None
    """Times that a workload is queued again before Kueue deactivates it. Default: unlimited."""
