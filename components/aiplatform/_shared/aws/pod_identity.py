"""The delay after which EKS gives Pods the credentials of a new Pod Identity association.

The delay is in the program and not in the hook: the engine keeps the state of a resource locked while its
hook runs, and every other step waits for that lock, since it saves the state of all
(pkg/resource/deploy/step.go and pkg/resource/stack/deployment.go of Pulumi v3.274.1).
"""

import asyncio
from collections import Counter
from typing import Final

from pulumi import ResourceHook, ResourceHookArgs, ResourceHookBinding
from pulumi_aws import eks

_SECONDS: Final = 15
"""EKS applies associations after several seconds (EKS user guide, "How EKS Pod Identity works"). A Pod that
starts before has no credentials until it is replaced, also when its container restarts
(aws/amazon-eks-pod-identity-webhook, issue 264)."""


_hooks: Final = Counter[str]()
"""Logical name -> hooks of associations with it. The engine refuses two hooks of one name, and children of
different components may have the same."""

_created: Final = set[str]()
"""URNs of the associations that this update has created."""


def on_creation(logical: str) -> ResourceHookBinding:
    """Return the hooks that an association needs for `applied`.

    logical: the association's logical name.
    """
    _hooks[logical] += 1
    name = f"{logical}-applied" if _hooks[logical] == 1 else f"{logical}-applied-{_hooks[logical]}"
    return ResourceHookBinding(after_create=[ResourceHook(name, _note)])


def applied(association: eks.PodIdentityAssociation) -> eks.PodIdentityAssociation:
    """Return an association with the hooks of `on_creation`: what depends on it waits until Pods get its
    credentials. A preview does not wait, nor an update in which the association exists.
    """
    # The SDK awaits the URN of each dependency, also of one by the enclosing component or by an output.
    association.__dict__["urn"] = association.urn.apply(_wait)
    return association


async def _note(args: ResourceHookArgs) -> None:
    _created.add(args.urn)


async def _wait(urn: str) -> str:
    if urn in _created:
        await asyncio.sleep(_SECONDS)
    return urn
