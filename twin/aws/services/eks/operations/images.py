"""The public parameters by which AWS reports the newest images for EKS: its own and Bottlerocket's.

Names: retrieve-ami-id.html and retrieve-ami-id-bottlerocket.html of the EKS user guide.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from twin.aws.api_server.initial_state import image_id
from twin.aws.services.eks.operations.versions import AMI_TYPES, VERSIONS, release_version

_AL2023: Final = re.compile(
    r"/aws/service/eks/optimized-ami/(?P<version>1\.\d+)/amazon-linux-2023/(?P<architecture>x86_64|arm64)/"
    r"(?P<variant>standard|nvidia|neuron)/(?P<image>recommended|amazon-eks-node-al2023-[a-z0-9_.-]+)"
    r"(?:/(?P<what>image_id|image_name|release_version))?"
)
_AL2: Final = re.compile(
    r"/aws/service/eks/optimized-ami/(?P<version>1\.\d+)/amazon-linux-2(?P<variant>|-gpu|-arm64)/recommended"
    r"(?:/(?P<what>image_id|image_name|release_version))?"
)
_BOTTLEROCKET: Final = re.compile(
    r"/aws/service/bottlerocket/aws-k8s-(?P<version>1\.\d+)(?P<variant>|-nvidia|-fips|-nvidia-fips)/"
    r"(?P<architecture>x86_64|arm64)/latest/(?P<what>image_id|image_version)"
)
_AL2_TYPES: Final = {"": "AL2_x86_64", "-gpu": "AL2_x86_64_GPU", "-arm64": "AL2_ARM_64"}


def published(name: str) -> str | None:
    """The value of a public parameter, or None where AWS has no such parameter."""
    match = _AL2023.fullmatch(name) or _AL2.fullmatch(name) or _BOTTLEROCKET.fullmatch(name)
    if not match:
        return None
    kind, version = AMI_TYPES.get(_ami_type(match)), match["version"]
    if kind is None or version not in VERSIONS or not kind.supports(version):
        return None
    release = release_version(version, kind.name)
    facts: dict[str, Any] = {
        "schema_version": "2",
        "image_id": image_id(version, kind.name, release),
        "image_name": kind.image_name(version, release),
        "release_version": release,
        "image_version": release,
    }
    if match.groupdict().get("image") not in (None, "recommended", facts["image_name"]):
        return None  # the twin has the newest release alone
    if match["what"]:
        return str(facts[match["what"]])
    del facts["image_version"]
    return json.dumps(facts)


def _ami_type(match: re.Match[str]) -> str:
    parts = match.groupdict()
    if match.re is _AL2:
        return _AL2_TYPES[parts["variant"]]
    machine = "ARM_64" if parts["architecture"] == "arm64" else "x86_64"
    if match.re is _AL2023:
        return f"AL2023_{machine}_{parts['variant'].upper()}"
    return f"BOTTLEROCKET_{machine}{parts['variant'].upper().replace('-', '_')}"
