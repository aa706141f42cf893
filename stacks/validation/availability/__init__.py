"""What the cloud does not offer, told before anything is made: zones of the region, and machines in them.

The components ask again, as they must in any program; by then nothing of this one can be refused.
"""

from __future__ import annotations

import pulumi

from stacks.offerings.found import Found
from stacks.settings import Settings


def problems(settings: Settings, provider: pulumi.ProviderResource) -> list[Found]:
    """All that the cloud cannot give of what the settings ask for. Asks it by `provider`."""
    # Imported late, as in stacks/providers.py.
    if settings.environment.cloud == "gcp":
        from stacks.offerings import gcp

        return gcp.problems(settings, provider)
    from stacks.offerings import aws

    return aws.problems(settings, provider)
