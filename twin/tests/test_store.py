"""The providers' memory."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from twin.property_values import Asset
from twin.store import Store

URN = "urn:pulumi:dev::proj::aws:ec2/vpc:Vpc::main"
TOKEN = "aws:ec2/vpc:Vpc"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store.db")


def test_an_intent_is_there_before_its_result(store: Store) -> None:
    intent = store.begin(URN, TOKEN, {"cidrBlock": "10.0.0.0/16"})
    (row,) = store.live(URN)
    assert (row.intent, row.id, row.state) == (intent, None, "intent")
    store.created(intent, "vpc-1", {"cidrBlock": "10.0.0.0/16"}, {"arn": "a"})
    (row,) = store.live(URN)
    assert (row.id, row.outputs, row.state, row.acknowledged) == ("vpc-1", {"arn": "a"}, "created", False)


def test_what_failed_or_is_gone_is_not_live(store: Store) -> None:
    store.failed(store.begin(URN, TOKEN, {}))
    store.gone(store.begin(URN, TOKEN, {}))
    intent = store.begin(URN, TOKEN, {})
    store.created(intent, "vpc-1", {}, {})
    store.deleted(TOKEN, "vpc-1")
    assert not store.live(URN)


def test_the_newest_comes_first(store: Store) -> None:
    intents = [store.begin(URN, TOKEN, {"n": i}) for i in range(3)]
    assert [row.intent for row in store.live(URN)] == intents[::-1]


def test_a_mention_acknowledges_and_follows_an_alias(store: Store) -> None:
    store.created(store.begin(URN, TOKEN, {}), "vpc-1", {}, {})
    renamed = URN.replace("main", "renamed")
    store.mention(renamed, TOKEN, "vpc-1")
    assert not store.live(URN)
    (row,) = store.live(renamed)
    assert row.acknowledged


def test_a_mention_before_the_result_is_no_mention_of_the_result(store: Store) -> None:
    intent = store.begin(URN, TOKEN, {})
    store.mention(URN, TOKEN, "vpc-0")
    store.created(intent, "vpc-1", {}, {})
    assert not store.live(URN)[0].acknowledged


def test_an_update_begun_with_the_same_inputs_is_resumed(store: Store) -> None:
    first = store.begin_update(TOKEN, "vpc-1", {"a": 1})
    assert store.begin_update(TOKEN, "vpc-1", {"a": 1}) == first
    assert store.begin_update(TOKEN, "vpc-1", {"a": 2}) != first, "another change is another call"


def test_an_ended_update_is_never_resumed(store: Store) -> None:
    first = store.begin_update(TOKEN, "vpc-1", {"a": 1})
    store.end_update(TOKEN, "vpc-1", {"a": 1}, {"arn": "x"})
    assert store.begin_update(TOKEN, "vpc-1", {"a": 1}) != first, "back and forth must run again"


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    Store(tmp_path / "store.db")
    assert stat.S_IMODE((tmp_path / "store.db").stat().st_mode) == 0o600


def test_assets_survive(store: Store) -> None:
    store.begin(URN, TOKEN, {"source": Asset(text="hello")})
    assert store.live(URN)[0].inputs["source"].read() == b"hello"


def test_a_killed_process_loses_no_row(tmp_path: Path) -> None:
    program = f"""
        import os, signal
        from pathlib import Path
        from twin.store import Store
        store = Store(Path({str(tmp_path / "store.db")!r}))
        for i in range(20):
            store.begin({URN!r}, {TOKEN!r}, {{"n": i}})
        os.kill(os.getpid(), signal.SIGKILL)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], cwd=Path.cwd(), check=False)
    assert len(Store(tmp_path / "store.db").live(URN)) == 20


def test_two_providers_write_at_once(tmp_path: Path) -> None:
    stores = [Store(tmp_path / "store.db") for _ in range(2)]

    def write(store: Store) -> None:
        for _ in range(50):
            store.created(store.begin(URN, TOKEN, {}), "vpc-1", {}, {})

    threads = [threading.Thread(target=write, args=(store,)) for store in stores for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stores[0].every()) == 200


def test_an_unfinished_create_is_known_until_it_is_finished(store: Store) -> None:
    store.created(store.begin(URN, TOKEN, {}), "vpc-1", {}, {}, unfinished="ModifyVpcAttribute: refused")
    assert store.unfinished(TOKEN, "vpc-1") == "ModifyVpcAttribute: refused"
    store.begin_update(TOKEN, "vpc-1", {})
    store.end_update(TOKEN, "vpc-1", None, None)
    assert store.unfinished(TOKEN, "vpc-1"), "an update that was refused finishes nothing"
    store.finished(TOKEN, "vpc-1")
    assert not store.unfinished(TOKEN, "vpc-1")
    assert not store.unfinished(TOKEN, "vpc-2"), "a resource that no create of this twin made"


def test_the_file_of_an_older_twin_is_read(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    Store(file).close()
    with sqlite3.connect(file) as older:
        for name in ("unfinished", "config", "answered"):
            older.execute(f"ALTER TABLE resources DROP COLUMN {name}")
        older.execute(
            "INSERT INTO resources VALUES ('i', ?, ?, 'vpc-1', '{}', '{}', 'created', 0, 1.0, 2.0)",
            (URN, TOKEN),
        )
    older.close()
    store = Store(file)
    assert [row.id for row in store.live(URN)] == ["vpc-1"]
    assert not store.unfinished(TOKEN, "vpc-1")
    assert not store.unsettled("dev"), "what an engine made long ago is known to it, or retained"


def test_a_create_is_settled_by_its_refusal_an_answer_or_a_mention(store: Store) -> None:
    refused, answered, mentioned = (store.begin(URN, TOKEN, {}) for _ in range(3))
    assert len(store.unsettled("dev")) == 3
    assert not store.unsettled("prod"), "another stack's"
    store.failed(refused)
    for number, intent in enumerate((answered, mentioned)):
        store.created(intent, f"vpc-{number}", {}, {})
    assert len(store.unsettled("dev")) == 2, "a result may not have reached the engine"
    store.mention(URN, TOKEN, "vpc-1")
    assert [row.intent for row in store.unsettled("dev")] == [answered]
    store.answered()
    assert not store.unsettled("dev")
