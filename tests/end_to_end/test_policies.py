"""The policy pack with the real engine, on programs without the platform's components."""

from __future__ import annotations

import json
from pathlib import Path

import pulumi_aws as aws
import pytest
from pulumi import automation

from tests.end_to_end.harness import ROOT
from tests.end_to_end.plain import Plain

pytestmark = pytest.mark.end_to_end

PACK = str(ROOT / "policies")


def _allows(action: str, resource: str) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _violating() -> None:
    aws.iam.Policy("everything", policy=_allows("*", "*"))


def _loose() -> None:
    """A violation that is only advisory in dev."""
    aws.iam.Policy("loose", policy=_allows("s3:*", "arn:aws:s3:::acme-models/*"))


def _nothing() -> None:
    pass


def _refused(stack: automation.Stack, config: str | None = None) -> str:
    with pytest.raises(automation.errors.CommandError) as error:
        stack.preview(policy_packs=[PACK], policy_pack_configs=[config] if config else None)
    return str(error.value)


def _config(tmp_path: Path, **config: object) -> str:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config))
    return str(file)


def test_mandatory_violation_stops_a_preview_in_prod(plain: Plain) -> None:
    output = _refused(plain.stack("violating", _violating))
    assert "identity.forbid_wildcard_actions" in output
    assert "policy.Statement[0].Action: allows '*'" in output, "the path and the problem"
    assert "To fix it: " in output
    assert "docs/policies/identity/forbid_wildcard_actions.md" in output
    assert "in profile prod (the default)" in output, "the default profile is the strictest"
    assert "resources evaluated" in output, "the summary, although the preview fails"


def test_advisory_violation_is_reported_in_dev(plain: Plain, tmp_path: Path) -> None:
    stack = plain.stack("loose", _loose)
    done = stack.preview(
        policy_packs=[PACK], policy_pack_configs=[_config(tmp_path, pack={"profile": "dev"})]
    )
    assert "identity.forbid_wildcard_actions" in done.stdout
    assert "in profile dev (the pack's configuration)" in done.stdout


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"identity.forbid_wildcards": "advisory"}, "unknown policy 'identity.forbid_wildcards'"),
        ({"network.close_endpoints": "advisory"}, "expected 'network.restrict_cluster_endpoints'"),
        ({"pack": {"profile": "production"}}, "profile must be one of the following"),
        ({"identity.forbid_wildcard_actions": "strict"}, "not a valid enforcement level"),
    ],
)
def test_invalid_configuration_stops_before_the_first_evaluation(
    plain: Plain, tmp_path: Path, config: dict[str, object], expected: str
) -> None:
    assert expected in _refused(plain.stack("violating", _violating), _config(tmp_path, **config))


def test_empty_program_has_nothing_to_check(plain: Plain) -> None:
    done = plain.stack("nothing", _nothing).preview(policy_packs=[PACK])
    assert "nothing to check" in done.stdout
    assert "in profile prod (the default)" in done.stdout


def test_profile_is_logged_by_a_program_that_fails(plain: Plain) -> None:
    def breaks() -> None:
        raise ValueError("no such thing")

    output = _refused(plain.stack("broken", breaks))
    assert "no such thing" in output
    assert "in profile prod (the default)" in output, "although no stack rule was evaluated"
    assert "resources evaluated" not in output
