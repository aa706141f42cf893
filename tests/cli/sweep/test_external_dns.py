"""Which records the TXT records of external-dns are about."""

from __future__ import annotations

import pytest

from cli.sweep import external_dns
from tests.cli.sweep.fakes import HERITAGE


@pytest.mark.parametrize(
    ("name", "about"),
    [
        ("a-web.x", {("web.x", "A")}),
        ("aaaa-web.x", {("web.x", "AAAA")}),
        ("cname-web.x", {("web.x", "CNAME"), ("web.x", "A")}),
        ("web.x", {("web.x", "A"), ("web.x", "CNAME")}),
    ],
)
def test_name_of_a_text_states_what_it_is_about(name: str, about: set[tuple[str, str]]) -> None:
    assert external_dns.about(name) == about


def test_record_that_two_owners_state_is_nobodys() -> None:
    texts = [("a-web.x", "TXT", HERITAGE.format(owner)) for owner in ("one", "two")]
    assert external_dns.owned([("web.x", "A", ""), *texts]) == [(1, "one"), (2, "two")]
