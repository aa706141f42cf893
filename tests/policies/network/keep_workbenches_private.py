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
        "a notebook inside": _notebook(directInternetAccess="Disabled"),
        "a domain inside": resource(_DOMAIN, {"appNetworkAccessType": "VpcOnly"}),
        "a workbench without an address": _workbench(disablePublicIp=True),
    },
    fails={
        "a notebook as it comes": Fails(_notebook(), "directInternetAccess", "is missing"),
        "a domain on the internet": Fails(
            resource(_DOMAIN, {"appNetworkAccessType": "PublicInternetOnly"}), "appNetworkAccessType"
        ),
        "a workbench as it comes": Fails(_workbench(), "gceSetup.disablePublicIp", "an address"),
    },
    unknown={
        "what is not known yet": _notebook(directInternetAccess=UNKNOWN),
        "a workbench of which it is not known yet": _workbench(disablePublicIp=UNKNOWN),
    },
)
