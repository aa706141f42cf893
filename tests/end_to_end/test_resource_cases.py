"""The twin against resources of other programs: wrong ones are refused, right ones accepted.

One update of each cloud has all wrong resources and goes on after each error. Another one has the right
ones, and a second preview of it shows no change, nor does one after a refresh.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pulumi import automation

from tests.end_to_end.plain import Plain
from tests.end_to_end.resource_cases import (
    aws_right_data,
    aws_right_foundation,
    aws_wrong_data,
    aws_wrong_foundation,
    checking,
    gcp_base,
    gcp_right,
    gcp_wrong,
)
from twin import environment

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(900)]

WRONG: dict[str, Any] = {
    "aws": {**aws_wrong_foundation.CASES, **aws_wrong_data.CASES},
    "gcp": gcp_wrong.CASES,
}
RIGHT: dict[str, Any] = {
    "aws": {**aws_right_foundation.CASES, **aws_right_data.CASES},
    "gcp": gcp_right.CASES,
}


@pytest.fixture(scope="module", params=["aws", "gcp"])
def deployed(request: pytest.FixtureRequest, home: Path) -> Iterator[tuple[str, Plain, Any]]:
    """A cloud, a twin of it, and the base that its cases refer to."""
    cloud = str(request.param)
    if cloud == "aws":
        plain = Plain(home, "cases-aws")
        base: Any = plain.base()
    else:
        plain = Plain(home, "cases-gcp", *gcp_base.OPTIONS, cloud="gcp")
        outputs = plain.stack("base", gcp_base.deploy).up().outputs
        base = gcp_base.Base(**{name: output.value for name, output in outputs.items()})
    yield cloud, plain, base
    plain.remove()


NOT_REFUSED: dict[str, str] = {
    "parameter-group-with-an-unknown-parameter": "AWS publishes no list of the parameters of a family",
    "role-that-an-unknown-service-assumes": "AWS publishes no list of its services' principals",
    "alert-to-a-channel-that-is-none": "channels are made by hand, apart from the program",
    "database-with-a-flag-of-another-engine": "the list of flags is a page of the documentation only",
}
"""What the twin accepts and the cloud refuses, and why (docs/twin.md)."""


def failed(error: automation.CommandError) -> set[str]:
    """Return the names of the resources that have an error in the diagnostics of an update."""
    report = str(error).partition("Diagnostics:")[2]
    blocks = re.split(r"\n(?=  [a-z]\w*:\w+:\w+ \()", report)
    names = (re.match(r"\s*\S+ \(([^)]+)\):", block) for block in blocks if "error:" in block)
    return {match[1] for match in names if match}


def test_wrong_resources_are_refused(deployed: tuple[str, Plain, Any]) -> None:
    cloud, plain, base = deployed
    cases = WRONG[cloud]
    [program] = plain.instance.folder.glob(f"pulumi/plugins/resource-{cloud}-v*/pulumi-resource-{cloud}")
    variables = {**os.environ, **environment.environment(plain.instance)}
    with checking.provider(program, variables) as client:
        checked = checking.Checked(client, cloud)

        def declare() -> None:
            checked.install()
            for name, case in cases.items():
                case(name, base)

        with pytest.raises(automation.CommandError) as error:
            plain.stack("wrong", declare).up(continue_on_error=True)
    missed = set(cases) - set(checked.refusals) - failed(error.value)
    assert sorted(missed) == sorted(set(cases) & set(NOT_REFUSED)), f"what {cloud} refuses"


def test_right_resources_are_accepted_and_stay_unchanged(deployed: tuple[str, Plain, Any]) -> None:
    cloud, plain, base = deployed

    def declare() -> None:
        for name, case in RIGHT[cloud].items():
            case(name, base)

    stack = plain.stack("right", declare)
    stack.up(continue_on_error=True)
    stack.preview(expect_no_changes=True)
    stack.refresh()
    stack.preview(expect_no_changes=True)
    stack.destroy()
