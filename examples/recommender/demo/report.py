"""The report of a run: one HTML file, with the monitor's reports of drift next to it."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from typing import Any

_STYLE = """
body { font: 15px/1.5 sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em; }
table { border-collapse: collapse; margin: 1em 0; }
td, th { border: 1px solid #999; padding: 4px 10px; text-align: left; }
td.number { text-align: right; }
iframe { border: 1px solid #999; height: 40em; width: 100%; }
.bar { background: #36c; display: inline-block; height: 0.8em; }
.bar.popular { background: #999; }
"""


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a table; numbers are aligned to the right."""
    head = "".join(f"<th>{html.escape(text)}</th>" for text in header)
    lines = ("".join(_cell(value) for value in row) for row in rows)
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _cell(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
        return f'<td class="number">{text}</td>'
    return f"<td>{html.escape(str(value))}</td>"


def steps(outcomes: Mapping[str, Sequence[str]]) -> str:
    """Return the results of steps. outcomes: title -> results."""
    rows = "".join(
        f"<li>{html.escape(title)}<ul>{''.join(f'<li>{html.escape(text)}</li>' for text in texts)}</ul></li>"
        for title, texts in outcomes.items()
    )
    return f"<p>The run ends with an error where one of these does not hold.</p><ol>{rows}</ol>"


def bars(values: Mapping[str, tuple[float, float]]) -> str:
    """Return a chart of the model's metric and that of popularity. values: version -> both, 0 to 1."""
    most = max(number for pair in values.values() for number in pair) or 1
    rows = "".join(
        f"<tr><td>{html.escape(name)}</td><td>"
        f'<span class="bar" style="width:{400 * own / most:.0f}px"></span> {own:.3f}<br>'
        f'<span class="bar popular" style="width:{400 * popular / most:.0f}px"></span> {popular:.3f} popular'
        "</td></tr>"
        for name, (own, popular) in values.items()
    )
    note = "<p>Recall at 10 on the last half day, which no training has read; grey: of popularity.</p>"
    return f"{note}<table>{rows}</table>"


def drift(result: Mapping[str, Any], file: str) -> str:
    """Return the scores of a comparison, and the monitor's report."""
    names = ("column", "score", "value", "threshold")
    rows = [
        (*(score[name] for name in names), "yes" if score["drifted"] else "") for score in result["scores"]
    ]
    window = f"{result['rows']} requests until {result['window_end']}"
    facts = f"version {result['version']}, {window}: {result['status']}"
    return (
        f"<p>{html.escape(facts)}; event: {html.escape(result['event'])}.</p>"
        + table((*names, "drifted"), rows)
        + f'<iframe src="{html.escape(file)}" title="drift" loading="lazy"></iframe>'
    )


def lineage(prediction: Mapping[str, Any], version: Mapping[str, Any]) -> str:
    """Return the way from a prediction back to snapshots and commit."""
    tags = version["tags"]
    rows = [
        ("request", prediction["request_id"]),
        (
            "user, recommended items",
            f"{prediction['user_id']}: {', '.join(str(item['item_id']) for item in prediction['items'])}",
        ),
        ("features of the online store", _pairs(prediction["features"])),
        ("answered by", f"{prediction['served_by']}, version {version['version']}"),
        ("run in MLflow", version["run"]),
        (
            "trained with",
            _pairs({name: version["params"][name] for name in ("factors", "ridge", "half_life_hours")}),
        ),
        ("snapshots", _pairs(json.loads(tags["ai-platform.snapshots"]))),
        ("feature views, with versions", _pairs(json.loads(tags["ai-platform.feature_views"]))),
        ("evaluated on", tags["ai-platform.evaluation_set"]),
        ("commit of the code", tags["ai-platform.code_commit"]),
    ]
    return table(("what", "value"), rows)


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in values.items())


def render(sections: Mapping[str, str], facts: str) -> str:
    """Return the report. sections: title -> HTML."""
    body = "".join(f"<h2>{html.escape(title)}</h2>{content}" for title, content in sections.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Recommender</title>'
        f"<style>{_STYLE}</style></head><body><h1>Recommender</h1><p>{html.escape(facts)}</p>{body}</body></html>"
    )
