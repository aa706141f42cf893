"""The real server as a process: killed at any moment, it remembers everything."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.exceptions
import pytest
from botocore.config import Config

from twin import credential, instances
from twin.aws.credentials import deployer

ROOT = Path(__file__).parents[4]
pytestmark = pytest.mark.end_to_end  # real processes, started and killed


class Server:
    """An API server's process."""

    def __init__(self, instance: instances.Instance) -> None:
        self.instance = instance
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> dict[str, Any]:
        """Start it and wait for its health."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "twin.aws.server", "--instance", self.instance.name],
            cwd=ROOT,
            env=os.environ | {"PYTHONWARNINGS": "ignore"},
        )
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                return self.get("health")
            except (urllib.error.URLError, ConnectionError):
                assert self.process.poll() is None, "the server died at its start"
                time.sleep(0.05)
        raise AssertionError("the server did not become ready")

    def kill(self) -> None:
        """kill -9."""
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def get(self, path: str) -> Any:
        """A private path."""
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self.instance.url('cloud')}/_twin/{path}", headers=credential.headers(self.instance)
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)

    def client(self, service: str) -> Any:
        """A boto3 client over HTTP."""
        key = deployer(self.instance)
        return boto3.client(  # type: ignore[call-overload]
            service,  # pyright: ignore[reportArgumentType]
            endpoint_url=self.instance.url("cloud"),
            region_name=self.instance.region,
            aws_access_key_id=key.access_key_id,
            aws_secret_access_key=key.secret_access_key,
            config=Config(retries={"max_attempts": 0}),
        )


@pytest.fixture
def server(home: Path) -> Iterator[Server]:
    server = Server(instances.create("killed"))
    server.start()
    yield server
    server.kill()


def _seen(server: Server) -> dict[str, Any]:
    """Everything that a user of the cloud could compare, dates and bodies included."""
    ec2, iam, s3, kms = (server.client(name) for name in ("ec2", "iam", "s3", "kms"))
    versions = s3.list_object_versions(Bucket="data").get("Versions", [])
    collections = {
        "vpcs": ec2.describe_vpcs()["Vpcs"],
        "subnets": ec2.describe_subnets()["Subnets"],
        "groups": ec2.describe_security_groups()["SecurityGroups"],
        "placement": ec2.describe_placement_groups()["PlacementGroups"],
        "roles": iam.list_roles()["Roles"],
        "keys": [kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in kms.list_keys()["Keys"]],
        "versions": versions,
        "bodies": [
            s3.get_object(Bucket="data", Key=v["Key"], VersionId=v["VersionId"])["Body"].read()
            for v in versions
        ],
        "inventory": server.get("inventory"),
    }
    return json.loads(json.dumps(collections, default=str))


def test_a_killed_server_remembers_every_id_tag_date_and_object(server: Server) -> None:
    ec2, iam, s3, kms = (server.client(name) for name in ("ec2", "iam", "s3", "kms"))
    # Reads wake parts of moto that no replay will wake at the same moment.
    ec2.describe_instances()
    s3.list_buckets()
    server.client("autoscaling").describe_auto_scaling_groups()
    tags = [{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "über <all>"}]}]
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tags)["Vpc"]["VpcId"]
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=1, ToPort=2, CidrIp="10.0.0.0/8"
    )
    ec2.create_placement_group(GroupName="p", Strategy="cluster")
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
    iam.create_role(
        RoleName="r", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    secret = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    s3.create_bucket(Bucket="data", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"one", b"two\x00\xff"):
        s3.put_object(Bucket="data", Key="a/b c+ü", Body=body, Metadata={"under_score": "x"})
    upload = s3.create_multipart_upload(Bucket="data", Key="big")["UploadId"]
    parts = [
        {
            "PartNumber": n,
            "ETag": s3.upload_part(Bucket="data", Key="big", UploadId=upload, PartNumber=n, Body=body)[
                "ETag"
            ],
        }
        for n, body in ((1, b"x" * 5 * 2**20), (2, b"end"))
    ]
    half = s3.create_multipart_upload(Bucket="data", Key="half")["UploadId"]
    s3.upload_part(Bucket="data", Key="half", UploadId=half, PartNumber=1, Body=b"half")
    s3.complete_multipart_upload(Bucket="data", Key="big", UploadId=upload, MultipartUpload={"Parts": parts})
    before = _seen(server)

    server.kill()
    health = server.start()

    assert health["differing"] == [], "each call answers what it answered, to the byte"
    assert _seen(server) == before, "ids, arns, tags, dates, versions and bodies are as before"
    assert s3.list_parts(Bucket="data", Key="half", UploadId=half)["Parts"], "an upload in progress goes on"
    assert kms.decrypt(CiphertextBlob=secret)["Plaintext"] == b"secret", "key material is the same"
    assert s3.head_object(Bucket="data", Key="a/b c+ü")["Metadata"] == {"under_score": "x"}


def test_writers_at_the_same_time_lose_nothing_when_the_server_is_killed(server: Server) -> None:
    created: dict[str, list[str]] = {"group": [], "role": []}

    vpc = server.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    of_account = len(server.client("iam").list_roles()["Roles"])

    def write(kind: str) -> None:
        client = server.client("ec2" if kind == "group" else "iam")
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
        text = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        for number in range(40):
            try:
                if kind == "group":
                    group = client.create_security_group(GroupName=f"g{number}", Description="d", VpcId=vpc)
                    created[kind].append(group["GroupId"])
                else:
                    created[kind].append(
                        client.create_role(RoleName=f"r{number}", AssumeRolePolicyDocument=text)["Role"][
                            "RoleId"
                        ]
                    )
            except Exception:  # noqa: BLE001 - the server is killed under it
                return

    threads = [threading.Thread(target=write, args=(kind,)) for kind in created]
    for thread in threads:
        thread.start()
    while min(map(len, created.values())) < 3:
        time.sleep(0.01)
    server.kill()
    for thread in threads:
        thread.join()
    server.start()

    security_groups = server.client("ec2").describe_security_groups()["SecurityGroups"]
    groups = {
        security_group["GroupId"]
        for security_group in security_groups
        if security_group["GroupName"] != "default"
    }
    roles = {role["RoleId"] for role in server.client("iam").list_roles()["Roles"]}
    assert set(created["group"]) <= groups, "every id that a caller got is there"
    assert set(created["role"]) <= roles
    # One call at most was under way; it was made or not, but no more than that.
    assert len(roles) - of_account + len(groups) - len(created["group"]) - len(created["role"]) <= 1


def _request(
    connection: http.client.HTTPConnection, method: str, path: str, **options: Any
) -> tuple[int, bytes]:
    connection.request(method, path, **options)
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_a_connection_serves_many_requests_and_is_closed_where_one_was_not_read(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.instance.ports["cloud"], timeout=30)
    authorization = credential.headers(server.instance)
    assert _request(connection, "GET", "/_twin/health", headers=authorization)[0] == 200
    first_socket = connection.sock
    assert _request(connection, "GET", "/_twin/inventory", headers=authorization) == (200, b"{}")
    headers = {"Transfer-Encoding": "chunked", **authorization}
    chunked = {"body": iter([b'{"kind"', b': "throttle"}']), "headers": headers}
    assert (
        _request(connection, "DELETE", "/_twin/faults", body=b'{"kind": "throttle"}', headers=authorization)[
            0
        ]
        == 200
    )
    assert connection.sock is first_socket, "no connection is made for a request"
    # A path that answers without a look at what was sent.
    assert _request(connection, "DELETE", "/_twin/faults", **chunked)[0] == 200
    assert connection.sock is None, "what is left of a request must not be taken for the next"
    assert _request(connection, "GET", "/_twin/inventory", headers=authorization) == (200, b"{}")
    connection.close()
    s3 = server.client("s3")
    s3.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    tag = s3.put_object(Bucket="kept", Key="a", Body=b"one")["ETag"]
    with pytest.raises(botocore.exceptions.ClientError, match="304"):
        s3.get_object(Bucket="kept", Key="a", IfNoneMatch=tag)
    s3.head_object(Bucket="kept", Key="a")
    s3.delete_object(Bucket="kept", Key="a")
    assert "Contents" not in s3.list_objects_v2(Bucket="kept"), "answers without a body leave none behind"
