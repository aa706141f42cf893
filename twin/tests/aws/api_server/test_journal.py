"""The journal: order, replay, intents, and what a death at the worst moment leaves."""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin import instances
from twin.aws.api_server import inventory
from twin.aws.api_server.deterministic_moto import forget
from twin.aws.api_server.journal import Journal
from twin.aws.api_server.recorded_randomness import Draws
from twin.aws.api_server.request import Answer, Call, environ_of
from twin.aws.api_server.server import ApiServer
from twin.instances import Instance
from twin.state_files import StateFileError
from twin.tests.aws.api_servers import Clients

TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",'
    ' "Principal": {"Service": "ec2.amazonaws.com"}}]}'
)


class Died(BaseException):
    """The process is killed."""


class Cloud:
    """Remembers in memory alone what it was asked to do."""

    def __init__(self) -> None:
        self.performed: list[tuple[bytes, int, float]] = []

    def write(self, call: Call, chance: Draws, at: float) -> Answer:
        if call.body == b"refused":
            return Answer(400, [], b"no")
        self.performed.append((call.body, chance.seed, at))
        return Answer(200, [("x", "y")], b"id-%d" % chance.seed)


def call(body: bytes, intent: str = "") -> Call:
    """A mutating call."""
    scope = "AKIA/20261125/us-west-2/iam/aws4_request"
    auth = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
    headers = [("Authorization", auth), ("Content-Type", "text/plain")]
    if intent:
        headers.append(("X-Twin-Intent", intent))
    return Call.of(environ_of("POST", "/", headers, body))


def test_a_replay_makes_the_same_calls_in_order_with_their_seeds_and_times(tmp_path: Path) -> None:
    journal, first = Journal(tmp_path / "j.db"), Cloud()
    for number in range(5):
        journal.perform(call(b"%d" % number), first.write)
    again = Cloud()
    replay = Journal(tmp_path / "j.db").replay(again.write)
    assert again.performed == first.performed, "order, seeds and times are those of the first life"
    assert (replay.calls, replay.finished, replay.differing) == (5, 0, [])


def test_a_refused_call_leaves_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    assert journal.perform(call(b"refused"), Cloud().write).status == 400
    assert len(journal) == 0


def test_a_replay_says_which_calls_answer_otherwise(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    journal.perform(call(b"a"), Cloud().write)
    replay = journal.replay(lambda *_: Answer(200, [], b"another"))
    assert len(replay.differing) == 1
    assert "iam:" in replay.differing[0], "it names the call"


def test_a_call_with_an_intent_that_was_answered_is_not_made_again(tmp_path: Path) -> None:
    journal, cloud = Journal(tmp_path / "j.db"), Cloud()
    first = journal.perform(call(b"a", "create-1"), cloud.write)
    again = journal.answered(call(b"a", "create-1").key)
    assert again == first, "the answer is the recorded one"
    assert journal.answered(call(b"b", "create-1").key) is None, "another body is another call"
    assert journal.answered(call(b"a", "create-2").key) is None, "another intent is another call"
    assert call(b"a").key is None, "without an intent nothing is adopted"


@settings(max_examples=40)
@given(
    bodies=st.lists(st.binary(max_size=8), min_size=1, max_size=6),
    dies=st.integers(0, 5),
    after=st.booleans(),
)
def test_a_call_killed_between_journal_and_answer_is_made_exactly_once(
    tmp_path_factory: pytest.TempPathFactory, bodies: list[bytes], dies: int, after: bool
) -> None:
    file = tmp_path_factory.mktemp("j") / "j.db"
    journal, first = Journal(file), Cloud()
    dies = min(dies, len(bodies) - 1)

    def deadly(deadly_call: Call, chance: Draws, at: float) -> Answer:
        if after:
            first.write(deadly_call, chance, at)
        # A kill leaves the row as it is: no cleaning up runs.
        journal._db.close()  # pyright: ignore[reportPrivateUsage]
        raise Died

    for number, body in enumerate(bodies[: dies + 1]):
        key = call(body, f"i{number}")
        if number == dies:
            with pytest.raises((Died, Exception)):
                journal.perform(key, deadly)
        else:
            journal.perform(key, first.write)

    second = Cloud()
    again = Journal(file)
    replayed = again.replay(second.write)
    for number, body in enumerate(bodies):
        repeated = call(body, f"i{number}")
        if again.answered(repeated.key) is None:
            again.perform(repeated, second.write)
    assert replayed.finished == (1 if bodies[dies] != b"refused" else 0)
    expected = [body for body in bodies if body != b"refused"]
    assert [performed[0] for performed in second.performed] == expected, "each call is there once, in order"


def test_the_same_intent_gives_the_same_vpc(clients: Clients) -> None:
    clients.intent = "urn:vpc-1"
    first = clients("ec2").create_vpc(CidrBlock="10.50.0.0/16")["Vpc"]["VpcId"]
    second = clients("ec2").create_vpc(CidrBlock="10.50.0.0/16")["Vpc"]["VpcId"]
    clients.intent = "urn:vpc-2"
    third = clients("ec2").create_vpc(CidrBlock="10.50.0.0/16")["Vpc"]["VpcId"]
    clients.intent = ""
    assert first == second, "a repeated create adopts what it made"
    assert third != first


def test_a_call_adds_less_than_two_milliseconds(clients: Clients, tmp_path: Path) -> None:
    journal, cloud = Journal(tmp_path / "j.db"), Cloud()
    # Time of this process: what else the machine does makes no difference.
    begun = time.process_time()
    for number in range(200):
        journal.perform(call(b"%d" % number, f"i{number}"), cloud.write)
    assert (time.process_time() - begun) / 200 < 0.002, "two rows written a call"


@pytest.fixture
def instance(home: Path) -> Iterator[Instance]:
    forget()
    yield instances.create("journal")
    forget()


def _live(instance: Instance) -> Clients:
    # A fresh process: what moto held is gone.
    forget()
    return Clients(ApiServer(instance))


def test_a_journal_of_what_is_all_gone_begins_anew(instance: Instance) -> None:
    first = _live(instance)
    vpc = first("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    first("ec2").delete_vpc(VpcId=vpc)
    epoch = first.server.moto.epoch
    assert len(first.server.journal) == 2
    first.server.close()
    second = _live(instance)
    assert second.server.replayed.calls == 2, "they are made a second time, to see that nothing is left"
    assert len(second.server.journal) == 0, "and are forgotten"
    assert second.server.moto.epoch == epoch, "what AWS has before anyone asks is of the same day"
    assert inventory.of(second.server) == {}
    vpc_id = second("ec2").create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    second.server.close()
    third = _live(instance)
    assert len(third.server.journal) == 1, "while something exists, its journal stays"
    ids = [other_vpc["VpcId"] for other_vpc in third("ec2").describe_vpcs()["Vpcs"]]
    assert vpc_id in ids
    third.server.close()


def _restarted(instance: Instance, server: ApiServer) -> Clients:
    server.close()
    return _live(instance)


def test_keys_that_openssl_makes_are_the_same_after_a_restart(instance: Instance) -> None:
    first = _live(instance)
    specs = ("RSA_2048", "ECC_NIST_P256")
    keys = [first("kms").create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"] for spec in specs]
    before = [first("kms").get_public_key(KeyId=key["KeyId"])["PublicKey"] for key in keys]
    pair = first("ec2").create_key_pair(KeyName="one")["KeyFingerprint"]
    second = _restarted(instance, first.server)
    assert second.server.replayed.differing == second.server.replayed.renamed == []
    after = [second("kms").get_public_key(KeyId=key["KeyId"])["PublicKey"] for key in keys]
    assert after == before, "what was signed before can be verified after"
    assert second("ec2").describe_key_pairs()["KeyPairs"][0]["KeyFingerprint"] == pair
    second.server.close()


def test_code_that_draws_more_than_before_gives_the_same_ids(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    from moto.ec2.models.vpcs import VPCBackend
    from moto.ec2.utils import random_vpc_id

    first = _live(instance)
    vpc = first("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    role = first("iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)["Role"]["RoleId"]
    backend: Any = VPCBackend
    original = backend.create_vpc
    others: list[str] = []

    def of_a_later_version(*arguments: Any, **named: Any) -> Any:
        if not named.get("is_default"):
            others.extend([str(uuid.uuid4()), random_vpc_id()])
        return original(*arguments, **named)

    monkeypatch.setattr(backend, "create_vpc", of_a_later_version)
    second = _restarted(instance, first.server)
    replay = second.server.replayed
    assert (replay.differing, replay.renamed) == ([], []), "what has an id keeps it"
    assert replay.strange == 1, "the one call that drew more"
    assert vpc in {other_vpc["VpcId"] for other_vpc in second("ec2").describe_vpcs()["Vpcs"]}
    assert others[1] != vpc, "what is new takes no id that is taken"
    assert second("iam").get_role(RoleName="r")["Role"]["RoleId"] == role
    third = _restarted(instance, second.server)
    assert others[:2] == others[2:], "and keeps its own from then on"
    assert third.server.replayed.strange == 0
    third.server.close()


def test_a_replay_says_which_call_gives_another_id(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _live(instance)
    vpc = first("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    monkeypatch.setattr("moto.ec2.models.vpcs.random_vpc_id", lambda: "vpc-0123456789abcdef0")
    second = _restarted(instance, first.server)
    [renamed] = second.server.replayed.renamed
    assert renamed == f"1 ec2:CreateVpc: {vpc} was, vpc-0123456789abcdef0 is"
    second.server.close()


def test_a_journal_without_draws_is_replayed_by_its_seeds_and_has_them_from_then_on(
    instance: Instance,
) -> None:
    first = _live(instance)
    vpc = first("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    first.server.close()
    file = instance.folder / "aws" / "journal.db"
    with sqlite3.connect(file) as database:
        database.execute("ALTER TABLE calls DROP COLUMN draws")
        database.execute("PRAGMA user_version = 0")
    second = _live(instance)
    assert (second.server.replayed.renamed, second.server.replayed.differing) == ([], [])
    assert vpc in {other_vpc["VpcId"] for other_vpc in second("ec2").describe_vpcs()["Vpcs"]}
    second.server.close()
    with sqlite3.connect(file) as database:
        assert database.execute("SELECT draws FROM calls").fetchone()[0], "the next change of code finds them"


def test_a_journal_of_newer_code_is_refused_with_what_to_do(tmp_path: Path) -> None:
    Journal(tmp_path / "j.db").close()
    with sqlite3.connect(tmp_path / "j.db") as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(StateFileError, match=r"version 99.*twin reset"):
        Journal(tmp_path / "j.db")
