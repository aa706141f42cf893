"""Functions on the twin's AWS: files that become rows of a table, and a URL that authenticates callers."""

from __future__ import annotations

import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pulumi
import pulumi_aws as aws
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.end_to_end.plain import Plain, trust
from twin import environment
from twin.tests.aws.services.athena.asking import Asking
from twin.tests.waiting import eventually

pytestmark = pytest.mark.end_to_end

EXAMPLES = Path(__file__).parents[2] / "examples" / "functions"
PREFIX = "acme-fn"
EVENTS: dict[str, Any] = {
    "zone": "curated",
    "name": "events",
    "columns": [
        {"name": "event_id", "type": "string", "required": True, "classification": "internal"},
        {"name": "happened_at", "type": "timestamptz", "classification": "internal"},
        {"name": "kind", "type": "string", "classification": "internal"},
        {"name": "amount", "type": "decimal(10,2)", "classification": "internal"},
        {"name": "source", "type": "string", "classification": "internal"},
    ],
}
GOOD = {"event_id": "a-1", "happened_at": "2026-11-29T10:00:00Z", "kind": "order", "amount": 12.5}
MODEL = """
import json, os

def handle(event, context):
    if "requestContext" not in event:
        raise ValueError("no request")
    amount = json.loads(event["body"])["amount"]
    body = {"version": os.environ["MODEL"], "score": amount * float(os.environ["WEIGHT"])}
    return {"statusCode": 200, "body": json.dumps(body)}
"""
"""A model of one coefficient: packages with compiled parts are for another Python than the twin's."""


def _by_account(account: str) -> str:
    """Return a trust policy for principals of the account."""
    root = {"AWS": f"arn:aws:iam::{account}:root"}
    statement = {"Effect": "Allow", "Principal": root, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _ingest(package: Path) -> None:
    from aiplatform.function import Function
    from aiplatform.lakehouse import Lakehouse

    account = aws.get_caller_identity().account_id
    pipeline = aws.iam.Role("pipeline", name="fn-pipeline", assume_role_policy=trust("glue.amazonaws.com"))
    # The role is older than the lakehouse, which grants it tables and files.
    role = aws.iam.Role("ingest", name=f"{PREFIX}-ingest", assume_role_policy=trust("lambda.amazonaws.com"))
    arn = f"arn:aws:iam::{account}:role/{PREFIX}-ingest"
    analyst = aws.iam.Role("analyst", name=f"{PREFIX}-analyst", assume_role_policy=_by_account(account))
    lake_args: Any = {
        "prefix": PREFIX,
        "force_destroy": True,
        "writers": [f"arn:aws:iam::{account}:role/fn-pipeline"],
        "file_readers": [arn],
        "tables": [EVENTS],
        "grants": [
            {"name": "ingest", "principal": arn, "actions": ["read", "write"], "tables": ["curated.events"]},
            {
                "name": "analysts",
                "principal": f"arn:aws:iam::{account}:role/{PREFIX}-analyst",
                "actions": ["read"],
                "tables": ["curated.events"],
            },
        ],
    }
    lake = Lakehouse("lake", lake_args, pulumi.ResourceOptions(depends_on=[pipeline, role, analyst]))
    args: Any = {
        "prefix": PREFIX,
        "name": "ingest",
        "owner": "data",
        "package": {"path": str(package), "runtime": "python3.13", "handler": "ingest.aws.handle"},
        "role": role.arn,
        "lakehouse": lake.outputs,
        "event": {"zone": "raw", "prefix": "files/incoming/"},
        "reads": [{"zone": "raw", "prefix": "files/incoming/", "kms_key": lake.kms_key}],
        "writes": [{"zone": "raw", "prefix": "files/quarantine/", "kms_key": lake.kms_key}],
        "environment": {
            "TABLE": lake.tables.apply(lambda tables: f"{tables[0]['database']}.{tables[0]['name']}"),
            "WORKGROUP": lake.workgroups.apply(lambda groups: (groups or {})["ingest"]),
            "QUARANTINE": "files/quarantine/",
        },
        "timeout_seconds": 120,
    }
    function = Function("ingest", args)
    pulumi.export("lake", lake.outputs)
    pulumi.export("function", function.outputs)


@pytest.fixture(scope="module")
def intake(plain: Plain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The lakehouse with the function of examples/functions/ingest."""
    package = tmp_path_factory.mktemp("ingest")
    shutil.copytree(
        EXAMPLES / "ingest" / "src" / "ingest",
        package / "ingest",
        ignore=shutil.ignore_patterns("gcp.py", "__pycache__"),
    )
    before = set(plain.inventory())
    stack = plain.stack("functions", lambda: _ingest(package))
    outputs = stack.up().outputs
    yield {"lake": outputs["lake"].value, "function": outputs["function"].value}
    stack.destroy()
    assert set(plain.inventory()) == before, "destroy deletes all of the function"


def _session(plain: Plain, role: str) -> boto3.Session:
    """Return a session of a role."""
    arn = f"arn:aws:iam::{plain.instance.account}:role/{role}"
    key = plain.aws("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    region = environment.environment(plain.instance)["AWS_REGION"]
    return boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"], region)


def _bucket(intake: dict[str, Any]) -> str:
    return intake["lake"]["zones"][0]["bucket"]


def test_an_object_ends_as_a_row_of_curated(plain: Plain, intake: dict[str, Any]) -> None:
    body = "\n".join(json.dumps({**GOOD, "event_id": f"a-{number}"}) for number in (1, 2)).encode()
    s3 = plain.aws("s3")
    for _ in range(2):
        s3.put_object(Bucket=_bucket(intake), Key="files/incoming/a.json", Body=body)
    s3.put_object(Bucket=_bucket(intake), Key="files/other/a.json", Body=b"not for the function")
    database = intake["lake"]["zones"][1]["database"]
    client: Any = _session(plain, f"{PREFIX}-analyst").client(
        "athena", endpoint_url=environment.environment(plain.instance)["AWS_ENDPOINT_URL"]
    )
    athena = Asking(client, intake["lake"]["workgroups"]["analysts"], database)

    def rows() -> list[list[Any]]:
        return athena.rows("SELECT event_id, kind, amount, source FROM events ORDER BY event_id")

    eventually("the rows are in the table", lambda: len(rows()) >= 2, 120)
    source = f"s3://{_bucket(intake)}/files/incoming/a.json"
    assert rows() == [["a-1", "order", "12.50", source], ["a-2", "order", "12.50", source]], "each once"


def test_an_invalid_object_is_in_quarantine_with_the_reason(plain: Plain, intake: dict[str, Any]) -> None:
    s3 = plain.aws("s3")
    s3.put_object(Bucket=_bucket(intake), Key="files/incoming/b.json", Body=b"{")

    def keys() -> list[str]:
        objects = s3.list_objects_v2(Bucket=_bucket(intake), Prefix="files/quarantine/")
        return [item["Key"] for item in objects.get("Contents", [])]

    target = "files/quarantine/files/incoming/b.json"
    expected = [target, f"{target}.reason.txt"]
    eventually("the object is in quarantine", lambda: keys() == expected, 120)
    reason = s3.get_object(Bucket=_bucket(intake), Key=expected[1])["Body"].read()
    assert reason.startswith(b"line 1: not JSON")


def test_an_event_that_fails_is_a_dead_letter_with_its_error(plain: Plain, intake: dict[str, Any]) -> None:
    """Another attempt may succeed where an object cannot be read; after three of them it is a dead letter."""
    plain.aws("lambda").invoke(
        FunctionName=intake["function"]["target"],
        InvocationType="Event",
        Payload=json.dumps(
            {"detail": {"bucket": {"name": _bucket(intake)}, "object": {"key": "files/incoming/none"}}}
        ),
    )
    sqs = plain.aws("sqs")
    letters: list[dict[str, Any]] = []

    def received() -> bool:
        answer = sqs.receive_message(QueueUrl=intake["function"]["dead_letters"], WaitTimeSeconds=1)
        letters.extend(json.loads(message["Body"]) for message in answer.get("Messages", []))
        return bool(letters)

    eventually("the event is a dead letter", received, 120)
    [letter] = letters
    assert letter["requestContext"]["approximateInvokeCount"] == 3
    assert letter["requestPayload"]["detail"]["object"]["key"] == "files/incoming/none"
    error = letter["responsePayload"]["errorType"]
    assert error == "AccessDenied", "S3 hides absent objects from principals without s3:ListBucket"


def _score(package: Path, traffic: dict[str, int], model: str, weight: str) -> None:
    from aiplatform.function import Function

    account = aws.get_caller_identity().account_id
    search, stranger = (
        aws.iam.Role(name, name=f"fn-{name}", assume_role_policy=_by_account(account))
        for name in ("search", "stranger")
    )
    args: Any = {
        "prefix": PREFIX,
        "name": "score",
        "owner": "search",
        "package": {"path": str(package), "runtime": "python3.13", "handler": "score.handle"},
        "http": {"callers": [search.arn]},
        "environment": {"MODEL": model, "WEIGHT": weight},
        "traffic": traffic,
        "max_instances": 2,
        "profile": "dev",
    }
    function = Function("score", args, pulumi.ResourceOptions(depends_on=[stranger]))
    pulumi.export("function", function.outputs)


class Caller:
    """A client of the URL in the name of a role, or without a signature."""

    def __init__(self, plain: Plain, url: str, role: str | None) -> None:
        self._url = url
        self._place = environment.environment(plain.instance)
        self._credentials: Credentials | None = None
        if role is not None:
            self._credentials = _session(plain, role).get_credentials()

    def post(self, content: Any) -> tuple[int, dict[str, Any]]:
        """Send a request to the twin under the name of the URL."""
        body = json.dumps(content).encode()
        host = self._url.partition("//")[2].rstrip("/")
        request = AWSRequest("POST", self._url, {"host": host, "content-type": "application/json"}, body)
        if self._credentials is not None:
            SigV4Auth(self._credentials, "lambda", self._place["AWS_REGION"]).add_auth(request)
        address = f"{self._place['AWS_ENDPOINT_URL'].rstrip('/')}/"
        sent = urllib.request.Request(address, body, dict(request.headers.items()), method="POST")  # noqa: S310
        try:
            with urllib.request.urlopen(sent) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


def test_a_model_answers_its_callers_alone_and_a_canary_gets_its_weight(plain: Plain, tmp_path: Path) -> None:
    (tmp_path / "score.py").write_text(MODEL)
    before = set(plain.inventory())
    first = plain.stack("score", lambda: _score(tmp_path, {}, "3", "0.5")).up().outputs["function"].value
    url = first["url"]
    assert Caller(plain, url, "fn-search").post({"amount": 10}) == (200, {"version": "3", "score": 5.0})
    for role in (None, "fn-stranger"):
        assert Caller(plain, url, role).post({"amount": 10}) == (403, {"Message": "Forbidden"}), role
    assert Caller(plain, url, "fn-search").post({}) == (502, {"Message": "Internal Server Error"})

    stack = plain.stack("score", lambda: _score(tmp_path, {first["version"]: 50, "latest": 50}, "4", "1"))
    canary = stack.up().outputs["function"].value
    assert (canary["url"], canary["version"]) == (url, str(int(first["version"]) + 1))
    caller = Caller(plain, url, "fn-search")
    versions = {caller.post({"amount": 10})[1]["version"] for _ in range(12)}
    assert versions == {"3", "4"}, "half of twelve requests; all to one version in one of 2,048 runs"
    stack.preview(expect_no_changes=True, refresh=True)
    stack.destroy()
    assert set(plain.inventory()) == before
