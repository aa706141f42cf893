"""What `make bench` tells, without the measuring."""

from __future__ import annotations

import pytest

from tests.bench import Operation, Program, Result, alone

RESULT = Result(
    "aws-dev", Program(1.0, 0.5, 98), [Operation("preview", 6.0, 2.0), Operation("up", 20.0, 4.0)]
)


def test_ratios_and_the_programs_share_are_told_for_programs_too() -> None:
    told = RESULT.document()
    assert [each["ratio"] for each in told["operations"]] == [3.0, 5.0]
    assert told["program"]["share_of_preview"] == 0.25


def test_a_person_reads_a_row_for_each_operation() -> None:
    table = RESULT.table()
    assert table.row_count == 2
    assert "25%" in str(table.caption)


@pytest.mark.end_to_end
def test_the_program_alone_registers_a_whole_environment() -> None:
    program = alone("aws-dev")
    assert program.resources > 50
    assert program.import_seconds > 0
    assert program.register_seconds > 0
