"""AWS identities of Pods on the twin's EKS: sessions by EKS Pod Identity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import boto3
import kubernetes

from tests.end_to_end.harness import Twin
from twin import environment

_AUDIENCE = "pods.eks.amazonaws.com"
_CONFLICT = 409


def session(twin: Twin, cluster: str, namespace: str, account: str) -> dict[str, str]:
    """Create a service account, with its namespace, where it does not exist, and return the variables of its
    Pods."""
    core = twin.core()
    for create in (
        lambda: core.create_namespace({"metadata": {"name": namespace}}),
        lambda: core.create_namespaced_service_account(namespace, {"metadata": {"name": account}}),
    ):
        try:
            create()
        except kubernetes.client.ApiException as error:
            if error.status != _CONFLICT:
                raise
    return session_of(twin, cluster, namespace, account)


def session_of(twin: Twin, cluster: str, namespace: str, account: str) -> dict[str, str]:
    """Return the variables of the Pods of an existing service account, by a token of the real API server."""
    spec = {"audiences": [_AUDIENCE], "expirationSeconds": 3600}
    token = (
        twin.core().create_namespaced_service_account_token(account, namespace, {"spec": spec}).status.token
    )
    key = twin.aws("eks-auth").assume_role_for_pod_identity(clusterName=cluster, token=token)["credentials"]
    return {
        "AWS_ACCESS_KEY_ID": key["accessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["secretAccessKey"],
        "AWS_SESSION_TOKEN": key["sessionToken"],
    }


def assumed(sts: Any, role: str, tags: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables of a session of a role, by a client of STS that may assume it. tags: of the
    session."""
    session_tags = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    key = sts.assume_role(RoleArn=role, RoleSessionName="test", Tags=session_tags)["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        "AWS_SESSION_TOKEN": key["SessionToken"],
    }


def place(twin: Twin) -> dict[str, str]:
    """Return the variables with the twin's endpoint and region."""
    env_vars = environment.environment(twin.instance)
    return {name: env_vars[name] for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION")}


def client(twin: Twin, key: dict[str, str], service: str) -> Any:
    """Return a boto3 client with a session's variables."""
    boto_session = boto3.session.Session(
        key["AWS_ACCESS_KEY_ID"], key["AWS_SECRET_ACCESS_KEY"], key["AWS_SESSION_TOKEN"], twin.instance.region
    )
    make: Any = boto_session.client  # its types know each service by a literal
    return make(service, endpoint_url=place(twin)["AWS_ENDPOINT_URL"])
