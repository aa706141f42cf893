"""The policy pack under the real engine, on a program that knows nothing of the platform."""

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


def _faulty() -> None:
    aws.iam.Policy("everything", policy=_allows("*", "*"))


def _loose() -> None:
    """Wrong, and no more than dev may."""
    aws.iam.Policy("loose", policy=_allows("s3:*", "arn:aws:s3:::acme-models/*"))


def _nothing() -> None:
    pass


def _refused(stack: automation.Stack, config: str | None = None) -> str:
    with pytest.raises(automation.errors.CommandError) as refused:
        stack.preview(policy_packs=[PACK], policy_pack_configs=[config] if config else None)
    return str(refused.value)


def _config(tmp_path: Path, **config: object) -> str:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config))
    return str(file)


def test_a_plain_program_is_stopped_by_what_prod_forbids(plain: Plain) -> None:
    told = _refused(plain.stack("faulty", _faulty))
    assert "identity.forbid_wildcard_actions" in told
    assert "policy.Statement[0].Action: allows '*'" in told, "where, and what"
    assert "To mend it: " in told
    assert "docs/policies.md#identityforbid_wildcard_actions" in told
    assert "in profile prod (nothing says another)" in told, "the strictest, where nothing says another"
    assert "resources judged" in told, "the pack's last word, though the preview fails on it"


def test_dev_is_told_and_goes_on(plain: Plain, tmp_path: Path) -> None:
    stack = plain.stack("loose", _loose)
    done = stack.preview(
        policy_packs=[PACK], policy_pack_configs=[_config(tmp_path, pack={"profile": "dev"})]
    )
    assert "identity.forbid_wildcard_actions" in done.stdout
    assert "in profile dev (the pack's configuration)" in done.stdout


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"identity.forbid_wildcards": "advisory"}, "no policy of that name"),
        ({"pack": {"profile": "production"}}, "profile must be one of the following"),
        ({"identity.forbid_wildcard_actions": "strict"}, "not a valid enforcement level"),
    ],
)
def test_a_configuration_that_nobody_knows_stops_before_anything_is_judged(
    plain: Plain, tmp_path: Path, config: dict[str, object], told: str
) -> None:
    assert told in _refused(plain.stack("faulty", _faulty), _config(tmp_path, **config))


def test_an_empty_program_has_nothing_to_check(plain: Plain) -> None:
    done = plain.stack("nothing", _nothing).preview(policy_packs=[PACK])
    assert "nothing to check" in done.stdout
    assert "in profile prod (nothing says another)" in done.stdout


def test_a_program_that_breaks_off_has_told_its_profile(plain: Plain) -> None:
    def breaks() -> None:
        raise ValueError("no such thing")

    told = _refused(plain.stack("broken", breaks))
    assert "no such thing" in told
    assert "in profile prod (nothing says another)" in told, "though nothing was judged as a whole"
    assert "resources judged" not in told, "nor is it said so"
