"""A reference to a workload identity, with the same keys as the outputs of WorkloadIdentity."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, NotRequired, TypedDict

from pulumi import Input

from aiplatform._shared.args import Problem


class WorkloadIdentityReferenceArgs(TypedDict):
    """A workload identity, as in WorkloadIdentity.outputs."""

    principal: Input[str]
    """The principal for grants: a role's arn, or `serviceAccount:` and an email address."""
    role_arn: NotRequired[Input[str]]
    """AWS: the role's arn."""
    role_name: NotRequired[Input[str]]
    """AWS, and required there: the role's name, for policies."""
    service_account_email: NotRequired[Input[str]]
    """Google Cloud: the service account's email address."""
    annotations: NotRequired[Input[dict[str, Input[str]]]]
    """Annotations that the Kubernetes service account must have. Default none."""
    ready: NotRequired[Input[str]]
    """Known once Pods can get credentials."""
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
            value = getattr(self, key)
            if value not in (None, expected):
                yield Problem(key, f"got {value!r}; expected an identity of {namespace}/{service_account}")
