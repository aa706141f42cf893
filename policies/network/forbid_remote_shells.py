"""Nobody has a standing key to a machine."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided

POLICY = Policy(
    title="No SSH keys on machines",
    severity="high",
    description="An SSH key that was put on a machine is a door for whoever has it, and no log says who "
    "went through. A node group of EKS with a key and no source opens port 22 to the whole "
    "internet.",
    remediation="Take the key out and reach machines by Session Manager, EC2 Instance Connect or OS Login "
    "with Identity-Aware Proxy.",
    frameworks=("CIS GCP 4.3", "CIS GCP 4.5", "NIST 800-53 AC-17", "NIST 800-53 IA-5"),
)


@POLICY.on(
    "aws:ec2/instance:Instance",
    "aws:ec2/launchTemplate:LaunchTemplate",
    "aws:ec2/launchConfiguration:LaunchConfiguration",
)
def on_machines(resource: Resource) -> Iterator[Judgement]:
    """Machines with a key pair."""
    key = resource.get("keyName")
    if key is UNKNOWN:
        yield Undecided("keyName")
    elif key:
        yield Finding("keyName", f"puts the key pair {str(key)!r} on the machine")


@POLICY.on("aws:eks/nodeGroup:NodeGroup")
def on_nodes(resource: Resource) -> Iterator[Judgement]:
    """Node groups with a key pair."""
    path = "remoteAccess.ec2SshKey"
    key = resource.get(path)
    if key is UNKNOWN:
        yield Undecided(path)
    elif key:
        sources = resource.get("remoteAccess.sourceSecurityGroupIds")
        more = ", and opens port 22 to '0.0.0.0/0'" if sources is None else ""
        yield Finding(path, f"puts the key pair {str(key)!r} on every node{more}")


@POLICY.on(
    "gcp:compute/instance:Instance",
    "gcp:compute/instanceTemplate:InstanceTemplate",
    "gcp:compute/projectMetadata:ProjectMetadata",
)
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Keys and serial ports in metadata."""
    for path in ("metadata.ssh-keys", "metadata.sshKeys"):
        keys = resource.get(path)
        if keys is UNKNOWN:
            yield Undecided(path)
        elif keys is not None:
            yield Finding(path, "puts SSH keys on the machine")
    path = "metadata.serial-port-enable"
    serial = resource.get(path)
    if serial is UNKNOWN:
        yield Undecided(path)
    elif str(serial).lower() in ("true", "1"):
        yield Finding(path, "opens the serial console, which no firewall guards")


@POLICY.on("gcp:compute/projectMetadataItem:ProjectMetadataItem")
def on_items(resource: Resource) -> Iterator[Judgement]:
    """Keys for all machines of a project."""
    key = resource.get("key")
    if key is UNKNOWN:
        yield Undecided("key")
    elif key in ("ssh-keys", "sshKeys"):
        yield Finding("key", "puts SSH keys on every machine of the project")
