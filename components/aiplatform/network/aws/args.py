"""Arguments that only a network on AWS has, and their rules."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Final

from pulumi import Input

from aiplatform._shared.args import Problem, distinct, matches
from aiplatform.network.inputs import AwsNetworkArgs as AwsNetworkArgs

_SERVICE: Final = matches(
    r"(?!com\.amazonaws\.)[a-z0-9][a-z0-9.-]*", "a service such as ecr.api, without com.amazonaws and region"
)
BUCKET: Final = matches(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "a bucket's name")
_ENDPOINT_NAMES: Final = {
    "cloudwatch": "monitoring",
    "cloudwatch-logs": "logs",
    "ecr": "ecr.api and ecr.dkr",
    "efs": "elasticfilesystem",
    "elb": "elasticloadbalancing",
    "eventbridge": "events",
    "sagemaker": "sagemaker.api and sagemaker.runtime",
    "secrets-manager": "secretsmanager",
    "s3-express": "s3express",
    "stepfunctions": "states",
}
"""Common name of a service -> the name of its endpoint, where they differ (AWS PrivateLink guide, "AWS
services that integrate with AWS PrivateLink"). Whether another name exists is known to EC2 only."""


@dataclass(frozen=True)
class AwsNetwork:
    """Options of a network on AWS."""

    endpoints: Annotated[list[Annotated[str, _SERVICE]], distinct] = field(default_factory=list[str])
    """Services with an interface endpoint (`ecr.api`, `sts`, `eks-auth`). S3 and DynamoDB always have a
    gateway endpoint. Default none."""
    readable_buckets: Input[Annotated[list[Input[Annotated[str, BUCKET]]], distinct]] = field(
        default_factory=list[Input[str]]
    )
    """Buckets of other accounts that may be read through S3's gateway endpoint, by name: public data sets,
    layers of other registries, packages of Systems Manager (`amazon-ssm-<region>`). Buckets of the account
    itself, of ECR, Amazon Linux, registry.k8s.io, Docker Hub and quay.io may always be used; all other
    buckets of the region cannot be reached, with NAT neither. Default none."""
    prefix_delegation: bool = False
    """Whether pods get their addresses by /28 prefixes, as `eks.prefix_delegation` of the cluster states:
    then `pods` is counted in whole prefixes. Default false."""

    def check(self) -> Iterator[Problem]:
        """Report services whose endpoint has another name, or exists without an argument."""
        for index, service in enumerate(self.endpoints):
            if service in ("s3", "dynamodb"):
                yield Problem(
                    f"endpoints[{index}]",
                    f"got {service!r}; expected a service without a gateway endpoint: that of {service} "
                    "always exists, leave it out",
                )
            elif service in _ENDPOINT_NAMES:
                yield Problem(
                    f"endpoints[{index}]",
                    f"got {service!r}, which is the name of no endpoint; expected {_ENDPOINT_NAMES[service]}",
                )
