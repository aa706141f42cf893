"""EKS's refusals, by its own codes.

The codes of each operation are those of botocore's model. The words are EKS's own, as acceptance tests of
terraform-provider-aws, issues and logs quote them, for: the role, the zones, publicAccessCidrs, the steps of
a version, node groups attached, the sizes, the instance types (unknown, or wrong for the AMI type), the trust
of the node role, disk size and AMI type next to a launch template, user data, add-on versions and
configuration, reserved prefixes of labels. The others say the same in words of the twin.
"""

from __future__ import annotations

from twin.aws.api_server.request import Refusal


def invalid(message: str, **members: str) -> Refusal:
    """A parameter that EKS does not take."""
    return Refusal("InvalidParameterException", message, 400, **members)


def invalid_request(message: str, **members: str) -> Refusal:
    """A request that does not fit the state of things."""
    return Refusal("InvalidRequestException", message, 400, **members)


def in_use(message: str, **members: str) -> Refusal:
    """It exists, or something depends on it."""
    return Refusal("ResourceInUseException", message, 409, **members)


def not_found(message: str, **members: str) -> Refusal:
    """There is no such thing."""
    return Refusal("ResourceNotFoundException", message, 404, **members)
