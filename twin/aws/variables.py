"""What a program is reported to find the twin instead of AWS."""

from __future__ import annotations

import os

from twin.instances import Instance


def variables(instance: Instance) -> dict[str, str]:
    """The variables of the AWS SDKs, the CLI and the providers."""
    from twin.aws.credentials import deployer

    credentials = deployer(instance)
    return {
        "AWS_ENDPOINT_URL": instance.url("cloud"),
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_REGION": instance.region,
        "AWS_DEFAULT_REGION": instance.region,
        "AWS_PAGER": "",
    }


def nowhere(_: Instance) -> dict[str, str]:
    """What keeps the SDKs from the user's own profiles and from a machine's role."""
    return {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def prepare(_: Instance) -> None:
    """Nothing has to be written."""
