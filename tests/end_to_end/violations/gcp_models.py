"""More of the plain pulumi_gcp program: endpoints of Vertex AI, zones and nodes."""

from __future__ import annotations

from typing import Any

from tests.end_to_end.violations import Violations
from tests.end_to_end.violations.gcp import KEY, LABELS, NETWORK, PROJECT, REGION


def program(violates: Violations) -> None:
    """Declare everything."""
    _endpoints(violates)
    _zones(violates)
    _nodes(violates)


def _endpoints(violates: Violations) -> None:
    from pulumi_gcp import vertex

    options: dict[str, Any] = {"location": REGION, "labels": LABELS}
    key: Any = {"kms_key_name": KEY}
    private: dict[str, Any] = {"network": NETWORK, "encryption_spec": key}
    vertex.AiEndpoint("right-endpoint", display_name="right", **private, **options)
    vertex.AiEndpoint(
        violates("endpoint-on-the-internet", "network.isolate_models"),
        display_name="open",
        encryption_spec=key,
        **options,
    )
    vertex.AiEndpoint(
        violates("endpoint-of-google-key", "encryption.encrypt_models"),
        display_name="plain",
        network=NETWORK,
        **options,
    )


def _zones(violates: Violations) -> None:
    from pulumi_gcp import dns

    dns.ManagedZone("right-zone", dns_name="right.example.", dnssec_config={"state": "on"}, labels=LABELS)
    dns.ManagedZone(
        violates("zone-without-signatures", "network.sign_zones"), dns_name="shop.example.", labels=LABELS
    )


def _nodes(violates: Violations) -> None:
    from pulumi_gcp import container

    def pool(name: str, boot: bool = True, **options: Any) -> None:
        container.NodePool(
            name,
            cluster=f"projects/{PROJECT}/locations/{REGION}/clusters/main",
            location=REGION,
            node_config={
                "machine_type": "n2-standard-8",
                "boot_disk_kms_key": KEY,
                "service_account": f"nodes@{PROJECT}.iam.gserviceaccount.com",
                "workload_metadata_config": {"mode": "GKE_METADATA"},
                "shielded_instance_config": {"enable_secure_boot": boot},
            },
            network_config={"enable_private_nodes": True},
            **options,
        )

    pool("right-maintained-pool", management={"auto_repair": True, "auto_upgrade": True})
    pool(violates("pool-without-secure-boot", "supply_chain.verify_boot"), boot=False)
    pool(
        violates("pool-without-upgrades", "reliability.maintain_nodes"),
        management={"auto_repair": False, "auto_upgrade": False},
    )
