"""EKS Auth: credentials for a Pod, by the token that its service account has for pods.eks.amazonaws.com.

EKS user guide, "Understand how EKS Pod Identity works", "Grant Pods access to AWS resources based on tags".
"""

from __future__ import annotations

import json
import re
import uuid
from typing import Any, Final

from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.iam import trust
from twin.aws.iam.principals import role_of
from twin.aws.services.eks.operations import pod_identity
from twin.aws.services.eks.operations.store import Thing
from twin.aws.validation.parameters import violations
from twin.kubernetes.api import ApiError, Kube, Unreachable, path

Params = dict[str, Any]

_LIFE: Final = 6 * 3600
"""Seconds that the credentials hold."""
_ACCOUNT: Final = re.compile(r"system:serviceaccount:([^:]+):([^:]+)")
_POD: Final = "authentication.kubernetes.io/pod-"


def answer(call: Call, server: Any) -> Answer | None:
    """AssumeRoleForPodIdentity; None for a call of any other service."""
    if call.service != "eks-auth":
        return None
    if call.operation != "AssumeRoleForPodIdentity":
        raise NotImplementedError("EKS Auth has one operation")
    errors = violations("eks-auth", call.operation, call.params)
    if errors:
        raise Refusal(
            "InvalidParameterException", "; ".join(f"{why} (at '{where}')" for where, why in errors)
        )
    eks = server.eks
    with eks.store.lock:
        cluster = eks.cluster(str(call.params["clusterName"]))
    # The API server of the cluster may ask this one in turn who a token is: nothing is held meanwhile.
    user = _reviewed(server, str(call.params["token"]))
    with eks.store.lock, server.moto.lock:
        body = _session(server, cluster, user)
    return Answer(200, [("Content-Type", "application/json")], json.dumps(body).encode())


def _reviewed(server: Any, token: str) -> Params:
    """The user of a token, as the cluster's API server reports it."""
    review = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": token, "audiences": [pod_identity.SERVICE]},
    }
    try:
        reported = Kube(server.instance.kubeconfig).create(
            path("authentication.k8s.io/v1", "tokenreviews"), review
        )
    except (ApiError, Unreachable) as error:
        raise Refusal("ServiceUnavailableException", f"The cluster does not answer: {error}", 503) from None
    status: Params = reported.get("status") or {}
    if not status.get("authenticated") or pod_identity.SERVICE not in (status.get("audiences") or []):
        if "expired" in str(status.get("error")):
            raise Refusal("ExpiredTokenException", "The token included in the request is expired")
        raise Refusal("InvalidTokenException", "The token included in the request is invalid")
    return status["user"]


def _session(server: Any, cluster: Thing, user: Params) -> Params:
    who = _ACCOUNT.fullmatch(str(user.get("username")))
    if who is None:
        raise Refusal("InvalidTokenException", "The token included in the request is of no service account")
    namespace, account = who.groups()
    eks = server.eks
    association = pod_identity.find(eks, cluster.name, namespace, account)
    if association is None:
        raise Refusal(
            "ResourceNotFoundException",
            f"No association found for clusterName: {cluster.name}, namespace: {namespace}, "
            f"serviceAccount: {account}",
            404,
        )
    description = association.description
    if description.get("targetRoleArn"):
        raise NotImplementedError("a pod identity association with a target role")
    extra: dict[str, list[str]] = user.get("extra") or {}
    pod = (extra.get(f"{_POD}name") or [""])[0]
    tags = {} if description.get("disableSessionTags") else _tags(eks, cluster, (namespace, account), extra)
    _trusted(server, cluster, description["roleArn"], tags)
    name = f"eks-{cluster.name[:18]}-{pod[:20]}-{uuid.uuid4().hex[:20]}"
    response = eks.aws.call(
        "sts",
        "assume_role",
        RoleArn=description["roleArn"],
        RoleSessionName=name,
        DurationSeconds=_LIFE,
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        TransitiveTagKeys=list(tags),
    )
    key = response["Credentials"]
    return {
        "subject": {"namespace": namespace, "serviceAccount": account},
        "audience": pod_identity.SERVICE,
        "podIdentityAssociation": {
            "associationArn": description["associationArn"],
            "associationId": description["associationId"],
        },
        "assumedRoleUser": {
            "arn": response["AssumedRoleUser"]["Arn"],
            "assumeRoleId": response["AssumedRoleUser"]["AssumedRoleId"],
        },
        "credentials": {
            "accessKeyId": key["AccessKeyId"],
            "secretAccessKey": key["SecretAccessKey"],
            "sessionToken": key["SessionToken"],
            "expiration": key["Expiration"].timestamp(),
        },
    }


def _tags(eks: Any, cluster: Thing, who: tuple[str, str], extra: dict[str, list[str]]) -> dict[str, str]:
    tags = pod_identity.tags_of(eks, cluster, *who)
    for part in ("name", "uid"):
        if extra.get(f"{_POD}{part}"):
            tags[f"kubernetes-pod-{part}"] = extra[f"{_POD}{part}"][0]
    return tags


def _trusted(server: Any, cluster: Thing, arn: str, tags: dict[str, str]) -> None:
    """Refuse a role whose trust policy does not let EKS in for this Pod."""
    context = pod_identity.context(server.eks, cluster, tags)
    role = role_of(server.moto, arn)
    if role is None or not trust.lets(role, pod_identity.SERVICE, context, pod_identity.actions(tags)):
        raise Refusal(
            "AccessDeniedException",
            f"Unauthorized Exception! EKS does not have permissions to assume the associated role {arn}",
        )
