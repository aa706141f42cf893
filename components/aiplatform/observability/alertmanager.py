"""Alertmanager's configuration, from the arguments of notifications.

It contains paths of files and no credential: Alertmanager reads each, when it sends a notification, from a
Secret that External Secrets makes.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from aiplatform.observability.notifications import NONE, MuteInterval, Notifications, Receiver, Route

VOLUME: Final = "alert-receivers"
"""The volume with the files of all receivers."""
FOLDER: Final = f"/etc/alertmanager/secrets/{VOLUME}"
"""Where it is mounted."""
WATCHDOG: Final = "Watchdog"
"""The alert that always fires."""
_HEARTBEAT_MINUTES: Final = 5
_SPECIAL: Final = frozenset(r"\.+*?()|[]{}^$")
"""The characters with a meaning in regular expressions of RE2."""
_TITLE: Final = (
    '[{{ .Status | toUpper }}{{ if eq .Status "firing" }}:{{ .Alerts.Firing | len }}{{ end }}] '
    "{{ .CommonLabels.alertname }} ({{ .CommonLabels.severity }})"
)
_TEXT: Final = (
    "{{ range .Alerts }}{{ .Annotations.summary }}\n"
    "{{ with .Annotations.description }}{{ . }}\n{{ end }}"
    "{{ with .Annotations.runbook_url }}Runbook: {{ . }}\n{{ end }}{{ end }}"
)


def secret(file: str) -> str:
    """Return the name of the Secret with a file of `Notifications.secrets`. Each has one, since External
    Secrets makes none as long as a part of it cannot be read."""
    return f"alert-receiver-{file}"


def configuration(notifications: Notifications) -> dict[str, Any]:
    """Return the configuration. Alerts of severity `none` and `info` are not sent, unless a route names
    `info`."""
    intervals = _intervals(notifications.mute_intervals)
    return {
        "global": {"resolve_timeout": "5m"},
        "route": {
            "receiver": notifications.default or NONE,
            "group_by": ["alertname", "severity", "cluster", "namespace", "slo"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": f"{notifications.repeat_hours}h",
            "routes": list(_routes(notifications)),
        },
        "inhibit_rules": list(_inhibitions()),
        "receivers": [{"name": NONE}, *map(_receiver, notifications.receivers)],
        **({"time_intervals": intervals} if intervals else {}),
    }


def _routes(notifications: Notifications) -> Iterator[dict[str, Any]]:
    yield {
        "receiver": notifications.heartbeat or NONE,
        "matchers": [f'alertname="{WATCHDOG}"'],
        "group_by": ["alertname"],
        "group_wait": "0s",
        # A repetition is sent with the next interval of the group.
        "group_interval": "1m",
        "repeat_interval": f"{_HEARTBEAT_MINUTES}m",
    }
    # An alert may concern several owners' receivers, and a route of severities as well.
    for receiver in notifications.receivers:
        if receiver.owners:
            owners = _text("|".join(map(_literal, receiver.owners)))
            yield {
                "receiver": receiver.name,
                "matchers": [f"owner=~{owners}", 'severity=~"critical|warning"'],
                "continue": True,
            }
    yield from (_route(route) for route in notifications.routes)
    yield {"receiver": NONE, "matchers": ['severity=~"none|info"']}


def _route(route: Route) -> dict[str, Any]:
    severities = route.severities or ["critical", "warning"]
    matchers = [f'severity=~"{"|".join(severities)}"']
    matchers += [f"{label}={_text(value)}" for label, value in sorted(route.labels.items())]
    entry: dict[str, Any] = {"receiver": route.receiver, "matchers": matchers}
    if route.mute:
        entry["mute_time_intervals"] = list(route.mute)
    if route.repeat_hours is not None:
        entry["repeat_interval"] = f"{route.repeat_hours}h"
    return entry


def _text(value: str) -> str:
    """Return a value of a matcher as a quoted string."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _literal(value: str) -> str:
    """Return a regular expression that matches the text alone. RE2 refuses escapes beyond ASCII."""
    return "".join(f"\\{character}" if character in _SPECIAL else character for character in value)


def _inhibitions() -> Iterator[dict[str, Any]]:
    """Yield which alerts are not sent while another one fires."""
    for source, target in (("critical", "warning|info"), ("warning", "info")):
        yield {
            "source_matchers": [f'severity="{source}"'],
            "target_matchers": [f'severity=~"{target}"'],
            "equal": ["alertname", "cluster", "namespace", "slo"],
        }


def _intervals(intervals: list[MuteInterval]) -> list[dict[str, Any]]:
    by_name: dict[str, list[dict[str, Any]]] = {}
    for interval in intervals:
        entry: dict[str, Any] = {
            "times": [{"start_time": interval.start, "end_time": interval.end}],
            "location": interval.location,
        }
        if interval.weekdays:
            entry["weekdays"] = list(interval.weekdays)
        by_name.setdefault(interval.name, []).append(entry)
    return [{"name": name, "time_intervals": entries} for name, entries in by_name.items()]


def _receiver(receiver: Receiver) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": receiver.name}
    files: Mapping[str, str] = {kind: f"{FOLDER}/{receiver.name}-{kind}" for kind in receiver.secrets}
    if receiver.slack is not None:
        entry["slack_configs"] = [
            {
                "api_url_file": files["slack"],
                "channel": receiver.slack.channel,
                "send_resolved": True,
                "title": _TITLE,
                "text": _TEXT,
            }
        ]
    if receiver.pagerduty is not None:
        entry["pagerduty_configs"] = [
            {
                "routing_key_file": files["pagerduty"],
                "send_resolved": True,
                "description": _TITLE,
                "severity": '{{ if eq .CommonLabels.severity "critical" }}critical{{ else }}warning{{ end }}',
                "details": {"runbooks": _TEXT},
            }
        ]
    if receiver.email is not None:
        email = receiver.email
        entry["email_configs"] = [
            {
                "to": ", ".join(email.to),
                "from": email.sender,
                "smarthost": f"{email.host}:{email.port}",
                "auth_username": email.username,
                "auth_password_file": files["email"],
                # On port 465 the connection itself is TLS.
                "require_tls": email.port != 465,
                "send_resolved": True,
                "headers": {"Subject": _TITLE},
                "text": _TEXT,
                "html": "",
            }
        ]
    if receiver.webhook is not None:
        entry["webhook_configs"] = [{"url_file": files["webhook"], "send_resolved": True, "max_alerts": 100}]
    return entry
