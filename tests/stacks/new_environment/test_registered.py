"""The program registers all that a new environment file states, without a violation of a policy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policies.test_environments import violations
from tests.stacks.environments import build
from tests.stacks.new_environment.test_check import RELEASES, checked, loaded


@pytest.mark.parametrize(("cloud", "profile"), [("aws", "prod"), ("gcp", "dev")])
def test_new_environment_is_registered_without_a_violation(tmp_path: Path, cloud: str, profile: str) -> None:
    text = checked(cloud, profile=profile, accelerators=["l4"], release=RELEASES[cloud]).text
    recording = build(loaded(tmp_path, cloud, text)).recording
    pools = {entry.name for entry in recording.resources if entry.type == "aiplatform:index:GpuPool"}
    assert pools == {"l4"}, sorted({entry.type for entry in recording.resources})
    problems = [
        f"{entry.policy.id}: {entry.name}.{entry.path}: {entry.problem}"
        for entry in violations(recording, f"{cloud}-{profile}")
    ]
    assert not problems, "\n".join(problems)
