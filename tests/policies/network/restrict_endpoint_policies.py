"""Spec of network.restrict_endpoint_policies."""

from __future__ import annotations

import json
from typing import Any

from tests.policies.spec import UNKNOWN, Case, Fails, Spec, resource


def _endpoint(service: str = "s3", **more: Any) -> Any:
    name = f"com.amazonaws.eu-central-1.{service}"
    return resource("aws:ec2/vpcEndpoint:VpcEndpoint", {"serviceName": name, **more})


def _policy(**more: Any) -> str:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*", **more}
    return json.dumps({"Statement": [statement]})


_OWN = {"StringEquals": {"aws:ResourceAccount": "111122223333"}}

SPEC = Spec(
    passes={
        "an endpoint for the own account": _endpoint(policy=_policy(Condition=_OWN)),
        "one for some buckets": _endpoint(policy=_policy(Resource=["arn:aws:s3:::acme/*"])),
        "an endpoint of a service without data": _endpoint("sts"),
    },
    fails={
        "an endpoint with defaults": Fails(_endpoint(), "policy", "all data of s3"),
        "a policy that allows everything": Fails(
            _endpoint("secretsmanager", policy=_policy()),
            "policy.Statement[0].Principal",
            "other accounts' resources",
        ),
        "a policy next to its endpoint": Fails(
            resource("aws:ec2/vpcEndpointPolicy:VpcEndpointPolicy", {"policy": _policy()}),
            "policy.Statement[0].Principal",
        ),
    },
    unknown={"a policy that is unknown": _endpoint(policy=UNKNOWN)},
    configured={
        "a service that is not listed": Case(_endpoint(), {"services": ["kms"]}, fails=False),
        "one that is listed": Case(_endpoint("ecr.dkr"), {"services": ["ecr.dkr"]}, fails=True),
    },
)
