"""What the cloud does not offer to this account or project: zones, machine types in them, quotas.

Components ask the cloud again, as they do in any program; here it is asked first, so that every problem is
reported before a resource is registered.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from aiplatform._shared.args import Problem
from stacks.settings import Settings
from stacks.validation.availability import throttling


def problems(settings: Settings, provider: pulumi.ProviderResource) -> Sequence[Problem]:
    """Return everything that the settings ask for and the cloud does not offer.

    Raises pulumi.RunError where the cloud did not answer because too many calls were made.
    """
    try:
        return _problems(settings, provider)
    except Exception as error:
        if throttling.is_throttled(error):
            raise pulumi.RunError(throttling.words(error)) from None
        raise


def _problems(settings: Settings, provider: pulumi.ProviderResource) -> Sequence[Problem]:
    # Imported late, as in stacks/providers.py.
    if settings.environment.cloud == "gcp":
        from stacks.validation.availability import gcp

        return gcp.problems(settings, provider)
    from stacks.validation.availability import aws

    return aws.problems(settings, provider)
