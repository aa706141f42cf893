"""The framework: enforcement levels, exemptions, unknown values, and what is rejected."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from policies.framework import (
    UNKNOWN,
    Deferred,
    Entry,
    Option,
    Options,
    Outcome,
    Policy,
    Resource,
    Stack,
    Violation,
    any_of,
    check_each,
    discovery,
)
from policies.framework.discovery import PackError, files, find
from policies.framework.enforcement import Enforcement, Exemption, read_enforcement, read_exemptions
from policies.framework.evaluation import Evaluation, Evaluator
from policies.framework.policy import Profile
from policies.framework.renamed import RENAMED
from tests.policies.spec import resource

ROOT = Path(__file__).parents[2]
TODAY = datetime.date(2026, 11, 25)
BUCKET = resource("aws:s3/bucket:Bucket", {"bucket": "acme"}, name="data")


def bare_policy(name: str, severity: Any = "high", **attributes: Any) -> Policy:
    """Return a policy without a rule."""
    policy = Policy(
        title="Buckets have names",
        severity=severity,
        description="The name states the owner.",
        remediation="Name it.",
        **attributes,
    )
    policy.id = name
    return policy


def example_policy(name: str = "data.name_buckets", severity: Any = "high", **attributes: Any) -> Policy:
    """Return a policy that requires long names of buckets."""
    policy = bare_policy(name, severity, **attributes)

    @policy.on("aws:s3/bucket:Bucket")
    def rule(subject: Resource, options: Options) -> Iterator[Outcome]:
        if len(subject.props["bucket"]) < options.get("least", 10):
            yield Violation("bucket", f"got {subject.props['bucket']!r}")

    return policy


# Only the levels of severities: the entries of single policies are not part of these tests.
BY_SEVERITY = Enforcement(read_enforcement(find()).by_severity)
LEAST = {"least": Option({"type": "integer", "minimum": 1}, 10, "The shortest name.")}


def evaluator(*policies: Policy, **attributes: Any) -> Evaluator:
    return Evaluator(policies, BY_SEVERITY, **attributes)


def evaluate(rule: Any, **props: Any) -> Evaluation:
    """Return the evaluation of a bucket with a single rule."""
    policy = bare_policy("data.name_buckets")
    policy.on("aws:s3/bucket:Bucket")(rule)
    return evaluator(policy).evaluate(resource("aws:s3/bucket:Bucket", props))


@pytest.mark.parametrize(
    ("severity", "levels"),
    [
        ("critical", ["mandatory", "mandatory", "mandatory"]),
        ("high", ["advisory", "mandatory", "mandatory"]),
        ("medium", ["advisory", "advisory", "mandatory"]),
        ("low", ["advisory", "advisory", "advisory"]),
    ],
)
def test_enforcement_gets_stricter_from_dev_to_prod(severity: str, levels: list[str]) -> None:
    profiles: list[Profile] = ["dev", "staging", "prod"]
    policy = example_policy(severity=severity)
    assert [evaluator(profile=profile).level(policy) for profile in profiles] == levels


def test_default_profile_is_the_strictest() -> None:
    [diagnostic] = evaluator(example_policy()).evaluate(BUCKET).diagnostics
    assert diagnostic.level == "mandatory"


def test_policy_that_raises_is_a_mandatory_failure_and_never_a_pass() -> None:
    broken = example_policy("data.break_always", severity="low")

    @broken.on("aws:s3/bucket:Bucket")
    def rule(subject: Resource) -> Iterator[Outcome]:
        raise KeyError("no such key")
        yield

    diagnostics = evaluator(broken).evaluate(BUCKET).diagnostics
    [failed] = [diagnostic for diagnostic in diagnostics if diagnostic.failed]
    assert failed.level == "mandatory", "although its severity is low"
    assert failed.policy.id == "data.break_always"
    assert "KeyError" in failed.problem


def test_unknown_value_ends_the_rule_as_deferred_and_keeps_earlier_violations() -> None:
    def rule(subject: Resource) -> Iterator[Outcome]:
        yield Violation("bucket", "is wrong")
        if not subject.known("versioning.status"):
            yield Violation("versioning", "is missing")

    evaluation = evaluate(rule, versioning={"status": UNKNOWN})
    assert [diagnostic.path for diagnostic in evaluation.diagnostics] == ["bucket"]
    assert [path for _, path in evaluation.deferred] == ["versioning.status"]


def test_unknown_value_above_the_path_defers_the_rule() -> None:
    def rule(subject: Resource) -> Iterator[Outcome]:
        yield Violation("versioning", f"is {subject.known('versioning.status')}")

    evaluation = evaluate(rule, versioning=UNKNOWN)
    assert not evaluation.diagnostics
    assert [path for _, path in evaluation.deferred] == ["versioning.status"]


def test_raw_unknown_value_in_a_condition_is_a_failure_of_the_policy() -> None:
    def rule(subject: Resource) -> Iterator[Outcome]:
        if not subject.raw("versioning"):
            yield Violation("versioning", "is missing")

    evaluation = evaluate(rule, versioning=UNKNOWN)
    assert [diagnostic.failed for diagnostic in evaluation.diagnostics] == [True], "it is no violation"


def test_violation_that_two_rules_of_a_policy_find_is_reported_once() -> None:
    policy = bare_policy("data.name_buckets")

    def rule(subject: Resource) -> Iterator[Outcome]:
        yield Violation("bucket", f"got {subject.props['bucket']!r}")

    policy.on("aws:s3/bucket:Bucket")(rule)
    policy.on("aws:s3/")(rule)
    [diagnostic] = evaluator(policy).evaluate(BUCKET).diagnostics
    assert diagnostic.problem == "got 'acme'"


def test_check_each_defers_one_entry_and_checks_the_others() -> None:
    def rule(subject: Resource) -> Iterator[Outcome]:
        yield from check_each(subject.entries("rules"), check)

    def check(entry: Entry) -> Iterator[Outcome]:
        if entry.known("status") == "off":
            yield Violation(entry.path, "is off")

    evaluation = evaluate(rule, rules=[{"status": UNKNOWN}, UNKNOWN, {"status": "off"}, {"status": "on"}])
    assert [diagnostic.path for diagnostic in evaluation.diagnostics] == ["rules[2]"]
    assert [path for _, path in evaluation.deferred] == ["rules[0].status", "rules[1].status"]


def test_check_each_of_an_unknown_list_is_deferred_and_the_rule_continues() -> None:
    def rule(subject: Resource) -> Iterator[Outcome]:
        yield from check_each(subject.entries("rules"), check)
        yield Violation("bucket", "is wrong")

    def check(entry: Entry) -> Iterator[Outcome]:
        yield Violation(entry.path, "is an entry")

    evaluation = evaluate(rule, rules=UNKNOWN)
    assert [diagnostic.path for diagnostic in evaluation.diagnostics] == ["bucket"]
    assert [path for _, path in evaluation.deferred] == ["rules"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["on", UNKNOWN], True),
        ([UNKNOWN, "on"], True),
        (["off", "off"], False),
        ([], False),
        (["off", UNKNOWN], "rules[1]"),
        (UNKNOWN, "rules"),
    ],
)
def test_any_of_is_true_by_one_known_value_whatever_is_unknown(values: Any, expected: bool | str) -> None:
    bucket = resource("aws:s3/bucket:Bucket", {"rules": values})

    def any_on() -> bool:
        return any_of(bucket.entries("rules"), lambda entry: entry.known() == "on")

    if isinstance(expected, bool):
        assert any_on() is expected
    else:
        with pytest.raises(Deferred) as deferred:
            any_on()
        assert deferred.value.path == expected


def test_property_declared_by_nothing_is_none_in_a_stack() -> None:
    filled_in_by_the_cloud = resource("aws:s3/bucket:Bucket", {"acl": UNKNOWN})
    assert filled_in_by_the_cloud.declared("acl") is None
    from_a_resource = resource(
        "aws:s3/bucket:Bucket", {"acl": UNKNOWN}, property_dependencies={"acl": ["urn"]}
    )
    with pytest.raises(Deferred):
        from_a_resource.declared("acl")


def _files(tmp_path: Path, policies: str = "", exemptions: str = "[]") -> tuple[Path, Path]:
    enforcement_file, exemptions_file = tmp_path / "enforcement.yaml", tmp_path / "exemptions.yaml"
    levels = "".join(
        f"  {severity}: {{dev: advisory, staging: advisory, prod: mandatory}}\n"
        for severity in ("critical", "high", "medium", "low")
    )
    enforcement_file.write_text(f"by_severity:\n{levels}{policies}")
    exemptions_file.write_text(exemptions)
    return enforcement_file, exemptions_file


def test_enforcement_file_sets_level_and_options_of_one_policy(tmp_path: Path) -> None:
    policy = example_policy(options=LEAST)
    text = "policies:\n  data.name_buckets:\n    dev: {level: mandatory, least: 3}\n    staging: disabled\n"
    file, _ = _files(tmp_path, text)
    enforcement = read_enforcement([policy], file)

    def diagnostics(profile: Profile) -> Any:
        return Evaluator([policy], enforcement, profile=profile).evaluate(BUCKET).diagnostics

    assert not diagnostics("dev"), "four letters are enough there"
    assert enforcement.level(policy, "dev") == "mandatory"
    assert not diagnostics("staging"), "it is disabled there"
    assert diagnostics("prod"), "other profiles keep the default"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "policies:\n  data.name_bucket: {dev: advisory}\n",
            "enforcement.yaml:7: policies.data.name_bucket: unknown policy 'data.name_bucket'; "
            "expected an id of docs/policies.md; did you mean 'data.name_buckets'?",
        ),
        (
            "policies:\n  data.name_buckets: {dev: strict}\n",
            "enforcement.yaml:7: policies.data.name_buckets.dev: got 'strict'; expected an enforcement level",
        ),
        ("policies:\n  data.name_buckets: {test: advisory}\n", "unknown profile; expected one of dev"),
        (
            "policies:\n  data.name_buckets:\n    dev: {most: 3}\n",
            "enforcement.yaml:8: policies.data.name_buckets.dev.most: unknown key; expected least",
        ),
        ("policies:\n  data.name_buckets: {dev: {least: short}}\n", "expected an integer"),
        ("policies:\n  data.name_buckets: {dev: {least: 0}}\n", "of at least 1"),
        ("extra: 1\n", "enforcement.yaml:6: extra: unknown key; expected by_severity or policies"),
        ("policies: [\n", "enforcement.yaml"),
    ],
)
def test_invalid_enforcement_file_is_rejected_with_the_line(tmp_path: Path, text: str, expected: str) -> None:
    file, _ = _files(tmp_path, text)
    with pytest.raises(PackError) as error:
        read_enforcement([example_policy(options=LEAST)], file)
    assert expected in str(error.value)


EXEMPTION = """- policy: data.name_buckets
  resource: data
  owner: data@acme.example
  reason: renamed with the next release
  expires: 2026-12-31
"""


def test_exemption_applies_to_its_resource_until_its_date(tmp_path: Path) -> None:
    _, file = _files(tmp_path, exemptions=EXEMPTION)
    [exemption] = read_exemptions([example_policy()], TODAY, file)
    exempting = evaluator(example_policy(), exemptions=[exemption])
    [diagnostic] = exempting.evaluate(BUCKET).diagnostics
    assert diagnostic.exempt is exemption, "it is reported as exempt, and not enforced"
    logs = resource("aws:s3/bucket:Bucket", {"bucket": "acme"}, name="logs")
    [diagnostic] = exempting.evaluate(logs).diagnostics
    assert diagnostic.exempt is None, "no other resource is exempt"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("  owner: data@acme.example\n", ""), ".owner: missing"),
        (("  reason: renamed with the next release\n", ""), ".reason: missing"),
        (("  expires: 2026-12-31\n", ""), ".expires: missing"),
        (("2026-12-31", "soon"), "exemptions.yaml:1: [0].expires: got 'soon'; expected a date"),
        (("data@acme.example", "''"), ".owner: got ''; expected a text"),
        (
            ("- policy", "# a comment\n- yes\n- policy"),
            "exemptions.yaml:2: [0]: got True; expected policy, resource",
        ),
        (("2026-12-31", "2026-11-24"), "expired on 2026-11-24"),
        (("data.name_buckets", "data.name_all"), "unknown policy 'data.name_all'"),
        (("resource: data", "resource: '*'"), "matches every resource"),
        (("resource: data", "resource: 'urn:*'"), "matches every resource"),
        (("resource: data", "resource: '*::*'"), "matches every resource"),
        (("owner:", "who: me\n  owner:"), ".who: unknown key"),
    ],
)
def test_invalid_exemption_is_rejected(tmp_path: Path, change: tuple[str, str], expected: str) -> None:
    _, file = _files(tmp_path, exemptions=EXEMPTION.replace(*change))
    with pytest.raises(PackError) as error:
        read_exemptions([example_policy()], TODAY, file)
    assert expected in str(error.value)


def test_former_id_of_a_policy_is_rejected_with_the_new_one(tmp_path: Path) -> None:
    entries = "".join(f"  {former}: {{dev: advisory}}\n" for former in RENAMED)
    exemptions = "".join(EXEMPTION.replace("data.name_buckets", former) for former in RENAMED)
    enforcement_file, exemptions_file = _files(tmp_path, f"policies:\n{entries}", exemptions)
    with pytest.raises(PackError) as in_enforcement:
        read_enforcement(find(), enforcement_file)
    with pytest.raises(PackError) as in_exemptions:
        read_exemptions(find(), TODAY, exemptions_file)
    for former, current in RENAMED.items():
        expected = f"the policy {former!r} was renamed; expected {current!r}"
        assert expected in str(in_enforcement.value)
        assert expected in str(in_exemptions.value)


def test_every_renamed_policy_exists_under_its_new_id_only() -> None:
    ids = {policy.id for policy in find()}
    assert set(RENAMED.values()) <= ids, "an error would state an id that does not exist"
    assert not set(RENAMED) & ids, "the id is still in use"


def test_policy_that_cannot_be_loaded_is_reported_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "separate"
    for folder in (package, package / "data"):
        folder.mkdir()
        (folder / "__init__.py").touch()
    file = package / "data" / "name_buckets.py"
    file.write_text('"""A policy."""\n\nimport no_such_module\n')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(discovery, "ROOT", package)
    monkeypatch.setattr(discovery, "_PACKAGE", "separate")
    with pytest.raises(PackError) as error:
        find()
    assert str(error.value) == (
        f"data.name_buckets: {file} cannot be loaded: "
        "ModuleNotFoundError: No module named 'no_such_module' (line 3)"
    )


@pytest.mark.parametrize(
    ("pattern", "name", "covered"),
    [
        ("data", "data", True),
        ("data-*", "data-raw", True),
        ("data-*", "metadata-raw", False),
        ("*::data[0]", "data[0]", True),
        ("data[0]", "data0", False),
        ("data?", "data1", False),
    ],
)
def test_exemption_pattern_matches_a_name_or_a_urn(pattern: str, name: str, covered: bool) -> None:
    exemption = Exemption("data.name_buckets", pattern, "data@acme.example", "renamed soon", TODAY)
    urn = f"urn:pulumi:prod::acme::aws:s3/bucket:Bucket::{name}"
    assert exemption.covers("data.name_buckets", name, urn) is covered, "only an asterisk is a wildcard"
    assert not exemption.covers("data.name_tables", name, urn), "it is for one policy"


def test_exemption_applies_on_its_last_day(tmp_path: Path) -> None:
    _, file = _files(tmp_path, exemptions=EXEMPTION.replace("2026-12-31", "2026-11-25"))
    assert read_exemptions([example_policy()], TODAY, file)


def test_stack_rule_sees_every_resource_and_reports_one() -> None:
    policy = example_policy("encryption.use_keys")

    @policy.on_stack
    def rule(stack: Stack) -> Iterator[Outcome]:
        yield from check_each(stack.of("aws:kms/key:Key"), check, stack)

    def check(key: Resource, stack: Stack) -> Iterator[Outcome]:
        if not stack.users_of(key):
            yield Violation("", "is not used")

    key = resource("aws:kms/key:Key", {}, name="key")
    user = resource(
        "aws:s3/bucket:Bucket", {"bucket": "acme"}, name="user", property_dependencies={"key": [key.urn]}
    )
    [diagnostic] = evaluator(policy).evaluate_stack(Stack([key])).diagnostics
    assert diagnostic.name == "key"
    assert not evaluator(policy).evaluate_stack(Stack([key, user])).diagnostics


def test_every_file_of_a_topic_is_a_policy() -> None:
    assert {f"{file.parent.name}.{file.stem}" for file in files()} == {policy.id for policy in find()}


def test_files_of_the_pack_are_valid_today() -> None:
    policies = find()
    read_enforcement(policies)
    read_exemptions(policies, datetime.datetime.now(datetime.UTC).date())


def test_pack_requires_the_same_pulumi_as_the_components() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    required = (ROOT / "policies" / "requirements.txt").read_text().splitlines()
    assert [line for line in required if not line.startswith("#")] == [
        line for line in project["dependencies"] if line.startswith("pulumi>")
    ]
