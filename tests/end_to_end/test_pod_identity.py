"""EKS Pod Identity: EKS Auth exchanges a token of the real API server for a session of the Pod's role."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import kubernetes
import pulumi
import pulumi_aws as aws
import pytest
from botocore.exceptions import ClientError

from tests.end_to_end.plain import Base, Plain
from twin import environment as variables

pytestmark = pytest.mark.end_to_end

AUDIENCE = "pods.eks.amazonaws.com"


def _program(cluster: str) -> None:
    """Declare a role for one service account, whose permissions depend on the session's tags."""
    account = aws.get_caller_identity().account_id
    conditions = {
        "aws:SourceAccount": account,
        "aws:RequestTag/kubernetes-namespace": "default",
        "aws:RequestTag/kubernetes-service-account": "reader",
    }
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": AUDIENCE},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Condition": {"StringEquals": conditions},
    }
    objects = "arn:aws:s3:::pod-identity-data/${aws:PrincipalTag/kubernetes-service-account}/*"
    role = aws.iam.Role(
        "reader",
        name="pod-reader",
        assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    aws.iam.RolePolicy(
        "reader",
        role=role.name,
        policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": objects}],
            }
        ),
    )
    for name in ("reader", "other"):
        aws.eks.PodIdentityAssociation(
            name, cluster_name=cluster, namespace="default", service_account=name, role_arn=role.arn
        )
    aws.s3.Bucket("data", bucket="pod-identity-data", force_destroy=True)
    pulumi.export("role", role.arn)


class Cluster:
    """The cluster's name, and tokens of its service accounts."""

    def __init__(self, plain: Plain, base: Base) -> None:
        self.plain, self.name = plain, base.cluster
        self.core: Any = kubernetes.client.CoreV1Api(
            kubernetes.config.new_client_from_config(str(plain.instance.kubeconfig))
        )

    def token(self, account: str, audience: str = AUDIENCE) -> str:
        """Return a token of a service account, as the kubelet mounts it."""
        spec = {"audiences": [audience], "expirationSeconds": 3600}
        return self.core.create_namespaced_service_account_token(
            account, "default", {"spec": spec}
        ).status.token

    def assume(self, token: str) -> Any:
        """Return the answer that EKS's agent on the node gets for a token."""
        return self.plain.aws("eks-auth").assume_role_for_pod_identity(clusterName=self.name, token=token)

    def refused(self, token: str) -> str:
        """Return the error code with which a token is refused."""
        with pytest.raises(ClientError) as caught:
            self.assume(token)
        error: Any = caught.value.response
        return error["Error"]["Code"]


@pytest.fixture(scope="module")
def cluster(plain: Plain, base: Base) -> Iterator[Cluster]:
    """Two service accounts with an association, of which the trust policy allows one, and one without."""
    stack = plain.stack("pod-identity", lambda: _program(base.cluster))
    stack.up()
    cluster = Cluster(plain, base)
    for name in ("reader", "other", "unassociated"):
        cluster.core.create_namespaced_service_account("default", {"metadata": {"name": name}})
    s3 = plain.aws("s3")
    for place in ("reader", "other"):
        s3.put_object(Bucket="pod-identity-data", Key=f"{place}/file", Body=b"data")
    yield cluster
    for name in ("reader", "other", "unassociated"):
        cluster.core.delete_namespaced_service_account(name, "default")
    stack.destroy()


def test_a_token_of_the_api_server_is_exchanged_for_a_session_of_the_role(cluster: Cluster) -> None:
    answer = cluster.assume(cluster.token("reader"))
    assert answer["subject"] == {"namespace": "default", "serviceAccount": "reader"}
    assert ":assumed-role/pod-reader/eks-" in answer["assumedRoleUser"]["arn"]
    key = answer["credentials"]
    environment = variables.environment(cluster.plain.instance)
    session = boto3.session.Session(
        key["accessKeyId"], key["secretAccessKey"], key["sessionToken"], cluster.plain.instance.region
    )
    endpoint = environment["AWS_ENDPOINT_URL"]
    who = session.client("sts", endpoint_url=endpoint).get_caller_identity()["Arn"]
    assert who == answer["assumedRoleUser"]["arn"]
    s3 = session.client("s3", endpoint_url=endpoint)
    assert s3.get_object(Bucket="pod-identity-data", Key="reader/file")["Body"].read() == b"data"
    with pytest.raises(ClientError, match="no identity-based policy allows the s3:GetObject"):
        s3.get_object(Bucket="pod-identity-data", Key="other/file")


def test_other_tokens_are_refused(cluster: Cluster) -> None:
    assert cluster.refused(cluster.token("reader", "sts.amazonaws.com")) == "InvalidTokenException"
    assert cluster.refused(cluster.token("reader")[:-4] + "AAAA") == "InvalidTokenException"
    assert cluster.refused(cluster.token("unassociated")) == "ResourceNotFoundException", (
        "it has no association"
    )
    assert cluster.refused(cluster.token("other")) == "AccessDeniedException", (
        "the trust policy names another service account"
    )
