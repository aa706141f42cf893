"""A copy of policies/ next to the program of another team, with its exemptions."""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi_aws as aws
import pytest
from pulumi import automation

from tests.end_to_end.harness import ROOT
from tests.end_to_end.plain import Plain

pytestmark = pytest.mark.end_to_end

ALLOWED = {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::acme-plans/*"}
STAGING = {"pack": {"profile": "staging"}}
EXEMPT = """\
# Required in an emergency.
- policy: identity.forbid_wildcard_actions
  resource: everything
  owner: ml-platform@acme.example
  reason: a role for emergencies, watched by an alarm
  expires: {expires}
"""
RAISES = '''\
"""Always fails."""

from ..framework import Policy, Resource

POLICY = Policy(title="Fails", severity="low", description="It fails.", remediation="Fix the policy.")


@POLICY.on("aws:iam/policy:Policy")
def rule(resource: Resource) -> None:
    raise KeyError(resource.name)
'''


def _violating() -> None:
    aws.iam.Policy("everything", policy=json.dumps({"Version": "2012-10-17", "Statement": [ALLOWED]}))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the pack under another name."""
    return Path(
        shutil.copytree(
            ROOT / "policies", tmp_path / "guardrails", ignore=shutil.ignore_patterns("__pycache__")
        )
    )


def _exempt(copy: Path, *, days: int) -> datetime.date:
    """Exempt the program's only violation until so many days from now."""
    until = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=days)
    (copy / "exemptions.yaml").write_text(EXEMPT.format(expires=until))
    return until


def _preview(plain: Plain, copy: Path, configuration: Mapping[str, Any] = STAGING) -> str:
    config = copy.parent / "policy.json"
    config.write_text(json.dumps(configuration))
    done = plain.stack("copied", _violating).preview(
        policy_packs=[str(copy)], policy_pack_configs=[str(config)]
    )
    return done.stdout + done.stderr


def _refused(plain: Plain, copy: Path, configuration: Mapping[str, Any] = STAGING) -> str:
    with pytest.raises(automation.errors.CommandError) as error:
        _preview(plain, copy, configuration)
    return str(error.value)


def test_exempt_violation_is_reported_and_not_enforced(plain: Plain, copy: Path) -> None:
    assert "[mandatory] [severity: high]  identity.forbid_wildcard_actions" in _refused(plain, copy)
    until = _exempt(copy, days=30)
    output = _preview(plain, copy)
    assert "[mandatory]" not in output
    assert (
        f"exempt from identity.forbid_wildcard_actions until {until}: everything: "
        "a role for emergencies, watched by an alarm (ml-platform@acme.example)" in output
    )


def test_policy_that_is_configured_as_mandatory_is_so_in_dev(plain: Plain, copy: Path) -> None:
    # The described level is mandatory as well: that of prod, the default profile.
    configuration = {"pack": {"profile": "dev"}, "identity.forbid_wildcard_actions": "mandatory"}
    output = _refused(plain, copy, configuration)
    assert "in profile dev (the pack's configuration)" in output
    assert "[mandatory] [severity: high]  identity.forbid_wildcard_actions" in output
    assert "[advisory] [severity: high]  identity.forbid_wildcard_actions" in _preview(
        plain, copy, {"pack": {"profile": "dev"}}
    )


def test_expired_exemption_stops_the_pack_with_its_line(plain: Plain, copy: Path) -> None:
    yesterday = _exempt(copy, days=-1)
    output = _refused(plain, copy)
    assert f"exemptions.yaml:2: [0].expires: expired on {yesterday}; expected a later date" in output
    assert "the policy pack is invalid; no policy was evaluated" in output


def test_policy_that_raises_is_reported_by_its_id_and_stops_the_preview(plain: Plain, copy: Path) -> None:
    (copy / "identity" / "always_fail.py").write_text(RAISES)
    output = _refused(plain, copy)
    assert "identity.always_fail" in output, "policies need no registration"
    failed = "the policy itself failed: KeyError: 'everything' (line 10 of identity/always_fail.py)"
    assert failed in output, "with the line in the file of the policy"
    assert "identity.forbid_wildcard_actions" in output, "the other policies are evaluated"
