"""Spec of network.keep_workbenches_private."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Spec, resource


def _notebook(**more: Any) -> Any:
    props = {"instanceType": "ml.t3.medium", "subnetId": "subnet-1", "rootAccess": "Disabled", **more}
    return resource("aws:sagemaker/notebookInstance:NotebookInstance", props)


def _workbench(**setup: Any) -> Any:
    return resource(
        "gcp:workbench/instance:Instance", {"gceSetup": {"machineType": "e2-standard-4", **setup}}
    )


def _colab(**network: Any) -> Any:
    return resource("gcp:colab/runtimeTemplate:RuntimeTemplate", {"networkSpec": network})


_PRIVATE = {"disablePublicIp": True}
_NIC = {"network": "projects/acme/global/networks/acme", "nicType": "VIRTIO_NET"}
_DOMAIN = "aws:sagemaker/domain:Domain"

SPEC = Spec(
    passes={
        "a notebook without internet access": _notebook(directInternetAccess="Disabled"),
        "a domain without internet access": resource(_DOMAIN, {"appNetworkAccessType": "VpcOnly"}),
        "a workbench without an address": _workbench(disablePublicIp=True),
        "a workbench whose users are not root": _workbench(
            **_PRIVATE, metadata={"notebook-disable-root": "true"}, networkInterfaces=[_NIC]
        ),
        "a runtime of Colab without internet access": _colab(enableInternetAccess=False),
    },
    fails={
        "a notebook with defaults": Fails(_notebook(), "directInternetAccess", "is not set"),
        "a domain on the internet": Fails(
            resource(_DOMAIN, {"appNetworkAccessType": "PublicInternetOnly"}), "appNetworkAccessType"
        ),
        "a workbench with defaults": Fails(_workbench(), "gceSetup.disablePublicIp", "a public address"),
        "a notebook whose users are root": Fails(
            _notebook(directInternetAccess="Disabled", rootAccess="Enabled"), "rootAccess", "are root"
        ),
        "a notebook with the default for its users": Fails(
            _notebook(directInternetAccess="Disabled", rootAccess=None), "rootAccess", "is not set"
        ),
        "a workbench whose users are root": Fails(
            _workbench(**_PRIVATE, metadata={"notebook-disable-root": "false"}),
            "gceSetup.metadata[notebook-disable-root]",
        ),
        "a workbench with an address of an interface": Fails(
            _workbench(
                **_PRIVATE, networkInterfaces=[{**_NIC, "accessConfigs": [{"externalIp": "203.0.113.7"}]}]
            ),
            "gceSetup.networkInterfaces[0].accessConfigs",
        ),
        "a runtime of Colab on the internet": Fails(
            _colab(enableInternetAccess=True), "networkSpec.enableInternetAccess"
        ),
    },
    unknown={
        "an unknown value": _notebook(directInternetAccess=UNKNOWN),
        "a workbench with an unknown value": _workbench(disablePublicIp=UNKNOWN),
    },
)
