"""What a workflow creates in the cloud."""

from dataclasses import dataclass

from pulumi import Input


@dataclass(frozen=True)
class Created:
    """identifier: the arn of the state machine, or `projects/.../workflows/...`. principal: as what it works:
    a role's arn, or `serviceAccount:...`. dead_letters: where they are read: the URL of a queue of SQS, or
    `projects/.../subscriptions/...`. logs: a log group, or `projects/.../buckets/...`. kms_key: what
    encrypts."""

    identifier: Input[str]
    principal: Input[str]
    dead_letters: Input[str]
    logs: Input[str]
    kms_key: Input[str]
