"""The environments of this repository comply with the policies of their profiles."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from google.protobuf import json_format, struct_pb2

from aiplatform._shared.images import images
from policies.framework import Resource, Stack
from policies.framework.discovery import find
from policies.framework.enforcement import read_enforcement
from policies.framework.evaluation import Diagnostic, Evaluator
from policies.framework.policy import Profile
from policies.framework.run_log import Summary
from policies.framework.values import plain
from stacks.loading import load_file
from tests.components.recording import ACCOUNT, Recording, Registered
from tests.policies.in_force import EXEMPTIONS
from tests.policies.profile_differences import DEV, GOOGLE, STAGING
from tests.stacks.environments import STACKS, build, built
from tests.stacks.test_google_files import changed

POLICIES = find()
ENFORCEMENT = read_enforcement(POLICIES)


def as_evaluated(registered: Registered, provider: Any, stack: str, *, in_stack: bool = False) -> Resource:
    """Return a recorded resource as the pack sees it. stack: the environment's. in_stack: with the properties
    that the cloud computes."""

    def urn(recorded: str) -> str:
        # Recordings have the name of the profile as their stack.
        return re.sub(r"^urn:pulumi:[^:]*::", f"urn:pulumi:{stack}::", recorded)

    return Resource(
        type=registered.type,
        name=registered.name,
        urn=urn(registered.urn),
        props=_plain({**registered.inputs, **registered.state} if in_stack else registered.inputs),
        protect=bool(registered.protect),
        parent=urn(registered.parent or ""),
        provider=provider,
        property_dependencies={
            key: tuple(map(urn, urns)) for key, urns in registered.property_dependencies.items()
        },
    )


def _plain(props: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties as the pack reads them from the engine: with secrets as Hidden."""
    # Archives, which no policy reads, become text.
    return plain(json_format.Parse(json.dumps(dict(props), default=str), struct_pb2.Struct()))


def diagnostics(stack: str, teardown: bool | str = False, profile: str = "") -> list[Diagnostic]:
    """Return all violations of an environment. profile: a profile other than its own."""
    return violations(built(stack, teardown).recording, stack, profile, teardown=bool(teardown))


def violations(
    recording: Recording, stack: str, profile: str = "", *, teardown: bool = False
) -> list[Diagnostic]:
    """Return all violations of what an environment's program has registered, without exempt ones."""
    evaluated = evaluate(recording, stack, profile, teardown=teardown)
    return [diagnostic for diagnostic in evaluated.diagnostics if diagnostic.exempt is None]


@dataclass(frozen=True)
class Evaluated:
    """An environment as the pack has evaluated it. diagnostics: all violations, also exempt ones."""

    evaluator: Evaluator
    resources: list[Resource]
    diagnostics: list[Diagnostic]


def evaluate(recording: Recording, stack: str, profile: str = "", *, teardown: bool = False) -> Evaluated:
    """Evaluate what an environment's program has registered."""
    by = cast(Profile, profile or stack.partition("-")[2])
    evaluator = Evaluator(POLICIES, ENFORCEMENT, EXEMPTIONS, profile=by, teardown=teardown)
    provider = recording.named(stack.partition("-")[0]).inputs
    resources = [as_evaluated(entry, provider, stack) for entry in recording.resources]
    of_resources = [entry for resource in resources for entry in evaluator.evaluate(resource).diagnostics]
    program = Stack([as_evaluated(entry, provider, stack, in_stack=True) for entry in recording.resources])
    return Evaluated(evaluator, resources, [*of_resources, *evaluator.evaluate_stack(program).diagnostics])


@pytest.mark.parametrize("stack", STACKS)
def test_no_exemption_is_without_effect_in_an_environment_that_has_its_resource(stack: str) -> None:
    evaluated = evaluate(built(stack).recording, stack)
    summary = Summary(exempt=[entry for entry in evaluated.diagnostics if entry.exempt is not None])
    named = [line for line in summary.lines(evaluated.resources, evaluated.evaluator) if "without" in line]
    # Exemptions are shared: an environment does not have all of their resources.
    assert not [line for line in named if "(no violation)" in line], "narrow them to what needs them"


@pytest.mark.parametrize("stack", STACKS)
def test_no_exemption_covers_a_runtime_that_needs_none(stack: str) -> None:
    evaluated = evaluate(built(stack).recording, stack)
    used = {
        (entry.exempt.resource, entry.policy.id, entry.name)
        for entry in evaluated.diagnostics
        if entry.exempt
    }
    runtimes = [
        resource for resource in evaluated.resources if resource.type.endswith("ClusterTrainingRuntime")
    ]
    assert runtimes, "each environment trains"
    covered = {
        (exemption.resource, exemption.policy, runtime.name)
        for exemption in EXEMPTIONS
        for runtime in runtimes
        if exemption.names(runtime.name, runtime.urn)
    }
    assert covered == used & covered, "a later change of the runtime would not be noticed"


@pytest.mark.parametrize("stack", STACKS)
def test_environment_has_no_violation(stack: str) -> None:
    problems = [
        f"{entry.policy.id}: {entry.name}.{entry.path}: {entry.problem}" for entry in diagnostics(stack)
    ]
    assert not problems, "\n".join(problems)


OPTIONAL: dict[str, Any] = {
    "gpu_pools/serving/node_provisioning": "karpenter",
    "karpenter": {"image_versions": {"al2023": "v20261110"}},
    "teams": {"search": {"owners": [f"arn:aws:iam::{ACCOUNT}:role/owners"], "queue": "training"}},
    "guardrails/policies": {"accelerators": "deny"},
}
"""What the file of aws-prod leaves out, and other environments may have."""


def test_production_with_teams_and_karpenter_has_no_violation(tmp_path: Path) -> None:
    settings = load_file(changed(tmp_path, OPTIONAL, "aws-prod"))
    problems = [
        f"{entry.policy.id}: {entry.name}.{entry.path}: {entry.problem}"
        for entry in violations(build(settings).recording, "aws-prod")
    ]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("teardown", [True, "with_data"])
@pytest.mark.parametrize("stack", [name for name in STACKS if name.endswith("prod")])
def test_environment_with_teardown_may_lift_its_protection(stack: str, teardown: bool | str) -> None:
    violations = diagnostics(stack, teardown)
    lifted = {"reliability.enable_deletion_protection", "reliability.protect_data"}
    assert {entry.policy.id for entry in violations} >= lifted
    stops = [
        f"{entry.policy.id}: {entry.name}.{entry.path}" for entry in violations if entry.level == "mandatory"
    ]
    assert not stops, "the update that lifts the protection would be refused: " + ", ".join(stops)


@pytest.mark.parametrize(
    ("stack", "profile", "refused"),
    [
        ("aws-dev", "staging", DEV),
        ("gcp-dev", "staging", DEV),
        ("aws-staging", "prod", STAGING),
        ("gcp-staging", "prod", STAGING | GOOGLE),
        # With the real engine: tests/end_to_end/test_aws_dev.py, test_gcp_dev.py.
        ("aws-dev", "prod", DEV | STAGING),
        ("gcp-dev", "prod", DEV | STAGING | GOOGLE),
        # An environment that complies with prod complies with the others, except for its account and size.
        ("aws-prod", "dev", {"environment.separate_accounts"}),
        ("gcp-prod", "staging", {"environment.separate_accounts", "gpu.cap_gpu_nodes"}),
    ],
)
def test_stricter_profile_refuses_what_a_profile_omits(stack: str, profile: str, refused: set[str]) -> None:
    violations = diagnostics(stack, profile=profile)
    assert {entry.policy.id for entry in violations if entry.level == "mandatory"} == refused


def test_prod_requires_a_digest_of_every_image_that_has_one() -> None:
    (policy,) = (entry for entry in POLICIES if entry.id == "supply_chain.pin_images")
    options = ENFORCEMENT.options_of(policy, "prod")
    assert options["digests"]
    # Jobs of `aiplatform gpu check`, which no program registers.
    registered = {name: image for name, image in images().items() if not name.startswith("gpu-test-")}
    unpinned = {image.repository.partition("/")[2] for image in registered.values() if not image.digest}
    assert {entry.removeprefix("*/") for entry in options["without_digest"]} == unpinned, (
        "an entry is removed when the digest is recorded"
    )
