"""Entries of lists that a component has as outputs."""

from typing import TypedDict

from pulumi import Input


class ModelRegistrySecret(TypedDict):
    """The secret of an account's password."""

    account: str
    """The account's name."""
    secret: Input[str]
    """AWS: the secret's arn. Google Cloud: the secret, `projects/.../secrets/...`. Its value is JSON with
    `username` and `password`."""
