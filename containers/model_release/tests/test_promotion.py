"""Promotions and rollbacks, with a real registry and a server that speaks S3."""

from __future__ import annotations

import json
import threading
from typing import Any

import boto3
import pytest
from conftest import CARD, FILES, TAGS, Factory, Register, location
from mlflow import MlflowClient

from model_release import names
from model_release.comparison import Comparison
from model_release.errors import RefusedError, VerificationError
from model_release.log import Log
from model_release.objects.s3 import S3Objects
from model_release.promotion import Promoter
from model_release.releases import Release


def promote(promoter: Promoter, name: str, version: str, request: str = "r1", **more: Any) -> Any:
    return promoter.promote(names.model(name), version, "champion", request, **more)


def champion(name: str) -> str | None:
    number = MlflowClient().get_registered_model(name.replace("/", ".")).aliases.get("champion")
    return None if number is None else str(number)


def keys(objects: S3Objects) -> set[str]:
    return set(objects.sizes(""))


def test_promotion_copies_the_files_with_a_manifest_a_card_and_an_entry(
    register: Register, promoter: Factory, objects: S3Objects, name: str
) -> None:
    number = register(name.replace("/", "."))
    entry = promote(promoter(), name, number)
    prefix = f"{name}/{number}"
    assert keys(objects) == {
        *(f"{prefix}/model/{path}" for path in FILES),
        f"{prefix}/manifest.json",
        f"{prefix}/card.json",
        f"{name}/promotions/{entry.key}",
    }
    manifest = json.loads(b"".join(objects.chunks(f"{prefix}/manifest.json")))
    assert {path: file["size"] for path, file in manifest["files"].items()} == {
        path: len(text) for path, text in FILES.items()
    }
    assert manifest["lineage"]["snapshots"] == {"curated.orders": 5123}
    assert manifest["lineage"]["metrics"] == {"auc": 0.8}
    assert (entry.approved_by, entry.run, entry.previous) == (
        "ada@acme.example",
        manifest["lineage"]["run"],
        None,
    )
    assert champion(name) == number


def test_author_who_overwrites_the_files_does_not_change_the_release(
    register: Register, promoter: Factory, objects: S3Objects, name: str
) -> None:
    number = register(name.replace("/", "."))
    promote(promoter(), name, number)
    (location(name, number) / "model/weights.bin").write_text("poisoned")
    before = {key: b"".join(objects.chunks(key)) for key in keys(objects)}
    promote(promoter(), name, number, "r2")
    assert {key: b"".join(objects.chunks(key)) for key in keys(objects)} == before
    Release(objects, names.model(name), number).verify()


@pytest.mark.parametrize("missing", TAGS)
def test_version_without_lineage_is_refused_with_the_name_of_what_is_missing(
    register: Register, promoter: Factory, objects: S3Objects, name: str, missing: str
) -> None:
    number = register(
        name.replace("/", "."), tags={tag: text for tag, text in TAGS.items() if tag != missing}
    )
    with pytest.raises(RefusedError, match=f"tag {missing}: missing; expected"):
        promote(promoter(), name, number)
    assert keys(objects) == set()


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"run": False}, "no training run"),
        ({"metrics": {}}, "has no metrics"),
        ({"tags": {**TAGS, "ai-platform.code_commit": "main"}}, "ai-platform.code_commit: .*40 hexadecimal"),
        ({"tags": {**TAGS, "ai-platform.image": "train:latest"}}, "ai-platform.image: .*digest"),
        ({"tags": {**TAGS, "ai-platform.snapshots": "{}"}}, "ai-platform.snapshots: "),
        ({"tags": {**TAGS, "ai-platform.snapshots": "5123"}}, "ai-platform.snapshots: "),
        ({"tags": {**TAGS, "ai-platform.evaluation_set": "holdout"}}, "ai-platform.evaluation_set: "),
        ({"card": None}, "no model card for champion"),
        ({"card": {**CARD, "licence": " "}}, "no model card:\n +licence"),
        ({"card": {**CARD, "limit": "x"}}, "limit: Extra inputs"),
        ({"files": {}}, "has no files"),
    ],
)
def test_incomplete_version_is_refused_before_anything_is_written(
    register: Register, promoter: Factory, objects: S3Objects, name: str, more: dict[str, Any], error: str
) -> None:
    number = register(name.replace("/", "."), **more)
    with pytest.raises(RefusedError, match=error):
        promote(promoter(), name, number)
    assert {key for key in keys(objects) if not key.endswith("card.json")} == set()
    assert champion(name) is None


def test_promotion_in_prod_needs_an_approval_and_in_dev_neither_that_nor_a_card(
    register: Register, promoter: Factory, objects: S3Objects, name: str
) -> None:
    number = register(name.replace("/", "."), card=None)
    with pytest.raises(RefusedError, match="no approval; expected APPROVED_BY"):
        promote(promoter(approved_by=None), name, number)
    entry = promote(promoter("dev", None), name, number)
    assert (entry.approved_by, entry.has_card) == (None, False)
    with pytest.raises(RefusedError, match="no model card"):
        promote(promoter(), name, number, "r2")


def test_alias_that_the_registry_does_not_guard_is_refused(
    register: Register, promoter: Factory, name: str
) -> None:
    number = register(name.replace("/", "."))
    for alias in ("candidate", "latest", "Champion", "v1"):
        with pytest.raises(RefusedError, match="expected one that the model registry guards: champion"):
            promoter().promote(names.model(name), number, alias, "r1")


def test_unknown_model_and_version_are_refused(register: Register, promoter: Factory, name: str) -> None:
    with pytest.raises(RefusedError, match="the model registry refuses it"):
        promote(promoter(), name, "1")
    register(name.replace("/", "."))
    with pytest.raises(RefusedError, match="version 7 of pricing/"):
        promote(promoter(), name, "7")


def test_version_with_files_outside_of_the_registry_is_refused(
    register: Register, promoter: Factory, objects: S3Objects, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The author states where the files are: else they could be files of the Pod."""
    number = register(name.replace("/", "."))
    maker = promoter()

    def registry() -> Any:
        from model_release.registry import Registry

        opened = Registry()
        opened._is_server = True
        return opened

    maker.registry = registry
    with pytest.raises(RefusedError, match="expected the registry's bucket"):
        promote(maker, name, number)
    assert keys(objects) == set()


@pytest.mark.parametrize("margin", [-0.01, 1.01, float("nan"), float("inf")])
def test_margin_outside_of_0_to_1_is_refused(margin: float) -> None:
    with pytest.raises(RefusedError, match="expected a number from 0 to 1"):
        Comparison("champion", "auc", margin)


def test_version_that_is_not_better_by_the_margin_is_refused(
    register: Register, promoter: Factory, objects: S3Objects, name: str
) -> None:
    registered = name.replace("/", ".")
    better = Comparison("champion", "auc", 0.01)
    first = register(registered, metrics={"auc": 0.80})
    promote(promoter(), name, first, comparison=better)
    second = register(registered, metrics={"auc": 0.805})
    with pytest.raises(
        RefusedError, match=r"auc: got 0\.805; expected at least 0\.01 above .*champion, 0\.8"
    ):
        promote(promoter(), name, second, "r2", comparison=better)
    assert not any(key.startswith(f"{name}/{second}/") for key in keys(objects))
    third = register(registered, metrics={"auc": 0.81})
    assert promote(promoter(), name, third, "r3", comparison=better).previous == first, (
        "by the margin exactly"
    )


@pytest.mark.parametrize(
    ("comparison", "more", "error"),
    [
        (Comparison("champion", "f1"), {}, "has no such metric; expected one of auc"),
        (Comparison("champion", "auc"), {"metrics": {"auc": float("nan")}}, "has no such metric"),
        (
            Comparison("champion", "auc"),
            {"tags": {**TAGS, "ai-platform.evaluation_set": "curated.easy@1"}},
            "expected the same evaluation set",
        ),
        (
            Comparison("champion", "auc", 0.0, lower_is_better=True),
            {"metrics": {"auc": 0.9}},
            "below that of",
        ),
    ],
)
def test_comparison_without_a_common_measure_is_refused(
    register: Register, promoter: Factory, name: str, comparison: Comparison, more: dict[str, Any], error: str
) -> None:
    registered = name.replace("/", ".")
    promote(promoter(), name, register(registered))
    with pytest.raises(RefusedError, match=error):
        promote(promoter(), name, register(registered, **more), "r2", comparison=comparison)


def test_changed_file_after_the_manifest_is_detected(
    register: Register, promoter: Factory, objects: S3Objects, bucket: str, name: str
) -> None:
    number = register(name.replace("/", "."))
    promote(promoter(), name, number)
    release, s3 = Release(objects, names.model(name), number), boto3.client("s3")
    prefix = f"{name}/{number}/model"
    original = b"".join(objects.chunks(f"{prefix}/MLmodel"))
    s3.put_object(Bucket=bucket, Key=f"{prefix}/MLmodel", Body=b"x" * len(original))
    with pytest.raises(VerificationError, match="MLmodel: got 11 bytes"):
        release.verify()
    s3.put_object(Bucket=bucket, Key=f"{prefix}/MLmodel", Body=original)
    s3.put_object(Bucket=bucket, Key=f"{prefix}/evil.py", Body=b"")
    with pytest.raises(VerificationError, match=r"evil\.py: not in the manifest"):
        release.verify()
    s3.delete_object(Bucket=bucket, Key=f"{prefix}/evil.py")
    s3.delete_object(Bucket=bucket, Key=f"{prefix}/MLmodel")
    with pytest.raises(VerificationError, match="MLmodel: missing"):
        release.verify()


def test_manifest_that_was_replaced_with_its_files_is_not_rolled_back_to(
    register: Register, promoter: Factory, objects: S3Objects, bucket: str, name: str
) -> None:
    registered = name.replace("/", ".")
    first, second = register(registered), register(registered)
    for number in (first, second):
        promote(promoter(), name, number, number)
    key = f"{name}/{first}/manifest.json"
    manifest = json.loads(b"".join(objects.chunks(key)))
    manifest["created_at"] = "2020-01-01T00:00:00Z"
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(manifest).encode())
    with pytest.raises(VerificationError, match="the log of promotions states"):
        promoter().rollback(names.model(name), "champion", "r9")
    assert champion(name) == second


def test_rollbacks_go_back_one_release_at_a_time(
    register: Register, promoter: Factory, objects: S3Objects, name: str
) -> None:
    registered, model = name.replace("/", "."), names.model(name)
    with pytest.raises(RefusedError, match="nothing to roll back to: it has no release as champion"):
        promoter().rollback(model, "champion", "r0")
    numbers = [register(registered) for _ in range(3)]
    for number in numbers:
        promote(promoter(), name, number, number)
    entry = promoter().rollback(model, "champion", "b1")
    assert (entry.version, entry.previous, entry.action) == (numbers[1], numbers[2], "rollback")
    promoter().rollback(model, "champion", "b1")
    assert champion(name) == numbers[1], "the repetition of a command is not a second rollback"
    promoter().rollback(model, "champion", "b2")
    assert champion(name) == numbers[0], "the second rollback does not return to the newest release"
    with pytest.raises(RefusedError, match=f"{numbers[0]} is its only release as champion"):
        promoter().rollback(model, "champion", "b3")
    assert [each.version for each in Log(objects, model).entries()] == [*numbers, numbers[1], numbers[0]]


def test_alias_that_an_interrupted_command_did_not_set_is_set_by_its_repetition(
    register: Register, promoter: Factory, objects: S3Objects, name: str
) -> None:
    registered = name.replace("/", ".")
    first, second = register(registered), register(registered)
    promote(promoter(), name, first)
    promote(promoter(), name, second, "r2")
    # As after a kill between the entry and the alias.
    MlflowClient().set_registered_model_alias(registered, "champion", first)
    promote(promoter(), name, second, "r2")
    assert champion(name) == second
    assert len(Log(objects, names.model(name)).entries()) == 2


@pytest.mark.parametrize("request_id", ["r2", "r3"], ids=["by the same Job", "by the same command"])
def test_conditional_promotion_that_ended_before_the_alias_is_completed_by_its_repetition(
    register: Register, promoter: Factory, objects: S3Objects, name: str, request_id: str
) -> None:
    """The version that has the alias by the log is the promoted one: it is not better than itself."""
    registered, better = name.replace("/", "."), Comparison("champion", "auc", 0.01)
    first, second = (register(registered, metrics={"auc": auc}) for auc in (0.8, 0.9))
    promote(promoter(), name, first)
    promote(promoter(), name, second, "r2", comparison=better)
    # As after a kill between the entry and the alias.
    MlflowClient().set_registered_model_alias(registered, "champion", first)
    assert promote(promoter(), name, second, request_id, comparison=better).version == second
    assert champion(name) == second
    assert len(Log(objects, names.model(name)).entries()) == 2


def test_rollback_that_is_given_again_does_not_go_back_further(
    register: Register, promoter: Factory, name: str
) -> None:
    registered, model = name.replace("/", "."), names.model(name)
    numbers = [register(registered) for _ in range(3)]
    for number in numbers:
        promote(promoter(), name, number, number)
    promoter().rollback(model, "champion", "b1", numbers[2])
    with pytest.raises(
        RefusedError, match=rf"{numbers[1]} is champion already, since the rollback of .* by ada"
    ):
        promoter().rollback(model, "champion", "b2", numbers[2])
    assert champion(name) == numbers[1]
    assert promoter().rollback(model, "champion", "b1", numbers[2]).version == numbers[1], "the Job again"
    assert promoter().rollback(model, "champion", "b3", numbers[1]).version == numbers[0]


def test_concurrent_promotions_of_one_version_make_one_release(
    register: Register, promoter: Factory, objects: S3Objects, name: str
) -> None:
    number = register(name.replace("/", "."))
    errors = _together(*(lambda r=r: promote(promoter(), name, number, r) for r in ("r1", "r2", "r3")))
    assert errors == []
    Release(objects, names.model(name), number).verify()
    assert champion(name) == number


def test_concurrent_promotions_of_two_versions_leave_the_alias_at_the_last_entry(
    register: Register, promoter: Factory, objects: S3Objects, name: str
) -> None:
    registered = name.replace("/", ".")
    numbers = [register(registered) for _ in range(3)]
    errors = _together(*(lambda n=n: promote(promoter(), name, n, n) for n in numbers))
    assert errors == []
    entries = Log(objects, names.model(name)).entries()
    assert {entry.version for entry in entries} == set(numbers)
    assert champion(name) == entries[-1].version


def _meanwhile(monkeypatch: pytest.MonkeyPatch, version: str, task: Any) -> None:
    """Run a task once, after the files of a release were verified: they take minutes."""
    verify = Release.verify

    def verified(release: Release, digest: str | None = None) -> Any:
        result = verify(release, digest)
        if release.version == version:
            monkeypatch.undo()
            task()
        return result

    monkeypatch.setattr(Release, "verify", verified)


def test_version_is_compared_with_the_one_that_was_promoted_while_it_was_copied(
    register: Register,
    promoter: Factory,
    objects: S3Objects,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registered, better = name.replace("/", "."), Comparison("champion", "auc", 0.01)
    first, slow, best = (register(registered, metrics={"auc": auc}) for auc in (0.8, 0.82, 0.9))
    promote(promoter(), name, first)
    _meanwhile(monkeypatch, slow, lambda: promote(promoter(), name, best, "r3", comparison=better))
    with pytest.raises(RefusedError, match=r"auc: got 0\.82; expected at least 0\.01 above .*champion, 0\.9"):
        promote(promoter(), name, slow, "r2", comparison=better)
    assert champion(name) == best
    assert [entry.version for entry in Log(objects, names.model(name)).entries()] == [first, best]


def test_entry_states_the_version_that_it_replaced(
    register: Register, promoter: Factory, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, slow, quick = (register(name.replace("/", ".")) for _ in range(3))
    promote(promoter(), name, first)
    _meanwhile(monkeypatch, slow, lambda: promote(promoter(), name, quick, "r3"))
    assert promote(promoter(), name, slow, "r2").previous == quick


@pytest.mark.parametrize("stated", [True, False])
def test_rollback_does_not_undo_a_promotion_that_came_meanwhile(
    register: Register,
    promoter: Factory,
    objects: S3Objects,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    stated: bool,
) -> None:
    registered, model = name.replace("/", "."), names.model(name)
    first, second, third = (register(registered) for _ in range(3))
    for number in (first, second):
        promote(promoter(), name, number, number)
    _meanwhile(monkeypatch, first, lambda: promote(promoter(), name, third, "r3"))
    with pytest.raises(RefusedError, match=f"{third} is champion already, .*expected {second} to have it"):
        promoter().rollback(model, "champion", "b1", second if stated else None)
    assert champion(name) == third


def test_rollback_of_a_job_that_runs_twice_goes_back_once(
    register: Register,
    promoter: Factory,
    objects: S3Objects,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registered, model = name.replace("/", "."), names.model(name)
    numbers = [register(registered) for _ in range(3)]
    for number in numbers:
        promote(promoter(), name, number, number)
    _meanwhile(monkeypatch, numbers[1], lambda: promoter().rollback(model, "champion", "b1"))
    assert promoter().rollback(model, "champion", "b1").version == numbers[1]
    assert len(Log(objects, model).entries()) == 4
    assert champion(name) == numbers[1]


def _together(*tasks: Any) -> list[BaseException]:
    errors: list[BaseException] = []

    def run(task: Any) -> None:
        try:
            task()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors
