"""A reference to a workload identity, with the same keys as the outputs of WorkloadIdentity.

It declares those that a component reads; the other outputs are `passed_on`.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import ClassVar

from pulumi import Input

from aiplatform._shared.args import Problem
from aiplatform._shared.references.inputs import (
    WorkloadIdentityReferenceArgs as WorkloadIdentityReferenceArgs,
)


@dataclass(frozen=True)
class WorkloadIdentityReference:
    """A workload identity, as in WorkloadIdentity.outputs."""

    may_be_output: ClassVar[bool] = True
    passed_on: ClassVar[Collection[str]] = WorkloadIdentityReferenceArgs.__annotations__.keys()

    principal: Input[str]
    """The principal for grants: a role's arn, or `serviceAccount:` and an email address."""
    role_name: Input[str] | None = None
    """AWS, and required there: the role's name, for policies."""
    annotations: Input[dict[str, Input[str]]] | None = None
    """Annotations that the Kubernetes service account must have. Default none."""
    ready: Input[str] | None = None
    """Known once Pods can get credentials."""
    namespace: str | None = None
    """The Pods' namespace."""
    service_account: str | None = None
    """The Pods' service account."""

    def elsewhere(self, namespace: str, service_account: str) -> Iterator[Problem]:
        """Return the problems of an identity that belongs to the Pods of another service account."""
        for key, expected in (("namespace", namespace), ("service_account", service_account)):
            value = getattr(self, key)
            if value not in (None, expected):
                yield Problem(key, f"got {value!r}; expected an identity of {namespace}/{service_account}")
