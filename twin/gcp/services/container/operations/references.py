"""What GKE looks up in other services before it says yes: networks, ranges, accounts, keys, reservations."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, ip_network
from typing import Final

from twin.gcp import services
from twin.gcp.api_server.errors import denied, invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body, State
from twin.gcp.services.compute.validation import secondary_ranges

_PREFIXES: Final[tuple[str, ...]] = services.tables("container")["compute_prefixes"]


def relative(reference: str) -> str:
    """A reference without what is before `projects/`."""
    for prefix in _PREFIXES:
        if reference.startswith(prefix):
            return reference.removeprefix(prefix)
    return reference


def network(state: State, project: str, reference: str, path: str) -> str:
    """The relative name of a VPC network that exists."""
    name = relative(reference or "default")
    name = name if "/" in name else f"projects/{project}/global/networks/{name}"
    if state.get(f"compute/{name}") is None:
        raise invalid(f'{path}: Network "{reference or "default"}" does not exist.')
    return name


def subnetwork(state: State, project: str, region: str, reference: str, path: str) -> tuple[str, Body]:
    """(relative name, body) of a subnetwork that exists, in the region."""
    name = relative(reference)
    name = name if "/" in name else f"projects/{project}/regions/{region}/subnetworks/{name}"
    subnet = state.get(f"compute/{name}")
    if subnet is None:
        raise invalid(f'{path}: Subnetwork "{reference}" does not exist.')
    if f"/regions/{region}/" not in f"/{name}":
        raise invalid(f'{path}: Subnetwork "{reference}" is not in the region {region} of the cluster.')
    return name, subnet


def secondary(subnet: Body, name: str, path: str) -> IPv4Network:
    """A secondary range of a subnetwork by its name."""
    ranges = secondary_ranges(subnet)
    if name not in ranges:
        known = ", ".join(ranges) or "none"
        raise invalid(
            f'{path}: Secondary range "{name}" does not exist in subnetwork "{subnet["name"]}"; '
            f"its secondary ranges are: {known}."
        )
    return cidr(ranges[name], path)


def cidr(text: str, path: str) -> IPv4Network:
    """An IPv4 network in CIDR notation."""
    try:
        network = ip_network(text)
    except ValueError as error:
        raise invalid(f"{path}: '{text}' is no CIDR block ({error}).") from error
    if not isinstance(network, IPv4Network):
        raise invalid(f"{path}: '{text}' must be an IPv4 block.")
    return network


def ranges_of(state: State, network_name: str) -> list[tuple[IPv4Network, str]]:
    """Every range of a network's subnetworks, with words that state which it is."""
    ranges: list[tuple[IPv4Network, str]] = []
    for _, subnet in state.of("compute.subnetworks", "compute/"):
        if relative(subnet.get("network", "")) != network_name:
            continue
        whose = f"of subnetwork {subnet['name']}"
        ranges.append((IPv4Network(subnet["ipCidrRange"]), f"the primary range {whose}"))
        for name, block in secondary_ranges(subnet).items():
            ranges.append((IPv4Network(block), f"the range {name} {whose}"))
    return ranges


def overlap(block: IPv4Network, others: Iterable[tuple[IPv4Network, str]]) -> str:
    """What a block overlaps with, in words; empty where with nothing."""
    return next((f"{words} ({other})" for other, words in others if block.overlaps(other)), "")


def service_account(call: Call, email: str, path: str) -> str:
    """A node's service account: it exists, and who asks may act as it."""
    if email in ("", "default"):
        email = f"{call.project_number}-compute@developer.gserviceaccount.com"
        if call.state.get(f"iam/projects/{call.project}/serviceAccounts/{email}") is None:
            raise invalid(
                f'{path}: Service account "default" does not exist: the project has no Compute Engine '
                "default service account."
            )
        return email
    name = f"iam/projects/{call.project}/serviceAccounts/{email}"
    account = call.state.get(name)
    if account is None:
        raise invalid(f'{path}: Service account "{email}" does not exist.')
    if account.get("disabled"):
        raise invalid(f'{path}: Service account "{email}" is disabled.')
    if not call.server.identity.allowed(call.principal, "iam.serviceAccounts.actAs", name):
        raise denied(
            f'The user does not have access to service account "{email}". Ask a project owner to grant '
            "you the iam.serviceAccountUser role on the service account."
        )
    return email


def kms_key(call: Call, key: str, region: str, agent: str, path: str) -> None:
    """A key that exists in the region, and that a service agent may encrypt and decrypt with."""
    name = f"cloudkms/{key}"
    body = call.state.get(name)
    if body is None:
        raise invalid(f"{path}: Cloud KMS key {key} does not exist.")
    if body.get("purpose", "ENCRYPT_DECRYPT") != "ENCRYPT_DECRYPT":
        raise invalid(f"{path}: Cloud KMS key {key} must have the purpose ENCRYPT_DECRYPT.")
    where = key.split("/")[3] if key.count("/") >= 7 else ""
    if where not in (region, "global"):
        raise invalid(
            f"{path}: Cloud KMS key {key} is in {where}; it must be in the cluster's region {region}."
        )
    member = f"serviceAccount:{agent}"
    ring = name.partition("/cryptoKeys/")[0]
    permission = "cloudkms.cryptoKeyVersions.useToEncrypt"
    if not any(call.server.identity.allowed(member, permission, place) for place in (name, ring)):
        raise invalid(
            f"{path}: Cloud KMS key {key}: {agent} does not have permission "
            f"{permission}. Grant it roles/cloudkms.cryptoKeyEncrypterDecrypter."
        )


def gke_agent(number: str) -> str:
    """The Kubernetes Engine service agent."""
    return f"service-{number}@container-engine-robot.iam.gserviceaccount.com"


def compute_agent(number: str) -> str:
    """The Compute Engine service agent, which disks are encrypted by."""
    return f"service-{number}@compute-system.iam.gserviceaccount.com"


def reservation(state: State, project: str, reference: str, zone: str) -> Body | None:
    """A Compute reservation by name (`NAME`, `projects/P/reservations/NAME[/reservationBlocks/B]`)."""
    name, *parts = reference.split("/")
    if name == "projects" and len(parts) >= 3:
        project, name = parts[0], parts[2]
    return state.get(f"compute/projects/{project}/zones/{zone}/reservations/{name}")
