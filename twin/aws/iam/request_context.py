"""What conditions of policies may ask of a request."""

from __future__ import annotations

from typing import Any

from twin.aws.api_server.request import Call
from twin.aws.iam import policy_evaluation
from twin.aws.iam.policy_statements import Context
from twin.aws.iam.principals import Principal


def context(call: Call, server: Any, who: Principal) -> Context:
    """What conditions may ask of a request that came from outside."""
    region = call.region or server.instance.region
    keys = policy_evaluation.context(who, server.instance.account, region)
    keys["aws:SourceIp"] = str(call.environ.get("REMOTE_ADDR") or "127.0.0.1")
    agent = call.environ.get("HTTP_USER_AGENT")
    return {**keys, "aws:UserAgent": str(agent)} if agent else keys
