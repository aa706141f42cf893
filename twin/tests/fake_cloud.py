"""A cloud of three resource types that lives in one SQLite file, for tests of the provider core.

It takes pulumi_aws's own types, so that the checks are the real ones. Like the AWS API server it answers a
repeated call of one intent as before. Run as a module it is a provider plugin; FAKE_CLOUD names the file.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.provider_interface import (
    UNKNOWN,
    AutoName,
    Cloud,
    CloudError,
    Context,
    Failure,
    FunctionType,
    HalfMade,
    Props,
    ResourceType,
    pause,
)

VPC = "aws:ec2/vpc:Vpc"
SUBNET = "aws:ec2/subnet:Subnet"
BUCKET = "aws:s3/bucket:Bucket"
CLUSTER = "aws:eks/cluster:Cluster"
IDENTITY = "aws:index/getCallerIdentity:getCallerIdentity"


class Backend:
    """What the cloud holds."""

    def __init__(self, file: Path) -> None:
        self.file = file
        with self.open() as db:
            db.execute("CREATE TABLE IF NOT EXISTS things (id TEXT PRIMARY KEY, token TEXT, props TEXT)")
            db.execute("CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, id TEXT)")

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self.file, timeout=30, isolation_level=None)
        try:
            db.execute("PRAGMA synchronous=OFF")
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")
        finally:
            db.close()

    def things(self, token: str | None = None) -> dict[str, Props]:
        with self.open() as db:
            rows = db.execute("SELECT id, token, props FROM things").fetchall()
        return {id: json.loads(props) for id, of, props in rows if token in (None, of)}

    def put(self, id: str, token: str, props: Props) -> None:
        with self.open() as db:
            db.execute("INSERT OR REPLACE INTO things VALUES (?, ?, ?)", (id, token, json.dumps(props)))

    def make(self, intent: str, token: str, prefix: str, props: Props) -> str:
        """One call: executed once for one intent and one body."""
        key = json.dumps([intent, token, props], sort_keys=True)
        with self.open() as db:
            known = db.execute("SELECT id FROM answers WHERE key = ?", (key,)).fetchone()
            if known:
                return str(known[0])
            count = db.execute("SELECT count(*) FROM answers").fetchone()[0]
            id = f"{prefix}-{count:08x}"
            db.execute("INSERT INTO answers VALUES (?, ?)", (key, id))
            db.execute("INSERT INTO things VALUES (?, ?, ?)", (id, token, json.dumps(props)))
        return id

    def drop(self, id: str) -> None:
        with self.open() as db:
            db.execute("DELETE FROM things WHERE id = ?", (id,))


@dataclass(frozen=True)
class FakeContext(Context):
    backend: Backend
    region: str = "us-west-2"
    account: str = "123456789012"
    default_tags: tuple[tuple[str, str], ...] = ()
    intent: str = ""

    def with_intent(self, intent: str) -> FakeContext:
        return FakeContext(self.backend, self.region, self.account, self.default_tags, intent)


class FakeType(ResourceType):
    """Keeps what it is given, and says an id and an arn."""

    prefix = "thing"

    def check(self, context: Context, inputs: Props) -> Sequence[Failure]:
        return []

    def create(self, context: Context, inputs: Props) -> tuple[str, Props]:
        assert isinstance(context, FakeContext)
        if inputs.get("tags", {}).get("failure") == "refuse":
            raise CloudError("the cloud refuses it", code="Refused", path="tags.failure")
        id = context.backend.make(context.intent, self.token, self.prefix, inputs)
        if (failure := inputs.get("tags", {}).get("failure")) in ("half", "failed"):
            state, complete = self.state(context, id, inputs), failure == "failed"
            raise HalfMade("made, but it never became ready", id, state, complete=complete)
        if delay := os.environ.get("FAKE_DELAY_AFTER"):
            pause(float(delay))
        return id, self.state(context, id, inputs)

    def state(self, context: FakeContext, id: str, props: Props) -> Props:
        return {**props, "arn": f"arn:aws:fake:{context.region}:{context.account}:{id}"}

    def read(self, context: Context, id: str, state: Props) -> Props | None:
        assert isinstance(context, FakeContext)
        thing = context.backend.things(self.token).get(id)
        return None if thing is None else self.state(context, id, thing)

    def update(self, context: Context, id: str, old: Props, new: Props) -> Props:
        assert isinstance(context, FakeContext)
        context.backend.put(id, self.token, new)
        return self.state(context, id, new)

    def delete(self, context: Context, id: str, state: Props) -> None:
        assert isinstance(context, FakeContext)
        context.backend.drop(id)


class Vpc(FakeType):
    token = VPC
    prefix = "vpc"
    immutable = frozenset({"cidrBlock", "instanceTenancy"})
    defaults = {"enableDnsSupport": True}  # noqa: RUF012
    volatile = frozenset({"dhcpOptionsId"})

    def check(self, context: Context, inputs: Props) -> Sequence[Failure]:
        cidr = inputs.get("cidrBlock")
        if cidr not in (None, UNKNOWN) and "/" not in cidr:
            return [Failure("cidrBlock", f"{cidr!r} is no CIDR block: 10.0.0.0/16 would be one")]
        return []


class Subnet(FakeType):
    token = SUBNET
    prefix = "subnet"
    computed = frozenset({"availabilityZone"})
    immutable = frozenset({"vpcId", "cidrBlock", "availabilityZone"})

    def state(self, context: FakeContext, id: str, props: Props) -> Props:
        return {"availabilityZone": f"{context.region}a", **super().state(context, id, props)}


class Bucket(FakeType):
    token = BUCKET
    prefix = "bucket"
    immutable = frozenset({"bucket"})
    autoname = AutoName("bucket", 63, lower=True)
    secrets = frozenset({"websiteEndpoint"})

    def same(self, path: str, old: Any, new: Any) -> bool:
        if path == "policy" and isinstance(old, str) and isinstance(new, str):
            return bool(json.loads(old) == json.loads(new))
        return bool(old == new)

    def state(self, context: FakeContext, id: str, props: Props) -> Props:
        return {**super().state(context, id, props), "websiteEndpoint": f"{id}.example.com"}


class Cluster(FakeType):
    """Its vpcConfig returns more than was set."""

    token = CLUSTER
    prefix = "cluster"
    autoname = AutoName("name", 100)
    immutable = frozenset({"name", "roleArn", "vpcConfig.subnetIds"})

    def state(self, context: FakeContext, id: str, props: Props) -> Props:
        config = {**props["vpcConfig"], "vpcId": "vpc-1", "clusterSecurityGroupId": "sg-1"}
        return {**super().state(context, id, props), "vpcConfig": config, "endpoint": f"https://{id}"}


class Identity(FunctionType):
    token = IDENTITY

    def invoke(self, context: Context, arguments: Props) -> Props:
        return {"accountId": context.account, "userId": "A"}


class FakeCloud(Cloud):
    name = "aws"
    sdk = "pulumi_aws"

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._types = {type.token: type for type in (Vpc(), Subnet(), Bucket(), Cluster())}

    def check_config(self, config: Props) -> Sequence[Failure]:
        return [Failure("region", "no such region")] if config.get("region") == "mars-1" else []

    def configure(self, config: Props) -> FakeContext:
        if config.get("allowedAccountIds") not in (None, ["123456789012"]):
            raise CloudError("the credentials belong to account 123456789012", path="allowedAccountIds")
        tags = (config.get("defaultTags") or {}).get("tags") or {}
        return FakeContext(
            self.backend, config.get("region", "us-west-2"), default_tags=tuple(sorted(tags.items()))
        )

    def resource(self, token: str) -> ResourceType | None:
        return self._types.get(token)

    def function(self, token: str) -> FunctionType | None:
        return Identity() if token == IDENTITY else None

    def where_to_add(self, token: str) -> str:
        return "twin/tests/fake_cloud.py"

    def prepare(self, context: Context, token: str, inputs: Props) -> Props:
        assert isinstance(context, FakeContext)
        tags = inputs.get("tags") or {}
        if tags is UNKNOWN:
            return {**inputs, "tagsAll": UNKNOWN}
        return {**inputs, "tagsAll": {**dict(context.default_tags), **tags}}


if __name__ == "__main__":
    from twin.core.serving import run
    from twin.provider import Provider
    from twin.store import Store

    file = Path(os.environ["FAKE_CLOUD"])
    cloud = FakeCloud(Backend(file))
    run(Provider(cloud, Store(file.with_suffix(".store"))), file.with_suffix(".log"))
