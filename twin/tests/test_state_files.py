"""Damaged, missing and unusable files of a twin's state: each error names the file and the way out."""

from __future__ import annotations

import json
import resource
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from twin import environment, fault_injection, instances, lifecycle, start_checks, state_files
from twin.aws.api_server.journal import Journal
from twin.aws.credentials import deployer as aws_deployer
from twin.aws.services.athena.queries.store import Store as AthenaStore
from twin.aws.services.eks.operations.store import Store as EksStore
from twin.gcp.api_server.state import State
from twin.instances import Instance, InstanceError
from twin.private_files import write_private
from twin.store import Store

Damage = Callable[[Path], None]


def truncate(file: Path) -> None:
    """Keep the first half of a file."""
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def empty(file: Path) -> None:
    """Leave no byte."""
    file.write_bytes(b"")


def garble(file: Path) -> None:
    """Write something else."""
    file.write_bytes(b"\x00garbage\xff" * 500)


def delete(file: Path) -> None:
    """Delete a file, and SQLite's files next to it."""
    for name in (file, file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")):
        name.unlink(missing_ok=True)


def replace_by_folder(file: Path) -> None:
    """Make a folder of it: a file that no user can read, root included."""
    file.unlink()
    file.mkdir()


def of_newer_version(file: Path) -> None:
    """State a version that no code knows yet."""
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()


def of_another_program(file: Path) -> None:
    """Replace it by a database without the twin's tables."""
    delete(file)
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE notes (text)")
    database.close()


def with_pages_of_zeros(file: Path) -> None:
    """Overwrite what follows the first page."""
    size = file.stat().st_size
    with file.open("r+b") as stream:
        stream.seek(4096)
        stream.write(b"\x00" * (size - 4096))


def write(text: str) -> Damage:
    """Return the damage that replaces the text."""

    def damage(file: Path) -> None:
        file.write_text(text)

    damage.__name__ = f"contains {text[:24]}"
    return damage


DATABASES: Final[dict[str, Callable[[Path], object]]] = {
    "aws/journal.db": Journal,
    "aws/eks.db": EksStore,
    "aws/athena.db": AthenaStore,
    "gcp/state.db": State,
    "store.db": Store,
}
OF_DATABASES: Final = (
    truncate,
    empty,
    garble,
    delete,
    replace_by_folder,
    of_newer_version,
    of_another_program,
    with_pages_of_zeros,
)


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    """A twin that has had each of its files."""
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))
    created = instances.create("one")
    environment.prepare(created)
    aws_deployer(created)
    for name, open_database in DATABASES.items():
        database = open_database(created.folder / name)
        database.close()  # pyright: ignore[reportAttributeAccessIssue]
    injected = fault_injection.InjectedFaults(created.folder / "aws" / "faults.json", {"late_logs": set()})
    injected.add({"kind": "late_logs"})
    start_checks.check_files(created)  # nothing is damaged yet
    return created


def prepared(name: str) -> Instance:
    """Do what each command does with the files before it starts a process."""
    again = instances.create(name)
    environment.prepare(again)
    start_checks.check_files(again)
    return again


@pytest.mark.parametrize("damage", OF_DATABASES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("name", DATABASES)
def test_damaged_database_is_refused_with_its_path_and_the_way_out(
    instance: Instance, name: str, damage: Damage
) -> None:
    file = instance.folder / name
    damage(file)
    with pytest.raises(InstanceError) as refusal:
        DATABASES[name](file)
    message = str(refusal.value)
    assert str(file) in message
    assert "twin reset --name one" in message or "that this user can read and write" in message
    assert "\n" not in message


@pytest.mark.parametrize("damage", [empty, garble, delete], ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("name", DATABASES)
def test_damaged_database_stops_a_command_before_a_process_starts(
    instance: Instance, name: str, damage: Damage
) -> None:
    damage(instance.folder / name)
    with pytest.raises(InstanceError, match=f"{name}.*twin reset --name one"):
        start_checks.check_files(instance)


def test_folder_of_the_cloud_that_is_missing_is_no_empty_cloud(instance: Instance) -> None:
    shutil.rmtree(instance.folder / "aws")
    with pytest.raises(InstanceError, match=r"aws/athena.db is damaged \(the file is missing\)"):
        start_checks.check_files(instance)
    with pytest.raises(InstanceError, match=r"aws/journal\.db is damaged"):
        Journal(instance.folder / "aws" / "journal.db")


TEXTS: Final[dict[str, tuple[Damage, ...]]] = {
    "instance.json": (
        truncate,
        empty,
        garble,
        replace_by_folder,
        delete,
        write("[]"),
        write('{"name": "one"}'),
        write('{"name": "two", "ports": {}}'),
        write('{"name": "one", "cloud": "azure"}'),
        write('{"name": "one", "version": 9}'),
    ),
    "credentials.json": (
        truncate,
        empty,
        garble,
        replace_by_folder,
        delete,
        write("[]"),
        write("{}"),
        write('{"access_key_id": 1, "secret_access_key": 2}'),
    ),
    "passphrase": (truncate, empty, garble, replace_by_folder, delete, write("secret")),
    "aws/faults.json": (
        truncate,
        empty,
        garble,
        replace_by_folder,
        write("{}"),
        write("[1]"),
        write('[{"kind": 1}]'),
    ),
}


@pytest.mark.parametrize(
    ("name", "damage"),
    [(name, damage) for name, damages in TEXTS.items() for damage in damages],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_damaged_file_is_refused_with_its_path_and_the_way_out(
    instance: Instance, name: str, damage: Damage
) -> None:
    damage(instance.folder / name)
    with pytest.raises(InstanceError) as refusal:
        prepared("one")
    message = str(refusal.value)
    assert str(instance.folder / name) in message
    assert "twin reset --name one" in message or "that this user can read" in message
    assert "\n" not in message


def test_reset_is_the_way_out_of_each_damage(instance: Instance) -> None:
    for name in (*DATABASES, *TEXTS):
        garble(instance.folder / name)
    lifecycle.reset(Instance("one"))
    again = prepared("one")
    assert len(Journal(again.folder / "aws" / "journal.db")) == 0


def test_unknown_failure_in_the_file_is_refused_by_the_cloud(tmp_path: Path) -> None:
    file = tmp_path / "file.json"
    file.write_text(json.dumps([{"kind": "flood"}]))
    with pytest.raises(InstanceError, match=r"\.json is damaged .*flood.*or delete the file"):
        fault_injection.InjectedFaults(file, {"slow": set()})


def test_files_of_a_twin_of_before_the_records_are_taken_over(instance: Instance) -> None:
    shutil.rmtree(instance.folder / instances.RECORDS)
    before = aws_deployer(instance)
    environment.prepare(instance)
    Journal(instance.folder / "aws" / "journal.db").close()
    assert aws_deployer(instance) == before
    for name in ("aws/journal.db", "credentials.json", "passphrase"):
        assert state_files.is_recorded(instance.folder / name), "from now on a lost one is noticed"


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Limit the size of files, which acts on a write as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_disk_that_is_full_is_an_error_with_the_path_and_leaves_the_former_file(tmp_path: Path) -> None:
    file = tmp_path / "instance.json"
    write_private(file, "before")
    with largest_file(4), pytest.raises(OSError, match="too large") as refusal:
        write_private(file, "what comes after")
    assert refusal.value.filename == str(file)
    assert file.read_text() == "before"
    assert [*tmp_path.iterdir()] == [file], "no draft is left"


def test_database_on_a_full_disk_is_an_error_with_its_path_and_recovers(instance: Instance) -> None:
    file = instance.folder / "store.db"
    store = Store(file)
    with largest_file(file.stat().st_size), pytest.raises(InstanceError) as refusal:
        store.begin("urn:pulumi:dev::p::t::n", "t", {"text": "x" * 4_000_000})
    assert str(file) in str(refusal.value)
    assert "a disk with free space" in str(refusal.value)
    store.begin("urn:pulumi:dev::p::t::last", "t", {})
    assert store.live("urn:pulumi:dev::p::t::last"), "the next write works when there is space again"


def test_credentials_are_not_created_by_halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))
    instance = instances.create("one")
    with largest_file(8), pytest.raises(OSError, match="too large"):
        aws_deployer(instance)
    assert aws_deployer(instance) == aws_deployer(instance), "a half of the file would be damaged for ever"
