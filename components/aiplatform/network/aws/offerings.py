"""Zones and endpoints of the region, which are checked before anything is created."""

import pulumi
import pulumi_aws as aws

from aiplatform._shared.args import ArgumentError, Problem, got, nearest
from aiplatform.network.args import NOT_FOR_EKS, NetworkSettings


def refuse_endpoints(settings: NetworkSettings, region: str) -> None:
    """Raise ArgumentError for interface endpoints in China: there the names of some services begin with
    `cn.com.amazonaws`, those of others with `com.amazonaws` (aws/aws-cdk, issue 11140)."""
    if settings.aws.endpoints and region.startswith("cn-"):
        reason = (
            f"{got(settings.aws.endpoints)}; expected none in {region}: services there have names that this "
            "component does not know; with a NAT gateway nodes reach them without endpoints"
        )
        raise ArgumentError([Problem("NetworkArgs.aws.endpoints", reason)])


def find_zones(settings: NetworkSettings, options: pulumi.InvokeOptions) -> dict[str, str]:
    """Return the name of each zone id, in the order of the plan, as EC2 reports them.

    Local and wavelength zones are left out: they have neither NAT gateways nor a control plane. Raises
    ArgumentError where the region does not have the requested zones.
    """
    answer = aws.get_availability_zones(
        state="available",
        exclude_zone_ids=sorted(NOT_FOR_EKS),
        filters=[
            aws.GetAvailabilityZonesFilterArgs(name="opt-in-status", values=["opt-in-not-required"]),
            aws.GetAvailabilityZonesFilterArgs(name="zone-type", values=["availability-zone"]),
        ],
        opts=options,
    )
    known = dict(sorted(zip(answer.zone_ids, answer.names, strict=True)))
    requested = settings.zone_ids
    if requested is None:
        requested = list(known)[: settings.zones]
        if len(requested) < settings.zones:
            zones = ", ".join(known) or "none"
            reason = f"got {settings.zones}; expected at most the zones of the region: {zones}"
            raise ArgumentError([Problem("NetworkArgs.zone_count", reason)])
    problems = [
        Problem(
            f"NetworkArgs.zone_ids[{index}]",
            f"{got(zone)}; expected one of {', '.join(known)}, the zones of "
            f"{answer.region}{nearest(zone, known)}",
        )
        for index, zone in enumerate(requested)
        if zone not in known
    ]
    if problems:
        raise ArgumentError(problems)
    return {zone: known[zone] for zone in requested}
