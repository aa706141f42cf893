"""Spec of cost.attach_addresses."""

from __future__ import annotations

from tests.policies.spec import UNKNOWN, Fails, Spec, Stack, awaiting, resource, stack

_EIP = resource("aws:ec2/eip:Eip", {"domain": "vpc"}, name="address")
_NAT = resource("aws:ec2/natGateway:NatGateway", {"subnetId": "subnet-1"}, name="nat")
_RECORD = resource("aws:route53/record:Record", {"type": "A"}, name="record")
_ADDRESS = resource("gcp:compute/address:Address", {"name": "acme-front"}, name="address")
_SERVICE = resource(
    "kubernetes:core/v1:Service", {"metadata": {"annotations": {"ip": "acme-front"}}}, name="service"
)

SPEC = Spec(
    passes={
        "a NAT gateway's": stack(_EIP, _NAT, uses={"nat": ["address"]}),
        "a machine's": Stack([resource("aws:ec2/eip:Eip", {"instance": "i-1"})]),
        "an internal address": Stack([resource("gcp:compute/address:Address", {"addressType": "INTERNAL"})]),
        "one that a Service names": Stack([_ADDRESS, _SERVICE]),
    },
    fails={
        "an unused address": Fails(Stack([_EIP, _NAT]), "", "used by no resource", of="address"),
        "a name that points to nothing": Fails(
            stack(_EIP, _RECORD, uses={"record": ["address"]}), "", of="address"
        ),
        "an unused address, in a preview": Fails(
            Stack([resource("aws:ec2/eip:Eip", {"instance": UNKNOWN, "networkInterface": UNKNOWN})]), ""
        ),
        "Google's": Fails(Stack([_ADDRESS]), "", of="address"),
        "Google's in every region": Fails(
            Stack([resource("gcp:compute/globalAddress:GlobalAddress", {"name": "acme-front"})]), ""
        ),
    },
    unknown={
        "a machine": Stack([awaiting("aws:ec2/eip:Eip", "instance")]),
        "a kind": Stack([awaiting("gcp:compute/address:Address", "addressType")]),
    },
)
