"""What the tests of EKS begin with: a network, roles, a cluster."""

from __future__ import annotations

import base64
import json
from typing import Any

from botocore.signers import RequestSigner

from twin.tests.aws.api_servers import Clients

Names = dict[str, Any]


def role(clients: Clients, name: str, service: str) -> str:
    """A role that a service may take."""
    allow = {
        "Effect": "Allow",
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Principal": {"Service": service},
    }
    text = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    return clients("iam").create_role(RoleName=name, AssumeRolePolicyDocument=text)["Role"]["Arn"]


def network_and_roles(clients: Clients) -> Names:
    """A VPC with subnets in three zones; roles for a cluster, its nodes and its Pods."""
    ec2 = clients("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-west-2{zone}")[
            "Subnet"
        ]["SubnetId"]
        for n, zone in enumerate("abd")
    ]
    return {
        "vpc": vpc,
        "subnets": subnets,
        "cluster_role": role(clients, "cluster", "eks.amazonaws.com"),
        "node_role": role(clients, "node", "ec2.amazonaws.com"),
        "pod_role": role(clients, "pod", "pods.eks.amazonaws.com"),
    }


def make_cluster_of(clients: Clients, names: Names, **more: Any) -> dict[str, Any]:
    """CreateCluster `demo` on that network."""
    full: Names = {
        "name": "demo",
        "version": "1.34",
        "roleArn": names["cluster_role"],
        "resourcesVpcConfig": {
            "subnetIds": names["subnets"],
            "endpointPrivateAccess": True,
            "endpointPublicAccess": False,
        },
        "accessConfig": {"authenticationMode": "API"},
        "upgradePolicy": {"supportType": "EXTENDED"},
        **more,
    }
    return clients("eks").create_cluster(**full)["cluster"]


def view(clients: Clients, name: str, /, **body: Any) -> Any:
    """What the controller asks."""
    return clients.server.eks.view(name, body)


def group_params(names: Names, **more: Any) -> Names:
    """A node group that is right, changed; None leaves one out."""
    full: Names = {
        "clusterName": "demo",
        "nodegroupName": "gpu",
        "subnets": names["subnets"],
        "nodeRole": names["node_role"],
        "instanceTypes": ["g5.xlarge"],
        "scalingConfig": {"minSize": 0, "maxSize": 4, "desiredSize": 0},
        **more,
    }
    return {key: value for key, value in full.items() if value is not None}


def token(clients: Clients, cluster: str) -> str:
    """What `aws eks get-token` makes."""
    sts = clients("sts")
    signer = RequestSigner(
        sts.meta.service_model.service_id,
        "us-west-2",
        "sts",
        "v4",
        sts._request_signer._credentials,
        sts.meta.events,
    )
    request = {
        "method": "GET",
        "url": "https://sts.us-west-2.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15",
        "body": {},
        "headers": {"x-k8s-aws-id": cluster},
        "context": {},
    }
    url = signer.generate_presigned_url(request, "GetCallerIdentity", 60)
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
