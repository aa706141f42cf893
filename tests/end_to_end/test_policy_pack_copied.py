"""The pack as another team has it: a copy of policies/ beside a program of theirs, with their exemptions."""

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
# Who finds the platform burning needs this.
- policy: identity.forbid_wildcard_actions
  resource: everything
  owner: ml-platform@acme.example
  reason: a role for emergencies, watched by an alarm
  expires: {expires}
"""
RAISES = '''\
"""Never holds."""

from ..pack import Policy, Resource

POLICY = Policy(title="No luck", severity="low", description="It fails.", remediation="Mend the policy.")


@POLICY.on("aws:iam/policy:Policy")
def rule(resource: Resource) -> None:
    raise KeyError(resource.name)
'''


def _faulty() -> None:
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
    """Exempt the program's only fault until so many days from now."""
    until = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=days)
    (copy / "exemptions.yaml").write_text(EXEMPT.format(expires=until))
    return until


def _preview(plain: Plain, copy: Path, said: Mapping[str, Any] = STAGING) -> str:
    config = copy.parent / "policy.json"
    config.write_text(json.dumps(said))
    done = plain.stack("copied", _faulty).preview(policy_packs=[str(copy)], policy_pack_configs=[str(config)])
    return done.stdout + done.stderr


def _refused(plain: Plain, copy: Path, said: Mapping[str, Any] = STAGING) -> str:
    with pytest.raises(automation.errors.CommandError) as refused:
        _preview(plain, copy, said)
    return str(refused.value)


def test_what_is_exempt_is_told_and_stops_nothing(plain: Plain, copy: Path) -> None:
    assert "[mandatory] [severity: high]  identity.forbid_wildcard_actions" in _refused(plain, copy)
    until = _exempt(copy, days=30)
    told = _preview(plain, copy)
    assert "[mandatory]" not in told
    assert (
        f"exempt from identity.forbid_wildcard_actions until {until}: everything: "
        "a role for emergencies, watched by an alarm (ml-platform@acme.example)" in told
    )


def test_a_policy_that_somebody_makes_mandatory_is_so_in_dev(plain: Plain, copy: Path) -> None:
    # Mandatory is what the engine was told of prod, which holds where nothing says another profile.
    said = {"pack": {"profile": "dev"}, "identity.forbid_wildcard_actions": "mandatory"}
    told = _refused(plain, copy, said)
    assert "in profile dev (the pack's configuration)" in told
    assert "[mandatory] [severity: high]  identity.forbid_wildcard_actions" in told
    assert "[advisory] [severity: high]  identity.forbid_wildcard_actions" in _preview(
        plain, copy, {"pack": {"profile": "dev"}}
    )


def test_an_exemption_that_is_over_stops_the_pack_with_its_line(plain: Plain, copy: Path) -> None:
    yesterday = _exempt(copy, days=-1)
    told = _refused(plain, copy)
    assert "exemptions.yaml: 1 fault(s)" in told
    assert f"line 2: [0].expires: {yesterday} is over; renew it with its reason" in told
    assert "the policy pack cannot be used; nothing was judged" in told


def test_a_policy_that_fails_is_told_by_its_id_and_stops_the_preview(plain: Plain, copy: Path) -> None:
    (copy / "identity" / "have_luck.py").write_text(RAISES)
    told = _refused(plain, copy)
    assert "identity.have_luck" in told, "found without registration"
    failed = "the policy itself failed: KeyError: 'everything' (line 10 of identity/have_luck.py)"
    assert failed in told, "by the line that its author looks for"
    assert "identity.forbid_wildcard_actions" in told, "the others have judged"
