"""DNS of the network: names of Google's APIs resolve to addresses that are reached without the internet."""

import pulumi
from pulumi_gcp import compute, dns

from aiplatform.network.gcp.context import VpcContext
from aiplatform.network.gcp.google_apis import DOMAINS, VIRTUAL

_TTL = 300


def google_zones(
    context: VpcContext, network: compute.Network, api: pulumi.Resource
) -> list[pulumi.Resource]:
    """Create a private zone for each of Google's domains; return the records."""
    virtual = VIRTUAL[context.settings.gcp.google_apis]
    records: list[pulumi.Resource] = []
    for key, domain in DOMAINS.items():
        zone = dns.ManagedZone(
            f"{context.name}-{key}",
            project=context.project,
            name=context.physical_name(key),
            dns_name=domain,
            description=f"{domain} inside the network of {context.settings.prefix}",
            visibility="private",
            private_visibility_config=dns.ManagedZonePrivateVisibilityConfigArgs(
                networks=[dns.ManagedZonePrivateVisibilityConfigNetworkArgs(network_url=network.id)]
            ),
            labels=context.settings.tags or None,
            opts=context.options(api, delete_before_replace=True),
        )
        # In googleapis.com the addresses have a name, which clients and proxies may use.
        name = virtual.name if key == "googleapis" else domain
        for purpose, record, kind, data in (
            ("addresses", name, "A", list(virtual.addresses)),
            ("names", f"*.{domain}", "CNAME", [name]),
        ):
            records.append(
                dns.RecordSet(
                    f"{context.name}-{key}-{purpose}",
                    project=context.project,
                    managed_zone=zone.name,
                    name=record,
                    type=kind,
                    ttl=_TTL,
                    rrdatas=data,
                    opts=context.options(),
                )
            )
    return records


def query_logs(context: VpcContext, network: compute.Network, api: pulumi.Resource) -> None:
    """Log the DNS queries of the network, in addition to its traffic."""
    dns.Policy(
        f"{context.name}-query-logs",
        project=context.project,
        name=context.physical_name("query-logs"),
        description=f"Query logs of {context.settings.prefix}",
        enable_logging=True,
        enable_inbound_forwarding=False,
        networks=[dns.PolicyNetworkArgs(network_url=network.id)],
        # A network has at most one policy.
        opts=context.options(api, delete_before_replace=True),
    )
