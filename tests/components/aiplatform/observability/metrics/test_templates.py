"""Texts of alerts: what Prometheus refuses is refused before, and nothing else."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from aiplatform.observability.metrics import templates
from tests.components.aiplatform.observability.rules import promtool

ACCEPTED = (
    "no template, { $value } and }}",
    "{{ $labels.namespace }}/{{ $labels.pod }}: {{ $value | humanize }}",
    '{{ printf "%.1f" $value }} {{ .Value | printf "%d%%" }}{{- /* a comment */ -}}',
    '{{ if gt $value 0.5 }}a{{ else if eq $labels.x "b" }}b{{ else }}c{{ end }}',
    '{{ range $i, $e := query "up == 0" }}{{ $i }} {{ .Labels.job }}{{ else }}none{{ end }}',
    '{{ with query "up" }}{{ . | first | value | humanizePercentage }}{{ end }}',
    '{{ (index (query "up") 0).Labels.job }} {{ $x := 1 }}{{ $x }} {{ match "a\\\\d" $labels.b }} {{ `}}` }}',
    '{{ define "a" }}{{ .anything }}{{ end }}{{ template "a" . }} {{ $externalURL }} {{- 3 -}}',
)
REFUSED = (
    ("{{ $labels.pod", "unclosed action"),
    ("{{ $labels.pod }", "unclosed action"),
    ("{{ $labels.pod } }}", "unexpected '} }}'"),
    ("{{ $label.pod }}", "unknown variable $label; did you mean '$labels'?"),
    ("{{ humanise $value }}", "unknown function humanise; did you mean 'humanize'?"),
    ("{{ labels.pod }}", "unknown function labels; did you mean"),
    ("{{ }}", "a command without a value"),
    ("{{ if $value }}x", "{{if}} has no {{end}}"),
    ("x{{ end }}", "{{end}} without a beginning"),
    ("{{ else }}", "{{else}} without a beginning"),
    ("{{ if $value }}{{ else }}{{ else }}{{ end }}", "a second {{else}}"),
    ("{{ (index $labels 0 }}", "a parenthesis that is not closed"),
    ("{{ $value ) }}", "unexpected ')'"),
    ("{{ $value | 2 }}", "a value after `|`"),
    ('{{ match "\\d" $labels.x }}', "unknown escape"),
    ('{{ "a }}', "text without an end"),
    ("{{ break }}", "{{break}} outside of {{range}}"),
    ("{{/* x }}", "a comment that does not end"),
    ("{{ template a }}", "without a name in quotes"),
    ("{{ $value % 2 }}", "unexpected '% 2 }}'"),
    ('{{ "a".b }}', "unexpected '.b' after a value"),
)


@pytest.mark.parametrize("text", ACCEPTED)
def test_a_text_that_prometheus_accepts_is_accepted(text: str) -> None:
    assert templates.problem(text) is None


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_a_text_that_prometheus_refuses_is_refused_with_the_reason(text: str, reason: str) -> None:
    problem = templates.problem(text)
    assert problem is not None
    assert problem.startswith("does not parse: ")
    assert reason in problem
    assert problem.endswith("; expected a template of Prometheus as in {{ $labels.namespace }}")


def test_an_unknown_field_of_the_alert_is_refused_although_it_parses() -> None:
    problem = templates.problem("{{ .Label.pod }}") or ""
    assert "unknown field .Label; did you mean '.Labels'?" in problem
    assert templates.problem('{{ range query "up" }}{{ .Other }}{{ end }}') is None, "of another value"


def test_promtool_refuses_the_same_texts(tmp_path: Path) -> None:
    texts = {f"Refused{number}": text for number, (text, _) in enumerate(REFUSED)}
    texts |= {f"Accepted{number}": text for number, text in enumerate(ACCEPTED)}
    rules = [{"alert": name, "expr": "up", "annotations": {"summary": text}} for name, text in texts.items()]
    file = tmp_path / "rules.json"
    file.write_text(json.dumps({"groups": [{"name": "texts", "rules": rules}]}))
    tool = promtool.find()
    done = subprocess.run([str(tool), "check", "rules", file], capture_output=True, text=True, check=False)
    named = set(re.findall(r'"((?:Refused|Accepted)\d+)"', done.stdout + done.stderr))
    assert named == {name for name in texts if name.startswith("Refused")}, done.stderr
