"""The variants of the add-ons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from aiplatform.addons import Addons
from tests.components.aiplatform.pools import CLUSTER, GOOGLE_CLUSTER
from tests.components.recording import ACCOUNT, REGION, Recording, record

_FULL: Final[Mapping[str, Any]] = {
    "dns_zones": ["Z0123456789ABCDEFGHIJ"],
    "replicas": 2,
    "charts": "oci://registry.example/charts",
    "mirrors": {"registry.k8s.io": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/k8s"},
    "tags": {"team": "ml"},
    "options": {
        "gateway-api": {"enabled": False},
        "aws-load-balancer-controller": {"enabled": False},
        "lws": {"version": "0.11.0", "allow_untested": True},
        "kueue": {"values": {"controllerManager": {"replicas": 1}}},
    },
}


def _recorded(cluster: Any, more: Mapping[str, Any]) -> Callable[[], Recording]:
    arguments: Any = {"prefix": "acme-dev", "cluster": cluster, **more}
    return lambda: record(lambda: Addons("addons", arguments))


ADDONS: Final[Mapping[str, Callable[[], Recording]]] = {
    "aws": _recorded({**CLUSTER, "vpc_id": "vpc-1"}, {}),
    "aws-karpenter": _recorded(
        {**CLUSTER, "vpc_id": "vpc-1", "volume_key_arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"},
        {"options": {"karpenter": {"enabled": True}}},
    ),
    "aws-keda": _recorded({**CLUSTER, "vpc_id": "vpc-1"}, {"options": {"keda": {"enabled": True}}}),
    "aws-kserve": _recorded(
        {**CLUSTER, "vpc_id": "vpc-1"},
        {"options": {"keda": {"enabled": True}, "kserve": {"enabled": True}}},
    ),
    "aws-full": _recorded({**CLUSTER, "vpc_id": "vpc-1"}, _FULL),
    "gcp": _recorded(GOOGLE_CLUSTER, {"dns_zones": ["acme-example"]}),
    "gcp-keda": _recorded(GOOGLE_CLUSTER, {"options": {"keda": {"enabled": True}}}),
}
