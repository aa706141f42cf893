"""Results: exit codes, documents and the table."""

from __future__ import annotations

import pytest

from cli.preflight import results
from cli.preflight.results import not_checked, ok, problem

FINE = ok("zones", "general", "offered")
UNKNOWN = not_checked("images", "aws-dev", "no network")
LIMIT = problem("quotas", "L-1", "too low", "raise it", blocks=False)
BLOCK = problem("names", "bucket", "it exists", "delete it")


@pytest.mark.parametrize(
    ("entries", "code"),
    [((), 0), ((FINE, UNKNOWN), 0), ((FINE, LIMIT), 3), ((LIMIT, BLOCK, UNKNOWN), 2)],
)
def test_exit_code_is_that_of_the_worst_problem(entries: tuple[results.Result, ...], code: int) -> None:
    assert results.exit_code(entries) == code


def test_document_has_the_repair_of_problems() -> None:
    document = results.document("aws-dev", "111122223333", "twin", [FINE, BLOCK])
    assert document["exit_code"] == 2
    assert document["results"][0] == {
        "check": "zones",
        "subject": "general",
        "state": "ok",
        "reason": "offered",
    }
    assert document["results"][1]["repair"] == "delete it"
    assert document["results"][1]["blocks"] is True


def test_table_ends_with_what_repairs_each_problem(capsys: pytest.CaptureFixture[str]) -> None:
    results.show(
        [FINE, LIMIT, UNKNOWN, problem("names", "b", "it [x] exists\nin us-west-2", "aws s3 rb s3://b")],
        "title",
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["check", "subject", "state", "result"]
    assert [line.split()[2] for line in lines[1:3]] == ["ok", "limit"]
    assert "it [x] exists" in lines[4], "brackets of an error are no markup"
    assert lines[4].endswith("exists"), "the table has one line for each"
    assert "in us-west-2" in lines
    assert "    aws s3 rb s3://b" in lines
    assert lines[-1] == "1 ok, 2 problem, 1 not checked"
