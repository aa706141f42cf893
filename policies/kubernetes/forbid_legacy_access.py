"""Nobody gets to a cluster but by the cloud's own identities."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided

POLICY = Policy(
    title="No legacy access to clusters",
    severity="high",
    description="Client certificates cannot be revoked, legacy ABAC gives every pod's account broad rights, "
    "and EKS's aws-auth ConfigMap locks everybody out, or in, by one wrong line that no API checks.",
    remediation="On GKE leave `enableLegacyAbac` and `issueClientCertificate` off; on EKS set "
    "`accessConfig.authenticationMode: API` and give access by access entries.",
    frameworks=("NIST 800-53 AC-2", "NIST 800-53 IA-2", "SOC 2 CC6.1"),
)


@POLICY.on("gcp:container/cluster:Cluster")
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Clusters with certificates or ABAC."""
    wrong = {
        "enableLegacyAbac": "every account of a pod gets broad rights, whatever RBAC says",
        "masterAuth.clientCertificateConfig.issueClientCertificate": "it makes a key that nobody can revoke",
    }
    for path, told in wrong.items():
        value = resource.get(path)
        if value is UNKNOWN:
            yield Undecided(path)
        elif value:
            yield Finding(path, f"is set: {told}")


@POLICY.on("aws:eks/cluster:Cluster")
def on_aws(resource: Resource) -> Iterator[Judgement]:
    """Clusters that heed the ConfigMap alone, as they do where nothing is said."""
    path = "accessConfig.authenticationMode"
    mode = resource.get(path)
    if mode is UNKNOWN:
        yield Undecided(path)
    elif mode in (None, "CONFIG_MAP"):
        yield Finding(path, f"is {mode or 'CONFIG_MAP'!r}: the ConfigMap aws-auth alone decides who comes in")
