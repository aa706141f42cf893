"""No false alarm: what our own environments register, judged as strictly as their profiles ask."""

from __future__ import annotations

from typing import Any, cast

import pytest

from aiplatform._shared.images import images
from policies.pack import Resource, Stack
from policies.pack.discovery import find
from policies.pack.judging import Court, Verdict
from policies.pack.policy import Profile
from policies.pack.strictness import read_strictness
from tests.components.recording import Registered
from tests.policies.relaxed import DEV, GOOGLE, STAGING
from tests.stacks.environments import STACKS, built

POLICIES = find()
STRICTNESS = read_strictness(POLICIES)


def as_judged(registered: Registered, provider: Any, *, made: bool = False) -> Resource:
    """A recorded resource as the pack sees it. made: as part of a stack, with what the cloud computed."""
    return Resource(
        type=registered.type,
        name=registered.name,
        urn=registered.urn,
        props={**registered.inputs, **registered.state} if made else registered.inputs,
        protect=bool(registered.protect),
        parent=registered.parent or "",
        provider=provider,
        property_dependencies={key: tuple(urns) for key, urns in registered.property_dependencies.items()},
    )


def verdicts(stack: str, teardown: bool | str = False, profile: str = "") -> list[Verdict]:
    """Everything that the pack says of an environment. profile: by which, where not by its own."""
    by = cast(Profile, profile or stack.partition("-")[2])
    court = Court(POLICIES, STRICTNESS, profile=by, retiring=bool(teardown))
    recording = built(stack, teardown).recording
    provider = recording.named(stack.partition("-")[0]).inputs
    alone = [as_judged(each, provider) for each in recording.resources]
    found = [verdict for each in alone for verdict in court.judge(each).verdicts]
    together = Stack([as_judged(each, provider, made=True) for each in recording.resources])
    return [*found, *court.judge_stack(together).verdicts]


@pytest.mark.parametrize("stack", STACKS)
def test_no_policy_finds_a_fault_in_our_own_environments(stack: str) -> None:
    told = [f"{each.policy.id}: {each.name}.{each.path}: {each.problem}" for each in verdicts(stack)]
    assert not told, "\n".join(told)


@pytest.mark.parametrize("teardown", [True, "with_data"])
@pytest.mark.parametrize("stack", [each for each in STACKS if each.endswith("prod")])
def test_an_environment_that_is_retired_may_lift_what_guards_it(stack: str, teardown: bool | str) -> None:
    found = verdicts(stack, teardown)
    assert {each.policy.id for each in found} >= {"reliability.guard_deletion", "reliability.protect_data"}
    stops = [f"{each.policy.id}: {each.name}.{each.path}" for each in found if each.level == "mandatory"]
    assert not stops, "the update that lifts protection would be refused: " + ", ".join(stops)


@pytest.mark.parametrize(
    ("stack", "profile", "refused"),
    [
        ("aws-dev", "staging", DEV),
        ("gcp-dev", "staging", DEV),
        ("aws-staging", "prod", STAGING),
        ("gcp-staging", "prod", STAGING | GOOGLE),
        # Of dev by prod the engine itself is asked: tests/end_to_end/test_aws_dev.py, test_gcp_dev.py.
        ("aws-dev", "prod", DEV | STAGING),
        ("gcp-dev", "prod", DEV | STAGING | GOOGLE),
        # What is strict enough for prod is so for the others, but for its account and its size.
        ("aws-prod", "dev", {"environment.separate_accounts"}),
        ("gcp-prod", "staging", {"environment.separate_accounts", "gpu.cap_gpu_nodes"}),
    ],
)
def test_what_one_profile_leaves_out_a_stricter_one_refuses(
    stack: str, profile: str, refused: set[str]
) -> None:
    found = verdicts(stack, profile=profile)
    assert {each.policy.id for each in found if each.level == "mandatory"} == refused


def test_prod_asks_for_a_digest_of_every_image_that_has_one() -> None:
    (policy,) = (each for each in POLICIES if each.id == "supply_chain.pin_images")
    options = STRICTNESS.of(policy, "prod")
    assert options["digests"]
    unpinned = {image.repository.partition("/")[2] for image in images().values() if not image.digest}
    assert {each.removeprefix("*/") for each in options["without_digest"]} == unpinned, (
        "an exemption ends when the digest is recorded"
    )
