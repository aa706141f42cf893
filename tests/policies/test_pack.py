"""The pack as a whole: how strict it is, what is exempt, what is refused."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from policies.pack import Finding, Judgement, Option, Options, Policy, Resource, Stack, discovery
from policies.pack.discovery import PackError, files, find
from policies.pack.judging import Court
from policies.pack.policy import Profile
from policies.pack.strictness import Exemption, Strictness, read_exemptions, read_strictness
from tests.policies.spec import resource

ROOT = Path(__file__).parents[2]
TODAY = datetime.date(2026, 11, 25)
BUCKET = resource("aws:s3/bucket:Bucket", {"bucket": "acme"}, name="data")


def policy(name: str = "data.name_buckets", severity: Any = "high", **more: Any) -> Policy:
    made = Policy(
        title="Buckets have names",
        severity=severity,
        description="A name says whose it is.",
        remediation="Name it.",
        **more,
    )
    made.id = name

    @made.on("aws:s3/bucket:Bucket")
    def rule(subject: Resource, options: Options) -> Iterator[Judgement]:
        if len(subject.props["bucket"]) < options.get("least", 10):
            yield Finding("bucket", f"got {subject.props['bucket']!r}")

    return made


# How strict a severity is; what the file says of single policies is not of these tests.
BY_SEVERITY = Strictness(read_strictness(find()).by_severity)
LEAST = {"least": Option({"type": "integer", "minimum": 1}, 10, "The shortest name.")}


def court(*policies: Policy, **more: Any) -> Court:
    return Court(policies, BY_SEVERITY, **more)


@pytest.mark.parametrize(
    ("severity", "levels"),
    [
        ("critical", ["mandatory", "mandatory", "mandatory"]),
        ("high", ["advisory", "mandatory", "mandatory"]),
        ("medium", ["advisory", "advisory", "mandatory"]),
        ("low", ["advisory", "advisory", "advisory"]),
    ],
)
def test_strictness_rises_from_dev_to_prod(severity: str, levels: list[str]) -> None:
    profiles: list[Profile] = ["dev", "staging", "prod"]
    there = [court(profile=profile).level(policy(severity=severity)) for profile in profiles]
    assert there == levels


def test_where_nothing_says_a_profile_the_strictest_holds() -> None:
    [verdict] = court(policy()).judge(BUCKET).verdicts
    assert verdict.level == "mandatory"


def test_a_policy_that_raises_is_a_mandatory_fault_of_its_own_and_never_a_pass() -> None:
    broken = policy("data.break_always", severity="low")

    @broken.on("aws:s3/bucket:Bucket")
    def rule(subject: Resource) -> Iterator[Judgement]:
        raise KeyError("nothing of that name")
        yield

    verdicts = court(broken).judge(BUCKET).verdicts
    [failed] = [each for each in verdicts if each.failed]
    assert failed.level == "mandatory", "though it is of low severity"
    assert failed.policy.id == "data.break_always"
    assert "KeyError" in failed.problem


def test_an_unknown_value_that_a_policy_takes_for_a_truth_is_its_failure() -> None:
    from policies.pack import UNKNOWN

    hasty = policy()

    @hasty.on("aws:s3/bucket:Bucket")
    def rule(subject: Resource) -> Iterator[Judgement]:
        if not subject.get("versioning"):
            yield Finding("versioning", "missing")

    bucket = resource("aws:s3/bucket:Bucket", {"bucket": "a" * 20, "versioning": UNKNOWN})
    told = court(hasty).judge(bucket)
    assert [each.failed for each in told.verdicts] == [True], "it accuses nobody"


def _files(tmp_path: Path, strictness: str = "", exemptions: str = "[]") -> tuple[Path, Path]:
    first, second = tmp_path / "strictness.yaml", tmp_path / "exemptions.yaml"
    levels = "".join(
        f"  {severity}: {{dev: advisory, staging: advisory, prod: mandatory}}\n"
        for severity in ("critical", "high", "medium", "low")
    )
    first.write_text(f"by_severity:\n{levels}{strictness}")
    second.write_text(exemptions)
    return first, second


def test_the_file_may_make_one_policy_stricter_and_configure_it(tmp_path: Path) -> None:
    made = policy(options=LEAST)
    text = "policies:\n  data.name_buckets:\n    dev: {level: mandatory, least: 3}\n    staging: disabled\n"
    file, _ = _files(tmp_path, text)
    strictness = read_strictness([made], file)
    assert not Court([made], strictness, profile="dev").judge(BUCKET).verdicts, (
        "four letters are enough there"
    )
    assert strictness.level(made, "dev") == "mandatory"
    assert not Court([made], strictness, profile="staging").judge(BUCKET).verdicts, "it is off there"
    assert Court([made], strictness, profile="prod").judge(BUCKET).verdicts, "elsewhere all is as it was"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("policies:\n  data.name_bucket: {dev: advisory}\n", "did you mean 'data.name_buckets'?"),
        ("policies:\n  data.name_buckets: {dev: strict}\n", "expected an enforcement level"),
        ("policies:\n  data.name_buckets: {test: advisory}\n", "unknown profile"),
        ("policies:\n  data.name_buckets: {dev: {most: 3}}\n", "knows no such key"),
        ("policies:\n  data.name_buckets: {dev: {least: short}}\n", "expected an integer"),
        ("policies:\n  data.name_buckets: {dev: {least: 0}}\n", "of at least 1"),
        ("extra: 1\n", "unknown key"),
        ("policies: [\n", "strictness.yaml"),
    ],
)
def test_a_wrong_strictness_is_refused_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    file, _ = _files(tmp_path, text)
    with pytest.raises(PackError) as refused:
        read_strictness([policy(options=LEAST)], file)
    assert told in str(refused.value)


EXEMPTION = """- policy: data.name_buckets
  resource: data
  owner: data@acme.example
  reason: renamed with the next release
  expires: 2026-12-31
"""


def test_an_exemption_holds_for_its_resource_until_its_day(tmp_path: Path) -> None:
    _, file = _files(tmp_path, exemptions=EXEMPTION)
    [exemption] = read_exemptions([policy()], TODAY, file)
    there = court(policy(), exemptions=[exemption])
    [verdict] = there.judge(BUCKET).verdicts
    assert verdict.exempt is exemption, "it is told as exempt, and does not count"
    [other] = there.judge(resource("aws:s3/bucket:Bucket", {"bucket": "acme"}, name="logs")).verdicts
    assert other.exempt is None, "nothing else is exempt"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("  owner: data@acme.example\n", ""), ".owner: missing"),
        (("  reason: renamed with the next release\n", ""), ".reason: missing"),
        (("  expires: 2026-12-31\n", ""), ".expires: missing"),
        (("2026-12-31", "soon"), "line 1: [0].expires: got 'soon', expected a day"),
        (("data@acme.example", "''"), ".owner: got '', expected words"),
        (("- policy", "# whose?\n- yes\n- policy"), "line 2: [0]: got True, expected policy, resource"),
        (("2026-12-31", "2026-11-24"), "2026-11-24 is over"),
        (("data.name_buckets", "data.name_all"), "no policy 'data.name_all'"),
        (("resource: data", "resource: '*'"), "nothing is exempt as a whole"),
        (("resource: data", "resource: 'urn:*'"), "nothing is exempt as a whole"),
        (("resource: data", "resource: '*::*'"), "nothing is exempt as a whole"),
        (("owner:", "who: me\n  owner:"), ".who: unknown key"),
    ],
)
def test_a_wrong_exemption_is_refused(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    _, file = _files(tmp_path, exemptions=EXEMPTION.replace(*change))
    with pytest.raises(PackError) as refused:
        read_exemptions([policy()], TODAY, file)
    assert told in str(refused.value)


def test_a_policy_that_cannot_be_loaded_is_named_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "alone"
    for folder in (package, package / "data"):
        folder.mkdir()
        (folder / "__init__.py").touch()
    file = package / "data" / "name_buckets.py"
    file.write_text('"""A policy."""\n\nimport nothing_of_that_name\n')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(discovery, "ROOT", package)
    monkeypatch.setattr(discovery, "_PACKAGE", "alone")
    with pytest.raises(PackError) as refused:
        find()
    assert str(refused.value) == (
        f"data.name_buckets: {file} cannot be loaded: "
        "ModuleNotFoundError: No module named 'nothing_of_that_name' (line 3)"
    )


@pytest.mark.parametrize(
    ("said", "name", "covered"),
    [
        ("data", "data", True),
        ("data-*", "data-raw", True),
        ("data-*", "metadata-raw", False),
        ("*::data[0]", "data[0]", True),
        ("data[0]", "data0", False),
        ("data?", "data1", False),
    ],
)
def test_an_exemption_is_about_a_name_or_a_urn(said: str, name: str, covered: bool) -> None:
    exemption = Exemption("data.name_buckets", said, "data@acme.example", "renamed soon", TODAY)
    urn = f"urn:pulumi:prod::acme::aws:s3/bucket:Bucket::{name}"
    assert exemption.covers("data.name_buckets", name, urn) is covered, "an asterisk alone stands for others"
    assert not exemption.covers("data.name_tables", name, urn), "it is about one policy"


def test_an_exemption_holds_on_its_last_day(tmp_path: Path) -> None:
    _, file = _files(tmp_path, exemptions=EXEMPTION.replace("2026-12-31", "2026-11-25"))
    assert read_exemptions([policy()], TODAY, file)


def test_a_rule_of_the_stack_sees_all_and_tells_of_one() -> None:
    made = policy("encryption.use_keys")

    @made.on_stack
    def rule(stack: Stack) -> Iterator[Judgement]:
        for key in stack.of("aws:kms/key:Key"):
            if not stack.users_of(key):
                yield Finding("", "nothing uses it", key)

    key = resource("aws:kms/key:Key", {}, name="key")
    user = resource(
        "aws:s3/bucket:Bucket", {"bucket": "acme"}, name="user", property_dependencies={"key": [key.urn]}
    )
    [verdict] = court(made).judge_stack(Stack([key])).verdicts
    assert verdict.name == "key"
    assert not court(made).judge_stack(Stack([key, user])).verdicts


def test_every_file_of_a_topic_is_a_policy() -> None:
    assert {f"{file.parent.name}.{file.stem}" for file in files()} == {each.id for each in find()}


def test_the_pack_s_own_files_are_right_today() -> None:
    policies = find()
    read_strictness(policies)
    read_exemptions(policies, datetime.datetime.now(datetime.UTC).date())


def test_the_pack_asks_for_what_the_components_ask_for_and_no_more() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = (ROOT / "policies" / "requirements.txt").read_text().splitlines()
    assert [line for line in asked if not line.startswith("#")] == [
        line for line in project["dependencies"] if line.startswith("pulumi>")
    ]
