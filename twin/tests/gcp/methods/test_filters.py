"""Filters and conditions that Google's documentation has are accepted; what does not parse is refused."""

from __future__ import annotations

import pytest

from twin.gcp.api_server.errors import GoogleError
from twin.gcp.methods import filters

ACCEPTED = {
    "logging": [
        "",
        "severity>=ERROR",
        "out of memory",
        '"quoted text" AND resource.type = gce_instance',
        'log_id("cloudaudit.googleapis.com/activity")',
        "-severity=INFO",
        "NOT (a=1 OR b=2) c=3",
        "sample(insertId, 0.1)",
        "textPayload:(foo OR bar)",
        'protoPayload.methodName=~"^google\\.iam"',
        'logName="projects/x/logs/a%2Fb"',
        'ip_in_net(jsonPayload.realIP, "10.1.2.0/24")',
        "severity = (ERROR OR CRITICAL)",
        "jsonPayload.a.b[0]=1",
        'resource.type=("k8s_container" OR "k8s_pod")\nseverity>=WARNING -- of pods\n'
        '(jsonPayload.message=~"^error: \\\\d+" OR NOT labels."k8s-pod/app":*)\n'
        'timestamp>="2026-01-01T00:00:00Z"',
    ],
    "pubsub": [
        "attributes:domain",
        'attributes.domain = "com"',
        'hasPrefix(attributes.kind, "raw/") AND NOT attributes:test AND attributes."x-y" != "1"',
        "-attributes:a",
        "(attributes:a AND attributes:b) OR attributes:c",
    ],
    "monitoring": [
        'metric.type="a" resource.type="b"',
        'metric.type = "a" AND resource.labels.zone = starts_with("us-")',
        'metric.type="a" AND metadata.user_labels."x"=monitoring.regex.full_match("a.*")',
        'resource.type = "a" AND metric.labels.code != "200"',
        'metric.labels.x=one_of("a","b")',
        'select_slo_burn_rate("projects/x/services/y/serviceLevelObjectives/z", "3600s")',
    ],
}
REFUSED = {
    "logging": ["severity >= ", "(severity=ERROR", "a=1 AND", 'a = "x', "OR a=1", "a=1)", "severity==ERROR"],
    "pubsub": [
        "attributes.state = failed",
        "attributes:a AND attributes:b OR attributes:c",
        'data = "x"',
        'attributes.a == "b"',
        "hasPrefix(attributes.kind)",
        f'attributes.a = "{"x" * 256}"',
    ],
    "monitoring": ['metric.type="', "metric.type=", "cpu", 'metric.type="a" AND'],
}


@pytest.mark.parametrize(("language", "text"), [(name, text) for name in ACCEPTED for text in ACCEPTED[name]])
def test_filter_of_the_documentation_is_accepted(language: str, text: str) -> None:
    filters.check(language, text, "filter")


@pytest.mark.parametrize(("language", "text"), [(name, text) for name in REFUSED for text in REFUSED[name]])
def test_filter_that_does_not_parse_is_refused(language: str, text: str) -> None:
    with pytest.raises(GoogleError, match=r"filter: (syntax error at line \d+, column \d+|it has more than)"):
        filters.check(language, text, "filter")


@pytest.mark.parametrize(
    "expression",
    [
        'request.time < timestamp("2030-01-01T00:00:00Z")',
        'request.time.getHours("Europe/Berlin") >= 9 && (resource.type != "x" || '
        'resource.name.extract("/objects/{folder}/") in ["raw", "curated"])',
        'resource.name.startsWith("projects/_/buckets/acme/objects/raw/")',
        'api.getAttribute("iam.googleapis.com/modifiedGrantsByRole", []).hasOnly(["roles/viewer"])',
        'resource.matchTag("123/env", "prod")',
    ],
)
def test_condition_of_the_documentation_is_accepted(expression: str) -> None:
    filters.check_condition(expression)


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("resource.name.startsWith(", "syntax error"),
        ("", "syntax error"),
        ('resources.name == "x"', "undeclared reference to 'resources'"),
        ("true && today", "undeclared reference to 'today'"),
    ],
)
def test_condition_that_iam_cannot_compile_is_refused(expression: str, problem: str) -> None:
    with pytest.raises(GoogleError, match=problem):
        filters.check_condition(expression)
