"""Access to clusters is by the cloud's identities only."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Outcome, Policy, Resource, Violation, check_each

POLICY = Policy(
    title="No legacy access to clusters",
    severity="high",
    description="Client certificates cannot be revoked, legacy ABAC gives every pod's account broad "
    "permissions, and one wrong line in EKS's aws-auth ConfigMap, which no API validates, locks out all "
    "users or admits any.",
    remediation="On GKE leave `enableLegacyAbac` and `issueClientCertificate` off; on EKS set "
    "`accessConfig.authenticationMode: API` and use access entries.",
    frameworks=("NIST 800-53 AC-2", "NIST 800-53 IA-2", "SOC 2 CC6.1"),
)

_GOOGLE = {
    "enableLegacyAbac": "the account of every pod gets broad permissions, whatever RBAC allows",
    "masterAuth.clientCertificateConfig.issueClientCertificate": "it creates a key that cannot be revoked",
}


@POLICY.on("gcp:container/cluster:Cluster")
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Clusters with certificates or ABAC."""
    yield from check_each(_GOOGLE, _check, resource)


def _check(path: str, resource: Resource) -> Iterator[Outcome]:
    if resource.known(path):
        yield Violation(path, f"is set: {_GOOGLE[path]}")


@POLICY.on("aws:eks/cluster:Cluster")
def on_aws(resource: Resource) -> Iterator[Outcome]:
    """Clusters that use only the ConfigMap, which is the default."""
    path = "accessConfig.authenticationMode"
    mode = resource.known(path)
    if mode in (None, "CONFIG_MAP"):
        yield Violation(path, f"is {mode or 'CONFIG_MAP'!r}: only the ConfigMap aws-auth decides on access")
