"""The part of Mermaid's flowcharts that the site draws; anything else is refused."""

from __future__ import annotations

import pytest

from tools.site.flowcharts import DiagramError, parse


def test_boxes_within_boxes_and_arrows_are_read() -> None:
    chart = parse('flowchart RL\n  subgraph a["A<br/>two"]\n    b["B"]\n  end\n  c["C"]\n  c --> a\n')
    assert (chart.direction, chart.edges) == ("RL", [("c", "a")])
    assert chart.nodes["a"].lines == ["A", "two"]
    assert [node.lines for node in chart.nodes["a"].inner] == [["B"]]
    assert list(chart.nodes) == ["a", "c"], "a box within another one has no arrows"


def test_box_contains_its_text_and_the_boxes_below_it() -> None:
    node = parse('flowchart RL\n  subgraph a["A"]\n    b["a long title"]\n  end\n').nodes["a"]
    assert node.width > node.inner[0].width > len("a long title") * 7
    assert node.height > node.inner[0].height + node.height_of_text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("sequenceDiagram", "expected `flowchart`"),
        ("flowchart RL\n  a(round)", "expected KEY"),
        ('flowchart RL\n  a["A"]\n  a --> b', "arrows of b"),
        ('flowchart RL\n  subgraph a["A"]\n  subgraph b["B"]', "no subgraph within another one"),
        ('flowchart RL\n  subgraph a["A"]\n  b["B"]', "expected `end`"),
    ],
)
def test_what_is_not_drawn_is_refused(text: str, problem: str) -> None:
    with pytest.raises(DiagramError, match=problem):
        parse(text)
