"""What a program is told to find the twin instead of AWS."""

from __future__ import annotations

import os

from twin.world import World


def variables(world: World) -> dict[str, str]:
    """The variables of the AWS SDKs, the CLI and the providers."""
    from twin.aws.credentials import deployer

    credentials = deployer(world)
    return {
        "AWS_ENDPOINT_URL": world.url("cloud"),
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_REGION": world.region,
        "AWS_DEFAULT_REGION": world.region,
        "AWS_PAGER": "",
    }


def nowhere(_: World) -> dict[str, str]:
    """What keeps the SDKs from the user's own profiles and from a machine's role, in a world of any cloud."""
    return {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def prepare(_: World) -> None:
    """Nothing has to be written."""
