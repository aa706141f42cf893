"""What the namespace of a model store needs from the cloud."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi import Input, Output

from aiplatform.workload_identity import WorkloadIdentity

Identities = Mapping[str, WorkloadIdentity]
"""A service account, PROMOTER or IMPORTER -> its workload identity."""


@dataclass(frozen=True)
class Built:
    """What differs by cloud. kms_key: of both buckets, or of the releases where the checkpoints are in a
    bucket that exists. variables: of promotions and imports. ready: what their Pods need before they start.
    groups: the groups of Kubernetes of the members that approve."""

    checkpoints_bucket: Input[str]
    releases_bucket: Output[str]
    log_bucket: Output[str]
    kms_key: Input[str]
    checkpoints_key: Input[str]
    identities: Identities
    variables: Mapping[str, Input[str]]
    ready: list[pulumi.Resource]
    groups: list[Input[str]]
