"""Each policy has a page, to which its violations refer, with an example of a violation."""

from __future__ import annotations

import pytest
import yaml

from policies.framework.discovery import find, topics
from policies.framework.server import page
from policies.framework.values import Hidden
from tests.generating import policies, policy_pages
from tests.generating.renewing import ROOT
from tests.policies.spec import UNKNOWN, resource, stack

BUCKET = "aws:s3/bucket:Bucket"
WITHOUT_EXAMPLE = {"environment.restrict_regions"}
"""Their violations are in a provider's configuration."""


@pytest.mark.parametrize("policy", find(), ids=lambda policy: policy.id)
def test_violation_refers_to_the_page_of_its_policy(policy: policies.Policy) -> None:
    file = ROOT / page(policy)
    assert file.is_file(), "the report of a violation and code scanning name this path"
    text = file.read_text()
    assert text.splitlines()[2] == f"# {policy.id}"
    assert policy.remediation in text
    assert ("A violation (" in text) is (policy.id not in WITHOUT_EXAMPLE)


def test_overview_links_every_page_once() -> None:
    text = policies.text()
    for policy in find():
        assert text.count(f"](policies/{policy.id.replace('.', '/')}.md)") == 1, policy.id


def test_every_topic_has_an_introduction_of_more_than_a_line() -> None:
    for topic in topics():
        assert len(policy_pages.introduction(topic).splitlines()) > 1, f"policies/{topic}/__init__.py"


def test_no_page_contains_what_scanners_take_for_a_secret() -> None:
    pages = policy_pages.files()
    assert not [
        str(path) for path, text in pages.items() for part in ("AKIAIO", "ghp_0123") if part in text
    ], "push protection refuses the commit; the specs put such values together from parts"


def test_example_is_a_program_with_all_resources_of_a_stack() -> None:
    text = policy_pages.program(stack(resource(BUCKET, {"acl": "private"}, "lake", protect=True)))
    assert text is not None
    assert yaml.safe_load(text) == {
        "resources": {
            "lake": {"type": BUCKET, "properties": {"acl": "private"}, "options": {"protect": True}}
        }
    }


@pytest.mark.parametrize(
    "subject",
    [
        resource(BUCKET, {"bucket": UNKNOWN}),
        resource(BUCKET, {"tags": [{"value": Hidden("x")}]}),
        resource(BUCKET, provider={"region": "us-east-1"}),
    ],
    ids=["unknown", "hidden", "of a provider"],
)
def test_resource_that_no_program_in_yaml_states_is_no_example(subject: policy_pages.Resource) -> None:
    assert policy_pages.program(subject) is None
