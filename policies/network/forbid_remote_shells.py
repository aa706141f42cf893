"""Machines have no SSH keys."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Outcome, Policy, Resource, Violation, check_each

POLICY = Policy(
    title="No SSH keys on machines",
    severity="high",
    description="An SSH key on a machine gives access to every holder of the key, and its use is not "
    "attributed to a person in any log. An EKS node group with a key and no source opens port 22 to the "
    "internet.",
    remediation="Remove the key; use Session Manager, EC2 Instance Connect, or OS Login with Identity-Aware "
    "Proxy.",
    frameworks=("CIS GCP 4.3", "CIS GCP 4.5", "NIST 800-53 AC-17", "NIST 800-53 IA-5"),
)


@POLICY.on(
    "aws:ec2/instance:Instance",
    "aws:ec2/launchTemplate:LaunchTemplate",
    "aws:ec2/launchConfiguration:LaunchConfiguration",
)
def on_machines(resource: Resource) -> Iterator[Outcome]:
    """Machines with a key pair."""
    key = resource.known("keyName")
    if key:
        yield Violation("keyName", f"adds the key pair {str(key)!r} to the machine")


@POLICY.on("aws:eks/nodeGroup:NodeGroup")
def on_nodes(resource: Resource) -> Iterator[Outcome]:
    """Node groups with a key pair."""
    path = "remoteAccess.ec2SshKey"
    key = resource.known(path)
    if key:
        sources = resource.raw("remoteAccess.sourceSecurityGroupIds")
        more = ", and opens port 22 to '0.0.0.0/0'" if sources is None else ""
        yield Violation(path, f"adds the key pair {str(key)!r} to every node{more}")


@POLICY.on(
    "gcp:compute/instance:Instance",
    "gcp:compute/instanceTemplate:InstanceTemplate",
    "gcp:compute/projectMetadata:ProjectMetadata",
)
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Keys and serial ports in metadata."""
    yield from check_each(("metadata.ssh-keys", "metadata.sshKeys"), _check_keys, resource)
    path = "metadata.serial-port-enable"
    if str(resource.known(path)).lower() in ("true", "1"):
        yield Violation(path, "enables the serial console, to which no firewall rule applies")


def _check_keys(path: str, resource: Resource) -> Iterator[Outcome]:
    if resource.known(path) is not None:
        yield Violation(path, "adds SSH keys to the machine")


@POLICY.on("gcp:compute/projectMetadataItem:ProjectMetadataItem")
def on_items(resource: Resource) -> Iterator[Outcome]:
    """Keys for all machines of a project."""
    if resource.known("key") in ("ssh-keys", "sshKeys"):
        yield Violation("key", "adds SSH keys to every machine of the project")
