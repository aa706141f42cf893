"""The statements of Athena."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from ingest import aws
from ingest.events import Event


def event(number: int, **more: object) -> Event:
    fields: dict[str, object] = {
        "event_id": f"a-{number}",
        "happened_at": datetime(2026, 11, 29, 9, 0, 0, 5, tzinfo=UTC),
        "kind": "order",
        "amount": Decimal("12.50"),
        "source": "s3://raw/it's.json",
        **more,
    }
    return Event(**fields)  # type: ignore[arg-type]


def test_rows_are_literals_of_their_types() -> None:
    [statement] = aws.statements([event(1), event(2, amount=None)], "acme_curated.events")
    assert "MERGE INTO acme_curated.events" in statement
    assert "TIMESTAMP '2026-11-29 09:00:00.000005 UTC'" in statement
    assert "CAST(DECIMAL '12.50' AS DECIMAL(10,2))" in statement
    assert "CAST(NULL AS DECIMAL(10,2))" in statement
    assert "'s3://raw/it''s.json'" in statement, "a quote ends no literal"


def test_a_statement_stays_below_the_limit_of_athena() -> None:
    events = [event(number, source="s3://raw/" + "k" * 200) for number in range(aws.ROWS + 1)]
    texts = list(aws.statements(events, "t"))
    assert len(texts) == 2
    assert max(map(len, texts)) < 262_144
