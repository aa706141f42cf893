"""Spec of network.keep_workbenches_private."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Spec, resource


def _notebook(**more: Any) -> Any:
    props = {"instanceType": "ml.t3.medium", "subnetId": "subnet-1", **more}
    return resource("aws:sagemaker/notebookInstance:NotebookInstance", props)


def _workbench(**setup: Any) -> Any:
    return resource(
        "gcp:workbench/instance:Instance", {"gceSetup": {"machineType": "e2-standard-4", **setup}}
    )


_DOMAIN = "aws:sagemaker/domain:Domain"

SPEC = Spec(
    passes={
        "a notebook without internet access": _notebook(directInternetAccess="Disabled"),
        "a domain without internet access": resource(_DOMAIN, {"appNetworkAccessType": "VpcOnly"}),
        "a workbench without an address": _workbench(disablePublicIp=True),
    },
    fails={
        "a notebook with defaults": Fails(_notebook(), "directInternetAccess", "is not set"),
        "a domain on the internet": Fails(
            resource(_DOMAIN, {"appNetworkAccessType": "PublicInternetOnly"}), "appNetworkAccessType"
        ),
        "a workbench with defaults": Fails(_workbench(), "gceSetup.disablePublicIp", "a public address"),
    },
    unknown={
        "an unknown value": _notebook(directInternetAccess=UNKNOWN),
        "a workbench with an unknown value": _workbench(disablePublicIp=UNKNOWN),
    },
)
