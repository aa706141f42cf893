"""What pipelines need from the cloud."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import Input


@dataclass(frozen=True)
class Subjects:
    """What RBAC knows the submitters of a team by. kind: of all names, `Group` or `User`."""

    kind: str
    names: list[Input[str]]


@dataclass(frozen=True)
class Artifacts:
    """The bucket of artifacts, and what differs by cloud. repositories: team -> the artifact repository, as
    Argo Workflows reads it. ready: team -> what its steps need before they start. submitters: team -> those
    that RBAC names."""

    bucket: Input[str]
    kms_key: Input[str]
    log_bucket: Input[str]
    repositories: Mapping[str, Input[Mapping[str, Any]]]
    ready: Mapping[str, list[pulumi.Resource]]
    submitters: Mapping[str, list[Subjects]]


def key_format(namespace: str) -> str:
    """Return where the artifacts of a step are stored. It begins with the namespace itself, and not with
    Argo's variable for it: permissions are by this prefix."""
    date = "/".join(f"{{{{workflow.creationTimestamp.{part}}}}}" for part in "Ymd")
    return f"{namespace}/{date}/{{{{workflow.name}}}}/{{{{pod.name}}}}"
