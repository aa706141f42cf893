"""Functions that are really executed: as their role, with their code alone, within their time."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from twin.aws.server import application, bind
from twin.property_values import Archive, Asset
from twin.provider_interface import CloudError
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources.life import Made, make, refused

FUNCTION = "aws:lambda/function:Function"
INVOCATION = "aws:lambda/invocation:Invocation"
PERMISSION = "aws:lambda/permission:Permission"
CODE = """
import os, sys, time
from keeper import tools

def handle(event, context):
    if "raise" in event:
        raise tools.Refused(event["raise"])
    if "sleep" in event:
        time.sleep(event["sleep"])
    if "exit" in event:
        os._exit(event["exit"])
    if "import" in event:
        __import__(event["import"])
    if "put" in event:
        import boto3
        s3 = boto3.client("s3")
        counted = s3.list_objects_v2(Bucket=event["put"])["KeyCount"]
        s3.put_object(Bucket=event["put"], Key=f"made-{counted}", Body=b"by the function")
        return {"who": boto3.client("sts").get_caller_identity()["Arn"], "counted": counted}
    print("event", event)
    return {"echo": event, "name": context.function_name, "left": context.get_remaining_time_in_millis() > 0,
            "mode": os.environ["MODE"], "home": os.environ["HOME"] == os.environ["TMPDIR"],
            "path": os.getcwd() == os.environ["LAMBDA_TASK_ROOT"]}
"""
TOOLS = "class Refused(Exception):\n    pass\n"


def archive(code: str = CODE) -> Archive:
    """The code as a program gives it; the hash is the engine's."""
    files = {"keeper/__init__.py": "", "keeper/handler.py": code, "keeper/tools.py": TOOLS}
    return Archive(assets={name: Asset(text=text) for name, text in files.items()}, hash=str(hash(code)))


@pytest.fixture(scope="module")
def served(clients: Clients) -> Iterator[Clients]:
    """The API server on its port: a function calls it as any program does."""
    server = bind(clients.server.instance)
    server.app = lambda environ, start: application(clients.server)(environ, start)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield clients
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def role(clients: Clients) -> str:
    """A role of Lambda's that may write into one bucket and into its log group."""
    iam = clients("iam")

    def document(**statement: Any) -> str:
        return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})

    trust = document(Principal={"Service": "lambda.amazonaws.com"}, Action="sts:AssumeRole")
    arn = iam.create_role(RoleName="keeper", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    trust = document(Principal={"Service": "ec2.amazonaws.com"}, Action="sts:AssumeRole")
    iam.create_role(RoleName="other", AssumeRolePolicyDocument=trust)
    actions = ["s3:PutObject", "s3:ListBucket", "logs:CreateLogStream", "logs:PutLogEvents"]
    rights = document(
        Action=actions, Resource=["arn:aws:s3:::kept-123", "arn:aws:s3:::kept-123/*", "arn:aws:logs:*:*:*"]
    )
    iam.put_role_policy(RoleName="keeper", PolicyName="keeper", PolicyDocument=rights)
    for bucket in ("kept-123", "closed-123"):
        clients("s3").create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
        )
    clients("logs").create_log_group(logGroupName="/aws/lambda/keeper")
    return arn


def function(clients: Clients, role: str, **more: Any) -> Made:
    arguments: dict[str, Any] = {
        "name": "keeper",
        "role": role,
        "runtime": "python3.13",
        "handler": "keeper.handler.handle",
        "code": archive(),
        "architectures": ["arm64"],
        "loggingConfig": {"logFormat": "JSON", "logGroup": "/aws/lambda/keeper"},
        "environment": {"variables": {"MODE": "test"}},
        **more,
    }
    return make(clients.context(), FUNCTION, **{k: v for k, v in arguments.items() if v is not None})


def invoke(clients: Clients, **event: Any) -> tuple[str, Any]:
    answer = clients("lambda").invoke(FunctionName="keeper", Payload=json.dumps(event))
    return answer.get("FunctionError", ""), json.loads(answer["Payload"].read())


@pytest.mark.end_to_end  # real processes, that load the AWS SDK
def test_a_function_runs_as_its_role_and_changes_the_cloud_once(served: Clients, role: str) -> None:
    from twin.aws.api_server.server import ApiServer

    keeper = function(served, role, timeout=30, tags={"team": "ml"})
    outputs = keeper.outputs
    assert outputs["arn"].endswith(":function:keeper")
    assert (outputs["memorySize"], outputs["timeout"], outputs["version"]) == (128, 30, "$LATEST")
    assert outputs["loggingConfig"] == {"logFormat": "JSON", "logGroup": "/aws/lambda/keeper"}
    failed, answer = invoke(served, a=1)
    assert (failed, answer["echo"], answer["name"], answer["mode"]) == ("", {"a": 1}, "keeper", "test")
    assert answer["left"]
    assert answer["home"]
    assert answer["path"]
    wanted = json.dumps({"put": "kept-123"})
    served.intent = "once"
    once = make(served.context(), INVOCATION, functionName="keeper", input=wanted)
    result = json.loads(once.outputs["result"])
    assert result == {"who": result["who"], "counted": 0}
    assert result["who"].endswith(":assumed-role/keeper/keeper")
    again, outputs = once.kind.create(once.context, once.inputs)
    assert (again, outputs) == (once.id, once.outputs), "under its intent it is made once"
    served.intent = ""
    messages = [
        event["message"]
        for event in served("logs").filter_log_events(logGroupName="/aws/lambda/keeper")["events"]
    ]
    assert "event {'a': 1}" in messages
    _, refusal = invoke(served, put="closed-123")
    assert "AccessDenied" in refusal["errorMessage"], "its role is all that it may"
    instance = served.server.instance
    served.server.close()
    served.server.moto.forget()
    served.server = ApiServer(instance)
    assert served.server.replayed.renamed == []
    keys = [object_["Key"] for object_ in served("s3").list_objects_v2(Bucket="kept-123")["Contents"]]
    assert keys == ["made-0"], "what it changed is there once"
    served.intent = "once"
    assert once.kind.create(once.context, once.inputs) == (once.id, once.outputs)
    served.intent = ""
    assert keeper.read() == keeper.outputs
    keeper.delete()
    assert keeper.read() is None
    assert "awslambda/functions" not in served.server._inventory.of(served.server)


@pytest.mark.end_to_end  # real processes, one of which runs out of its time
def test_what_a_function_raises_is_reported_as_by_lambda(served: Clients, role: str) -> None:
    keeper = function(served, role, timeout=1)
    failed, answer = invoke(served, **{"raise": "column x is gone"})
    assert (failed, answer["errorType"], answer["errorMessage"]) == (
        "Unhandled",
        "Refused",
        "column x is gone",
    )
    assert "raise tools.Refused" in answer["stackTrace"][-1]
    with pytest.raises(CloudError, match=r"Lambda function \(keeper\) returned error: .*column x is gone"):
        make(served.context(), INVOCATION, functionName="keeper", input='{"raise": "column x is gone"}')
    failed, answer = invoke(served, sleep=5)
    assert (failed, answer["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert "Task timed out after 1.00 seconds" in answer["errorMessage"]
    assert invoke(served, exit=3)[1]["errorType"] == "Runtime.ExitError"
    assert invoke(served, **{"import": "pulumi"})[1]["errorType"] == "ModuleNotFoundError", (
        "Lambda has it not"
    )
    changed = keeper.update(code=archive("def handle(event, context): return event"), description="new")
    assert changed["description"] == "new"
    assert invoke(served, a=2)[1] == {"a": 2}
    keeper.update(handler="keeper.handler.none")
    assert invoke(served)[1]["errorType"] == "Runtime.HandlerNotFound"
    keeper.delete()


IMAGE = "123456789012.dkr.ecr.us-west-2.amazonaws.com/team/score"
ECHO = """
import json, os, urllib.request
runtime = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"
with urllib.request.urlopen(f"{runtime}/next") as answer:
    request, event = answer.headers["Lambda-Runtime-Aws-Request-Id"], json.load(answer)
import boto3
who = boto3.client("sts").get_caller_identity()["Arn"]
uri = os.environ["PYICEBERG_CATALOG__DEFAULT__URI"]
body = {"event": event, "who": who, "mode": os.environ["MODE"], "uri": uri}
urllib.request.urlopen(f"{runtime}/{request}/response", json.dumps(body).encode())
"""


@pytest.mark.end_to_end  # a real process
def test_a_function_of_an_image_runs_the_program_of_the_table(
    served: Clients, role: str, tmp_path: Path
) -> None:
    (tmp_path / "echo.py").write_text(ECHO)
    folder = served.server.instance.folder
    table = f'["team/score"]\nfolder = "{tmp_path}"\nentrypoint = ["python", "echo.py"]\n'
    (folder / "images.toml").write_text(table)
    variables = {
        "MODE": "test",
        "PYICEBERG_CATALOG__DEFAULT__URI": "https://glue.us-west-2.amazonaws.com/iceberg",
    }
    of_image: dict[str, Any] = {"runtime": None, "handler": None, "code": None, "packageType": "Image"}
    of_image |= {"environment": {"variables": variables}, "timeout": 30}
    keeper = function(served, role, **of_image, imageUri=f"{IMAGE}@sha256:{'1' * 64}")
    failed, answer = invoke(served, a=1)
    assert not failed, answer
    assert (answer["event"], answer["mode"]) == ({"a": 1}, "test")
    assert answer["who"].endswith(":assumed-role/keeper/keeper")
    assert answer["uri"] == f"{served.server.instance.url('cloud')}/iceberg", "the twin's, not Amazon's"
    keeper.delete()
    unknown = function(served, role, **of_image, imageUri=f"{IMAGE}-other@sha256:{'1' * 64}")
    with pytest.raises(ClientError, match=r"score-other@sha256:1+, which no images\.toml has"):
        invoke(served)
    unknown.delete()


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"role": "arn:aws:iam::{account}:role/other"}, "role", "cannot be assumed by Lambda"),
        ({"runtime": "python3.8"}, "runtime", "python3.8 is no longer supported"),
        ({"environment": {"variables": {"AWS_REGION": "x"}}}, "environment.variables", "reserved keys"),
        ({"name": "n" * 65}, "name", "less than or equal to 64"),
        (
            {"loggingConfig": {"logFormat": "Text", "applicationLogLevel": "INFO"}},
            "loggingConfig",
            "only be specified when LogFormat is JSON",
        ),
        (
            {"vpcConfig": {"subnetIds": ["subnet-0"], "securityGroupIds": ["sg-0"]}},
            "vpcConfig",
            "permissions to call CreateNetworkInterface on EC2",
        ),
    ],
)
def test_what_lambda_refuses(clients: Clients, role: str, change: Any, path: str, words: str) -> None:
    account = clients.server.instance.account
    arguments = {k: v.format(account=account) if isinstance(v, str) else v for k, v in change.items()}
    with pytest.raises(CloudError, match=words) as error:
        function(clients, **{"role": role, **arguments})
    assert error.value.path.startswith(path.split(".")[0])


def test_what_the_provider_refuses_is_reported_by_check(clients: Clients, role: str) -> None:
    context = clients.context()
    bare = {"name": "f", "role": role}
    assert "must be specified" in refused(context, FUNCTION, **bare)["code"]
    assert "runtime" in refused(context, FUNCTION, **bare, code=archive())
    assert "invalid JSON" in refused(context, INVOCATION, functionName="f", input="{")["input"]
    assert "lifecycleScope" in refused(context, INVOCATION, functionName="f", input="{}", lifecycleScope="X")


def test_who_may_call_a_function(clients: Clients, role: str) -> None:
    keeper = function(clients, role)
    arguments = {"function": "keeper", "action": "lambda:InvokeFunction", "principal": "events.amazonaws.com"}
    allowed = make(
        clients.context(),
        PERMISSION,
        **arguments,
        statementId="events",
        sourceArn="arn:aws:events:us-west-2:123456789012:rule/x",
    )
    with pytest.raises(CloudError, match=r"statement id .* already exists") as error:
        make(clients.context(), PERMISSION, **arguments, statementId="events")
    assert error.value.path == "statementId"
    with pytest.raises(CloudError, match="ResourceConflictException"):
        function(clients, role)
    allowed.delete()
    assert allowed.read() is None
    with pytest.raises(CloudError, match="Function not found") as error:
        make(clients.context(), PERMISSION, **{**arguments, "function": "none"}, statementId="x")
    assert error.value.path == "function"
    keeper.delete()
