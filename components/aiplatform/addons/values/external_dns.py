"""ExternalDNS: one controller; it has no leader election, so there is never a second Pod."""

from typing import Any, Final

from aiplatform.addons.values.setup import PRIORITY_CLASS, Setup, requests, scheduling

_PROVIDERS: Final = {"aws": "aws", "gcp": "google"}


def values(setup: Setup) -> dict[str, Any]:
    """Return the values of the chart. It deletes records that it created and that nothing needs any more: a
    record of a load balancer that is gone points at an address that another customer may get."""
    project = {"google-project": setup.project} if setup.cloud == "gcp" else {}
    return {
        "image": setup.image("external-dns"),
        "priorityClassName": PRIORITY_CLASS,
        "resources": requests("10m", "64Mi"),
        "provider": {"name": _PROVIDERS[setup.cloud]},
        "sources": ["service", "ingress"],
        "policy": "sync",
        # Another cluster that shares a zone has another name, and leaves these records alone.
        "txtOwnerId": setup.cluster,
        "extraArgs": {
            "zone-id-filter": list(setup.dns_zones),
            # Else a headless Service, or one with an external name, of any team would name any address in the
            # zones.
            "service-type-filter": ["LoadBalancer"],
            **project,
        },
        **scheduling(),
    }
