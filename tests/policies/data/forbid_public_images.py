"""Spec of data.forbid_public_images."""

from __future__ import annotations

from typing import Any

from policies.framework import Resource
from tests.policies.spec import UNKNOWN, Fails, Spec, resource

ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-1"


def _permission(**props: Any) -> Resource:
    return resource("aws:ec2/amiLaunchPermission:AmiLaunchPermission", {"imageId": "ami-1", **props})


def _distribution(**permission: Any) -> Resource:
    images = {"region": "eu-central-1", "amiDistributionConfiguration": {"launchPermission": permission}}
    return resource(
        "aws:imagebuilder/distributionConfiguration:DistributionConfiguration", {"distributions": [images]}
    )


def _snapshot(accounts: Any, kind: str = "snapshot:Snapshot") -> Resource:
    return resource(f"aws:rds/{kind}", {"sharedAccounts": accounts})


SPEC = Spec(
    passes={
        "an image for an account": _permission(accountId="111122223333"),
        "an image for the organization": _permission(organizationArn=ORGANIZATION),
        "built images for an account": _distribution(userIds=["111122223333"]),
        "a snapshot for an account": _snapshot(["111122223333"]),
        "a snapshot that is not shared": _snapshot(None),
        "a block": resource(
            "aws:ec2/imageBlockPublicAccess:ImageBlockPublicAccess", {"state": "block-new-sharing"}
        ),
    },
    fails={
        "an image for everyone": Fails(_permission(group="all"), "group", "every account"),
        "built images for everyone": Fails(
            _distribution(userGroups=["all"]),
            "distributions[0].amiDistributionConfiguration.launchPermission.userGroups[0]",
        ),
        "a snapshot for everyone": Fails(_snapshot(["all"]), "sharedAccounts[0]", "restore"),
        "a snapshot of a cluster for everyone": Fails(
            _snapshot(["111122223333", "all"], "clusterSnapshot:ClusterSnapshot"), "sharedAccounts[1]"
        ),
        "no block of images": Fails(
            resource("aws:ec2/imageBlockPublicAccess:ImageBlockPublicAccess", {"state": "unblocked"}), "state"
        ),
        "no block of snapshots": Fails(
            resource("aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess", {"state": "unblocked"}),
            "state",
        ),
    },
    unknown={
        "the group": _permission(group=UNKNOWN),
        "the accounts": _snapshot(UNKNOWN),
        "an account": _snapshot([UNKNOWN]),
    },
)
