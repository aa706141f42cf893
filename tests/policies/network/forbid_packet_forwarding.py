"""Spec of network.forbid_packet_forwarding."""

from __future__ import annotations

from tests.policies.spec import UNKNOWN, Fails, Spec, resource

_AWS, _GOOGLE = "aws:ec2/instance:Instance", "gcp:compute/instance:Instance"

SPEC = Spec(
    passes={
        "a machine with defaults": resource(_AWS, {"instanceType": "m7g.large"}),
        "one on Google Cloud": resource(_GOOGLE, {"canIpForward": False}),
    },
    fails={
        "a machine that forwards": Fails(
            resource(_AWS, {"sourceDestCheck": False}), "sourceDestCheck", "is off"
        ),
        "an interface that does": Fails(
            resource("aws:ec2/networkInterface:NetworkInterface", {"sourceDestCheck": False}),
            "sourceDestCheck",
        ),
        "a machine on Google Cloud that does": Fails(
            resource(_GOOGLE, {"canIpForward": True}), "canIpForward", "is on"
        ),
    },
    unknown={
        "an unknown value": resource(_AWS, {"sourceDestCheck": UNKNOWN}),
        "the same on Google Cloud": resource(_GOOGLE, {"canIpForward": UNKNOWN}),
    },
)
