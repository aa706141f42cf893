"""Nobody talks to an endpoint in the clear, or by TLS of the last century."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided

POLICY = Policy(
    title="TLS 1.2 at least",
    severity="high",
    description="Load balancers, databases, caches and brokers take TLS alone, and no version that is "
    "broken. What they take where nothing is said is often older, or no TLS at all.",
    remediation="Use HTTPS listeners with a policy of TLS 1.2 or 1.3 (a plain one may only redirect); "
    "`sslMode: ENCRYPTED_ONLY`; `transitEncryptionEnabled`; `minTlsVersion: TLS_1_2`.",
    frameworks=("NIST 800-53 SC-8", "SOC 2 CC6.7"),
)

# By their names, TLS13-1-1-2021-06 or FS-1-1-2019-08; those without a version begin at TLS 1.0.
_OLD_POLICIES = re.compile(r"ELBSecurityPolicy-((FS-)?20\d\d-\d\d|(TLS|TLS13|FS)-1-[01]-.+)")


@POLICY.on("aws:lb/listener:Listener")
def on_listeners(resource: Resource) -> Iterator[Judgement]:
    """HTTP listeners that do not redirect, and HTTPS ones with a policy that takes TLS 1.0 or 1.1."""
    protocol = resource.get("protocol")
    if protocol is UNKNOWN:
        yield Undecided("protocol")
    elif protocol == "HTTP":
        kinds = [resource.get(f"{path}.type") for path, _ in resource.items("defaultActions")]
        if UNKNOWN in kinds or resource.get("defaultActions") is UNKNOWN:
            yield Undecided("defaultActions")
        elif any(kind != "redirect" for kind in kinds):
            yield Finding("protocol", "is 'HTTP' and does more than redirect")
    elif protocol in ("HTTPS", "TLS"):
        yield from _policy(resource.get("sslPolicy"))


def _policy(named: Any) -> Iterator[Judgement]:
    if named is UNKNOWN:
        yield Undecided("sslPolicy")
    elif named is None:
        yield Finding("sslPolicy", "is not set, and TLS 1.0 is taken by default")
    elif _OLD_POLICIES.fullmatch(named):
        yield Finding("sslPolicy", f"is {named!r}, which takes TLS 1.0 or 1.1")


@POLICY.on("aws:cloudfront/distribution:Distribution")
def on_distributions(resource: Resource) -> Iterator[Judgement]:
    """What viewers may talk to CloudFront by."""
    behaviors = ["defaultCacheBehavior", *(path for path, _ in resource.items("orderedCacheBehaviors"))]
    for path in (f"{behavior}.viewerProtocolPolicy" for behavior in behaviors):
        said = resource.get(path)
        if said is UNKNOWN:
            yield Undecided(path)
        elif said == "allow-all":
            yield Finding(path, "is 'allow-all', plain HTTP included")


@POLICY.on("aws:elasticache/replicationGroup:ReplicationGroup")
def on_caches(resource: Resource) -> Iterator[Judgement]:
    """Caches talk in the clear unless it is said."""
    flag = resource.get("transitEncryptionEnabled")
    if flag is UNKNOWN:
        yield Undecided("transitEncryptionEnabled")
    elif flag is not True:
        yield Finding("transitEncryptionEnabled", "is not set, so keys and values travel in the clear")
    elif resource.get("transitEncryptionMode") == "preferred":
        yield Finding("transitEncryptionMode", "is 'preferred', which takes clients without TLS, too")


@POLICY.on("aws:msk/cluster:Cluster")
def on_brokers(resource: Resource) -> Iterator[Judgement]:
    """Brokers of Kafka, which take TLS alone unless it is said otherwise."""
    path = "encryptionInfo.encryptionInTransit.clientBroker"
    said = resource.get(path)
    if said is UNKNOWN:
        yield Undecided(path)
    elif said in ("PLAINTEXT", "TLS_PLAINTEXT"):
        yield Finding(path, f"is {said!r}, which takes clients without TLS")


@POLICY.on("gcp:sql/databaseInstance:DatabaseInstance")
def on_cloud_sql(resource: Resource) -> Iterator[Judgement]:
    """Cloud SQL takes connections in the clear unless it is said."""
    path = "settings.ipConfiguration.sslMode"
    said = resource.get(path)
    if said is UNKNOWN:
        yield Undecided(path)
    elif said not in ("ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"):
        yield Finding(path, f"{f'is {said!r}' if said else 'is not set'}, so clients may come without TLS")


@POLICY.on("gcp:compute/sSLPolicy:SSLPolicy", "gcp:compute/regionSslPolicy:RegionSslPolicy")
def on_google_policies(resource: Resource) -> Iterator[Judgement]:
    """What load balancers of Google Cloud take."""
    said = resource.get("minTlsVersion")
    if said is UNKNOWN:
        yield Undecided("minTlsVersion")
    elif said in (None, "TLS_1_0", "TLS_1_1"):
        yield Finding("minTlsVersion", f"is {said!r}" if said else "is not set, and TLS 1.0 by default")


@POLICY.on("gcp:redis/instance:Instance")
def on_google_caches(resource: Resource) -> Iterator[Judgement]:
    """Memorystore talks in the clear unless it is said."""
    said = resource.get("transitEncryptionMode")
    if said is UNKNOWN:
        yield Undecided("transitEncryptionMode")
    elif said != "SERVER_AUTHENTICATION":
        yield Finding("transitEncryptionMode", "is not set, so keys and values travel in the clear")
