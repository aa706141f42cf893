"""Events and requests that reach functions: authorization, what is repeated, and where failures go."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from twin.aws.api_server.request import environ_of
from twin.tests.aws.api_servers import Clients

CODE = """
import json, os

def handle(event, context):
    if "requestContext" in event:
        return {"statusCode": 201, "headers": {"x-version": context.function_version},
                "body": json.dumps({"path": event["rawPath"], "body": event.get("body")})}
    if event.get("detail", {}).get("object", {}).get("key", "bad").startswith("in/bad"):
        raise ValueError("bad")
    print("got", event["detail"]["object"]["key"])
"""
NAME = "listener"


def _zip(code: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", code)
    return packed.getvalue()


def _document(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def _eventually(condition: Callable[[], Any]) -> Any:
    for _ in range(600):
        result = condition()
        if result:
            return result
        time.sleep(0.1)
    raise AssertionError("nothing came")


@pytest.fixture(scope="module")
def listener(clients: Clients) -> Clients:
    """A function with an alias, a bucket whose events go to it, and a queue of failures."""
    iam, functions, s3 = clients("iam"), clients("lambda"), clients("s3")
    trust = _document(Principal={"Service": "lambda.amazonaws.com"}, Action="sts:AssumeRole")
    role = iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    rights = _document(Action=["sqs:SendMessage", "logs:CreateLogStream", "logs:PutLogEvents"], Resource="*")
    iam.put_role_policy(RoleName=NAME, PolicyName=NAME, PolicyDocument=rights)
    for caller in ("caller", "stranger"):
        account = _document(Principal={"AWS": clients.server.instance.account}, Action="sts:AssumeRole")
        iam.create_role(RoleName=caller, AssumeRolePolicyDocument=account)
    clients("logs").create_log_group(logGroupName=f"/aws/lambda/{NAME}")
    functions.create_function(
        FunctionName=NAME,
        Role=role,
        Runtime="python3.13",
        Handler="app.handle",
        Code={"ZipFile": _zip(CODE)},
        Timeout=20,
        Publish=True,
    )
    alias = functions.create_alias(FunctionName=NAME, Name="live", FunctionVersion="1")["AliasArn"]
    queue = clients("sqs").create_queue(QueueName=f"{NAME}-dead")["QueueUrl"]
    queue_arn = f"arn:aws:sqs:{clients.server.instance.region}:{clients.server.instance.account}:{NAME}-dead"
    functions.put_function_event_invoke_config(
        FunctionName=NAME,
        Qualifier="live",
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": queue_arn}},
    )
    s3.create_bucket(
        Bucket="heard-123", CreateBucketConfiguration={"LocationConstraint": clients.server.instance.region}
    )
    s3.put_bucket_notification_configuration(
        Bucket="heard-123", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": ["heard-123"]}, "object": {"key": [{"prefix": "in/"}]}},
    }
    rule = clients("events").put_rule(Name=NAME, EventPattern=json.dumps(pattern))["RuleArn"]
    clients("events").put_targets(
        Rule=NAME, Targets=[{"Id": "function", "Arn": alias, "DeadLetterConfig": {"Arn": queue_arn}}]
    )
    clients.rule, clients.queue = rule, queue  # type: ignore[attr-defined]
    return clients


def _letters(clients: Clients) -> list[dict[str, Any]]:
    queue: str = clients.queue  # type: ignore[attr-defined]
    messages = clients("sqs").receive_message(QueueUrl=queue).get("Messages", [])
    for message in messages:
        clients("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in messages]


def _log(clients: Clients) -> list[str]:
    events = clients("logs").filter_log_events(logGroupName=f"/aws/lambda/{NAME}")["events"]
    return [event["message"] for event in events]


@pytest.mark.end_to_end  # real processes
def test_an_object_reaches_the_function_as_its_policy_allows(listener: Clients) -> None:
    s3 = listener("s3")
    s3.put_object(Bucket="heard-123", Key="in/early", Body=b"1")
    [letter] = _eventually(lambda: _letters(listener))
    assert letter["detail"]["object"]["key"] == "in/early", "without a permission it is a dead letter"
    assert letter["source"] == "aws.s3"
    listener("lambda").add_permission(
        FunctionName=NAME,
        Qualifier="live",
        StatementId="events",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=listener.rule,  # type: ignore[attr-defined]
    )
    s3.put_object(Bucket="heard-123", Key="out/other", Body=b"1")
    s3.put_object(Bucket="heard-123", Key="in/good", Body=b"1")
    _eventually(lambda: "got in/good" in _log(listener))
    assert "got out/other" not in _log(listener)
    s3.put_object(Bucket="heard-123", Key="in/bad", Body=b"1")
    [letter] = _eventually(lambda: _letters(listener))
    assert letter["requestContext"]["condition"] == "RetriesExhausted"
    assert letter["requestContext"]["approximateInvokeCount"] == 2
    assert letter["requestPayload"]["detail"]["object"]["key"] == "in/bad"
    assert letter["responsePayload"] | {"requestId": ""} == {
        "errorType": "ValueError",
        "errorMessage": "bad",
        "requestId": "",
        "stackTrace": letter["responsePayload"]["stackTrace"],
    }


def _request(clients: Clients, url: str, role: str | None) -> Any:
    host = url.partition("//")[2].rstrip("/")
    request = AWSRequest("POST", f"https://{host}/score", {"host": host, "content-type": "text/plain"}, b"hi")
    if role:
        arn = f"arn:aws:iam::{clients.server.instance.account}:role/{role}"
        key = clients("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])
        SigV4Auth(credentials, "lambda", clients.server.instance.region).add_auth(request)
    return clients.server.handle(environ_of("POST", "/score", list(request.headers.items()), b"hi"))


@pytest.mark.end_to_end  # real processes
def test_a_url_answers_callers_with_both_rights(listener: Clients) -> None:
    functions = listener("lambda")
    url = functions.create_function_url_config(FunctionName=NAME, Qualifier="live", AuthType="AWS_IAM")[
        "FunctionUrl"
    ]
    caller = f"arn:aws:iam::{listener.server.instance.account}:role/caller"
    common = {"FunctionName": NAME, "Qualifier": "live", "Principal": caller}
    functions.add_permission(
        StatementId="url", Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="AWS_IAM", **common
    )
    assert _request(listener, url, "caller").status == 403, "since October 2025 one right is not enough"
    functions.add_permission(
        StatementId="function", Action="lambda:InvokeFunction", InvokedViaFunctionUrl=True, **common
    )
    answer = _request(listener, url, "caller")
    assert (answer.status, json.loads(answer.body)) == (201, {"path": "/score", "body": "hi"})
    assert dict(answer.headers)["x-version"] == "1"
    assert _request(listener, url, "stranger").status == 403
    unsigned = _request(listener, url, None)
    assert (unsigned.status, json.loads(unsigned.body)) == (403, {"Message": "Forbidden"})


def test_an_alias_has_two_published_versions_at_most(listener: Clients) -> None:
    functions = listener("lambda")
    functions.update_function_code(FunctionName=NAME, ZipFile=_zip(CODE + "# 2"))
    second = functions.publish_version(FunctionName=NAME)["Version"]
    assert second == "2"
    for weights in ({"1": 0.5}, {"3": 0.5}):
        with pytest.raises(ClientError):
            functions.update_alias(
                FunctionName=NAME,
                Name="live",
                FunctionVersion="1",
                RoutingConfig={"AdditionalVersionWeights": weights},
            )
    answer = functions.update_alias(
        FunctionName=NAME,
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}},
    )
    assert answer["RoutingConfig"] == {"AdditionalVersionWeights": {"2": 0.1}}


def test_a_hundred_executions_stay_unreserved(listener: Clients) -> None:
    functions = listener("lambda")
    with pytest.raises(ClientError, match=r"below its minimum value of \[100\]"):
        functions.put_function_concurrency(FunctionName=NAME, ReservedConcurrentExecutions=901)
    functions.put_function_concurrency(FunctionName=NAME, ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError, match="Rate Exceeded"):
        functions.invoke(FunctionName=NAME, Payload=b"{}")
    functions.delete_function_concurrency(FunctionName=NAME)
    quota = listener("service-quotas").get_service_quota(ServiceCode="lambda", QuotaCode="L-B99A9384")
    assert quota["Quota"]["Value"] == 1000
