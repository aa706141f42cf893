"""A workload identity that something works as: the shape in which WorkloadIdentity gives its outputs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, NotRequired, TypedDict

from pulumi import Input

from aiplatform._shared.args import Problem


class WorkloadIdentityReferenceArgs(TypedDict):
    """A workload identity, as WorkloadIdentity.outputs gives it."""

    principal: Input[str]
    """How grants name it: a role's arn, or `serviceAccount:` and an address."""
    role_arn: NotRequired[Input[str]]
    """AWS: the role's arn."""
    role_name: NotRequired[Input[str]]
    """AWS, and required there: the role's name, for policies."""
    service_account_email: NotRequired[Input[str]]
    """Google Cloud: the service account's address."""
    annotations: NotRequired[Input[dict[str, Input[str]]]]
    """What the Kubernetes service account must carry. Default nothing."""
    ready: NotRequired[Input[str]]
    """Known when Pods get credentials."""
    namespace: NotRequired[str]
    """The Pods' namespace."""
    service_account: NotRequired[str]
    """The Pods' service account."""


@dataclass(frozen=True)
class WorkloadIdentityReference:
    """A checked WorkloadIdentityReferenceArgs."""

    may_be_output: ClassVar[bool] = True

    principal: Input[str]
    role_arn: Input[str] | None = None
    role_name: Input[str] | None = None
    service_account_email: Input[str] | None = None
    annotations: Input[dict[str, Input[str]]] | None = None
    ready: Input[str] | None = None
    namespace: str | None = None
    service_account: str | None = None

    def elsewhere(self, namespace: str, service_account: str) -> Iterator[Problem]:
        """Return the problems of an identity that belongs to the Pods of another service account."""
        for key, expected in (("namespace", namespace), ("service_account", service_account)):
            said = getattr(self, key)
            if said not in (None, expected):
                yield Problem(key, f"got {said!r}, expected an identity of {namespace}/{service_account}")
