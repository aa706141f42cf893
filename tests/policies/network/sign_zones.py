"""Spec of network.sign_zones."""

from __future__ import annotations

from typing import Any

from policies.framework import Resource
from tests.policies.spec import UNKNOWN, Fails, Spec, awaiting, resource, stack

ZONE = "aws:route53/zone:Zone"
SIGNING = "aws:route53/hostedZoneDnsSec:HostedZoneDnsSec"


def _managed(**props: Any) -> Resource:
    return resource("gcp:dns/managedZone:ManagedZone", {"dnsName": "acme.example.", **props})


def _zone(**props: Any) -> Resource:
    return resource(ZONE, {"name": "acme.example", **props}, name="zone")


def _signing(**props: Any) -> Resource:
    return resource(SIGNING, {"hostedZoneId": UNKNOWN, **props}, name="signing", property_dependencies={})


def _signed(zone: Resource) -> Resource:
    return resource(
        SIGNING, {"hostedZoneId": UNKNOWN}, name="signing", property_dependencies={"hostedZoneId": [zone.urn]}
    )


SPEC = Spec(
    passes={
        "a signed zone": _managed(dnssecConfig={"state": "on"}),
        "a private zone": _managed(visibility="private"),
        "signing": resource(SIGNING, {"hostedZoneId": "Z1", "signingStatus": "SIGNING"}),
        "a zone of Route 53 that is signed": stack(_zone(), _signed(_zone())),
        "a zone of Route 53 that is signed by its id": stack(
            _zone(zoneId="Z1"), resource(SIGNING, {"hostedZoneId": "Z1"})
        ),
        "a private zone of Route 53": stack(_zone(vpcs=[{"vpcId": "vpc-1"}])),
    },
    fails={
        "a zone with the default": Fails(_managed(), "dnssecConfig.state", "is not set"),
        "a zone with it off": Fails(
            _managed(visibility="public", dnssecConfig={"state": "off"}), "dnssecConfig.state", "'off'"
        ),
        "signatures by SHA-1": Fails(
            _managed(
                dnssecConfig={
                    "state": "on",
                    "defaultKeySpecs": [{"algorithm": "rsasha1", "keyType": "zoneSigning"}],
                }
            ),
            "dnssecConfig.defaultKeySpecs[0].algorithm",
        ),
        "signing that is off": Fails(
            resource(SIGNING, {"hostedZoneId": "Z1", "signingStatus": "NOT_SIGNING"}), "signingStatus"
        ),
        "a zone of Route 53": Fails(stack(_zone()), "", "without a HostedZoneDnsSec", of="zone"),
    },
    unknown={
        "whether a zone is signed": _managed(dnssecConfig={"state": UNKNOWN}),
        "whether signing is on": resource(SIGNING, {"hostedZoneId": "Z1", "signingStatus": UNKNOWN}),
        "which zone is signed": stack(_zone(), _signing()),
        "whether a zone is private": stack(awaiting(ZONE, "vpcs")),
    },
)
