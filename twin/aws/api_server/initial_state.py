"""What an AWS account holds before anyone asks: the deployer's role, service-linked roles, that of approvers,
images.

It is the same in every life of the server, and the inventory leaves it out.
"""

from __future__ import annotations

import json
import zlib
from typing import Any, Final

from twin.aws.api_server.deterministic_moto import DeterministicMoto, deterministic
from twin.aws.api_server.moto_contents import remember
from twin.aws.credentials import ROLE

LINKED_ROLES: Final = {
    "eks.amazonaws.com": "AWSServiceRoleForAmazonEKS",
    "eks-nodegroup.amazonaws.com": "AWSServiceRoleForAmazonEKSNodegroup",
    "autoscaling.amazonaws.com": "AWSServiceRoleForAutoScaling",
    "support.amazonaws.com": "AWSServiceRoleForSupport",
    "trustedadvisor.amazonaws.com": "AWSServiceRoleForTrustedAdvisor",
}
RELEASE_ROLE: Final = "model-release"
EKS_IMAGE_OWNER: Final = "602401143452"


def make(moto: DeterministicMoto) -> None:
    """Make the baseline in a fresh moto."""
    with moto.lock:
        iam, ec2 = moto.backend("iam"), moto.backend("ec2")
        with deterministic(zlib.crc32(b"baseline"), moto.epoch):
            _roles(iam, moto.account)
            _images(ec2)
        for backend in (iam, ec2):
            remember(backend)


def image_id(version: str, ami_type: str, release: str) -> str:
    """The id of the image that EKS uses for a version and AMI type; the same everywhere."""
    digest = (
        zlib.crc32(f"{version}/{ami_type}".encode()),
        zlib.crc32(f"{release}/{ami_type}/{version}".encode()),
    )
    return f"ami-0{digest[0]:08x}{digest[1]:08x}"


def _roles(iam: Any, account: str) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            }
        ],
    }
    iam.create_role(ROLE, json.dumps(trust), "/", None, "Who deploys the platform", [], "3600")
    iam.attach_role_policy("arn:aws:iam::aws:policy/AdministratorAccess", ROLE)
    for service, name in LINKED_ROLES.items():
        iam.create_role(
            name,
            json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
                    ],
                }
            ),
            f"/aws-service-role/{service}/",
            None,
            "",
            [],
            "3600",
            linked_service=service,
        )
    # environments/Pulumi.aws-prod.yaml names it. It has no permissions in AWS.
    iam.create_role(RELEASE_ROLE, json.dumps(trust), "/", None, "Approves promotions of models", [], "3600")


def _images(ec2: Any) -> None:
    from moto.ec2.models.amis import Ami

    from twin.aws.services.eks.operations.versions import AMI_TYPES, VERSIONS, release_version

    for version in VERSIONS:
        for kind in AMI_TYPES.values():
            if not kind.image or not kind.supports(version):
                continue
            id_ = image_id(version, kind.name, release_version(version, kind.name))
            ec2.amis[id_] = Ami(
                ec2,
                id_,
                name=kind.image_name(version, release_version(version, kind.name)),
                description=f"EKS-optimized Kubernetes node {version}",
                owner_id=EKS_IMAGE_OWNER,
                owner_alias="amazon",
                public=True,
                virtualization_type="hvm",
                architecture=kind.architecture,
                root_device_type="ebs",
                root_device_name="/dev/xvda",
                hypervisor="xen",
                region_name=ec2.region_name,
                platform="windows" if kind.windows else None,
            )
