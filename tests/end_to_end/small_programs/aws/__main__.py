"""A network with its parts, a key, a role, and an object in the cluster."""

import json
import os
from pathlib import Path

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

cloud = pulumi.ResourceOptions(provider=aws.Provider("cloud", region=os.environ["AWS_REGION"]))
vpc = aws.ec2.Vpc("main", cidr_block="10.0.0.0/16", enable_dns_hostnames=True, opts=cloud)
for index in range(3):
    aws.ec2.Subnet(f"part-{index}", vpc_id=vpc.id, cidr_block=f"10.0.{index}.0/24", opts=cloud)
aws.ec2.InternetGateway("main", vpc_id=vpc.id, opts=cloud)
key = aws.kms.Key("main", description="encrypts the logs", opts=cloud)
aws.cloudwatch.LogGroup("main", retention_in_days=7, opts=cloud)
trust = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
    ],
}
role = aws.iam.Role("main", assume_role_policy=json.dumps(trust), opts=cloud)
cluster = kubernetes.Provider("cluster", kubeconfig=Path(os.environ["KUBECONFIG"]).read_text())
kubernetes.core.v1.ConfigMap(
    "main",
    metadata={"name": "small", "namespace": "default"},
    data={"vpc": vpc.id, "key": key.arn},
    opts=pulumi.ResourceOptions(provider=cluster),
)
