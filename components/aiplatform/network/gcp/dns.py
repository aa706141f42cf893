"""Names inside the network: those of Google lead to addresses that are reached without the internet."""

import pulumi
from pulumi import ResourceOptions
from pulumi_gcp import compute, dns

from aiplatform.network.args import NetworkSettings
from aiplatform.network.gcp.google_apis import DOMAINS, VIRTUAL

_TTL = 300


def google_zones(
    parent: pulumi.ComponentResource,
    name: str,
    settings: NetworkSettings,
    network: compute.Network,
    api: pulumi.Resource,
) -> list[pulumi.Resource]:
    """A private zone for each of Google's domains; answers the records."""
    chosen = VIRTUAL[settings.gcp.google_apis]
    records: list[pulumi.Resource] = []
    for key, domain in DOMAINS.items():
        zone = dns.ManagedZone(
            f"{name}-{key}",
            project=settings.gcp.project,
            name=f"{settings.prefix}-{key}",
            dns_name=domain,
            description=f"{domain} inside the network of {settings.prefix}",
            visibility="private",
            private_visibility_config=dns.ManagedZonePrivateVisibilityConfigArgs(
                networks=[dns.ManagedZonePrivateVisibilityConfigNetworkArgs(network_url=network.id)]
            ),
            labels=settings.tags or None,
            opts=ResourceOptions(parent=parent, depends_on=[api], delete_before_replace=True),
        )
        # In googleapis.com the addresses have a name, which clients and proxies may know.
        addressed = chosen.name if key == "googleapis" else domain
        for purpose, record, kind, data in (
            ("addresses", addressed, "A", list(chosen.addresses)),
            ("names", f"*.{domain}", "CNAME", [addressed]),
        ):
            records.append(
                dns.RecordSet(
                    f"{name}-{key}-{purpose}",
                    project=settings.gcp.project,
                    managed_zone=zone.name,
                    name=record,
                    type=kind,
                    ttl=_TTL,
                    rrdatas=data,
                    opts=ResourceOptions(parent=parent),
                )
            )
    return records


def query_logs(
    parent: pulumi.ComponentResource,
    name: str,
    settings: NetworkSettings,
    network: compute.Network,
    api: pulumi.Resource,
) -> None:
    """Log the DNS queries of the network, in addition to its traffic."""
    dns.Policy(
        f"{name}-query-logs",
        project=settings.gcp.project,
        name=f"{settings.prefix}-query-logs",
        description=f"Query logs of {settings.prefix}",
        enable_logging=True,
        enable_inbound_forwarding=False,
        networks=[dns.PolicyNetworkArgs(network_url=network.id)],
        # A network takes one policy.
        opts=ResourceOptions(parent=parent, depends_on=[api], delete_before_replace=True),
    )
