"""Spec of network.log_flows."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Spec, resource, stack

_VPC = resource("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}, name="vpc")


def _log(traffic: Any) -> Any:
    return resource("aws:ec2/flowLog:FlowLog", {"vpcId": UNKNOWN, "trafficType": traffic}, name="log")


def _subnet(name: str = "nodes", **more: Any) -> Any:
    props = {"name": name, "ipCidrRange": "10.0.0.0/20", **more}
    return resource("gcp:compute/subnetwork:Subnetwork", props, name=name)


_CONFIG = {"flowSampling": 0.5}
_POOL = resource(
    "gcp:container/nodePool:NodePool",
    {"networkConfig": {"additionalNodeNetworkConfigs": [{"network": "gpu", "subnetwork": "gpu"}]}},
    name="pool",
)

SPEC = Spec(
    passes={
        "a log of everything": _log("ALL"),
        "a VPC with its log": stack(_VPC, _log("ALL"), uses={"log": ["vpc"]}),
        "a subnetwork with a log": stack(_subnet(logConfig=_CONFIG)),
        "a subnetwork of proxies": stack(_subnet(purpose="REGIONAL_MANAGED_PROXY")),
        "the fabric of GPUs": stack(_subnet("gpu"), _POOL),
    },
    fails={
        "a log of accepted traffic": Fails(_log("ACCEPT"), "trafficType"),
        "a VPC without a log": Fails(stack(_VPC, _log("ALL")), "", "no flow log", of="vpc"),
        "a subnetwork without one": Fails(stack(_subnet()), "logConfig", "is not set", of="nodes"),
        "one whose purpose is the cloud's to fill in": Fails(
            stack(_subnet(purpose=UNKNOWN)), "logConfig", "is not set", of="nodes"
        ),
    },
    unknown={
        "what is logged is unknown": _log(UNKNOWN),
        "a subnetwork's log is unknown": stack(_subnet(logConfig=UNKNOWN)),
    },
)
