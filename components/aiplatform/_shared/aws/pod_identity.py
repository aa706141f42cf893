"""The delay after which EKS gives Pods the credentials of a new Pod Identity association."""

import asyncio
from collections import Counter
from typing import Final

from pulumi import ResourceHook, ResourceHookArgs, ResourceHookBinding

_SECONDS: Final = 15
"""EKS applies associations after several seconds (EKS user guide, "How EKS Pod Identity works"). A Pod that
starts before has no credentials until it is replaced, also when its container restarts
(aws/amazon-eks-pod-identity-webhook, issue 264)."""


_hooks: Final = Counter[str]()
"""Logical name -> hooks of associations with it. The engine refuses two hooks of one name, and children of
different components may have the same."""


def wait_until_applied(logical: str) -> ResourceHookBinding:
    """Return the hooks of an association: once it is created, what depends on it waits until Pods get its
    credentials. A preview does not wait, nor an update in which the association exists.

    logical: the association's logical name.
    """
    _hooks[logical] += 1
    name = f"{logical}-applied" if _hooks[logical] == 1 else f"{logical}-applied-{_hooks[logical]}"
    return ResourceHookBinding(after_create=[ResourceHook(name, _wait)])


async def _wait(_: ResourceHookArgs) -> None:
    await asyncio.sleep(_SECONDS)
