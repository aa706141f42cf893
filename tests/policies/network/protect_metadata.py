"""Spec of network.protect_metadata."""

from __future__ import annotations

from typing import Any

from tests.policies.custom_workloads import node_class
from tests.policies.spec import UNKNOWN, Case, Fails, Spec, resource


def _template(**metadata: Any) -> Any:
    props = {"metadataOptions": metadata} if metadata else {}
    return resource("aws:ec2/launchTemplate:LaunchTemplate", props)


def _pool(mode: Any) -> Any:
    return resource(
        "gcp:container/nodePool:NodePool", {"nodeConfig": {"workloadMetadataConfig": {"mode": mode}}}
    )


_IMDS = "instanceMetadataServiceConfiguration"


def _notebook(version: str) -> Any:
    kind = "aws:sagemaker/notebookInstance:NotebookInstance"
    return resource(kind, {_IMDS: {"minimumInstanceMetadataServiceVersion": version}})


_TWO_HOPS = _template(httpTokens="required", httpPutResponseHopLimit=2)

SPEC = Spec(
    passes={
        "IMDSv2 for the machine alone": _template(httpTokens="required", httpPutResponseHopLimit=1),
        "no metadata service": _template(httpEndpoint="disabled"),
        "GKE's metadata server": _pool("GKE_METADATA"),
        "a pool with defaults, as its cluster decides": resource("gcp:container/nodePool:NodePool", {}),
        "nodes of Karpenter with defaults": node_class(),
        "nodes of Karpenter, explicitly": node_class(
            metadataOptions={"httpTokens": "required", "httpPutResponseHopLimit": 1}
        ),
        "a notebook": _notebook("2"),
    },
    fails={
        "a template with defaults": Fails(_template(), "metadataOptions.httpTokens", "is not set"),
        "a machine with IMDSv1": Fails(
            resource("aws:ec2/instance:Instance", {"metadataOptions": {"httpTokens": "optional"}}),
            "metadataOptions.httpTokens",
            "'optional'",
        ),
        "containers that reach it": Fails(_TWO_HOPS, "metadataOptions.httpPutResponseHopLimit", "is 2"),
        "a node's own on GKE": Fails(
            _pool("GCE_METADATA"), "nodeConfig.workloadMetadataConfig.mode", "GCE_METADATA"
        ),
        "nodes of Karpenter with IMDSv1": Fails(
            node_class(metadataOptions={"httpTokens": "optional"}),
            "spec.metadataOptions.httpTokens",
            "'optional'",
        ),
        "nodes of Karpenter whose containers reach it": Fails(
            node_class(metadataOptions={"httpTokens": "required", "httpPutResponseHopLimit": 2}),
            "spec.metadataOptions.httpPutResponseHopLimit",
        ),
        "a notebook with IMDSv1": Fails(_notebook("1"), f"{_IMDS}.minimumInstanceMetadataServiceVersion"),
    },
    unknown={
        "tokens of Karpenter's nodes": node_class(metadataOptions={"httpTokens": UNKNOWN}),
        "tokens with an unknown value": _template(httpTokens=UNKNOWN),
        "a mode that is unknown": _pool(UNKNOWN),
    },
    configured={"containers need it": Case(_TWO_HOPS, {"hops": 2}, fails=False)},
)
