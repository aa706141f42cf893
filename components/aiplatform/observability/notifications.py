"""Arguments of notifications: receivers, which of them gets which alerts, and when none is sent.

Credentials are in the cloud's secret manager. An argument names a secret, External Secrets makes it a Secret,
and Alertmanager reads the file: nothing of it is in the program's state.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal
from zoneinfo import available_timezones

from aiplatform._shared.args import Problem, between, distinct, got, length, matches, nearest
from aiplatform.observability.rule_args import Severity

NONE: Final = "none"
"""The receiver that sends nothing."""
_NAME: Final = matches(
    r"[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?", "1 to 42 lower-case letters, digits and hyphens (a DNS label)"
)
SECRET: Final = matches(
    r"[\w/+=.@-]{1,512}|arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+-\w{6,}"
    r"|projects/[^/\s]+/secrets/[\w-]{1,255}",
    "the name of a secret in Secrets Manager or Secret Manager, such as acme-prod/alerts/slack, and never "
    "the credential itself",
)
_INTEGRATION_KEY: Final = re.compile(r"[A-Za-z0-9]{32}")
"""A key of PagerDuty ("Events API v2", `routing_key`: 32 characters)."""
_ADDRESS: Final = matches(r"[^@\s,]+@[^@\s,]+\.[a-z]{2,}", "one mail address")
_TIME: Final = matches(r"([01]\d|2[0-3]):[0-5]\d|24:00", "a time such as 09:30, up to 24:00")
_LABEL: Final = r"[a-zA-Z_][a-zA-Z0-9_]*"

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


@dataclass(frozen=True)
class Slack:
    """A channel of Slack."""

    channel: Annotated[str, matches(r"[#@]?[\w.-]{1,80}", "a channel such as #ml-alerts")]
    """The channel. The webhook of a Slack app has its own, whatever this says."""
    secret: Annotated[str, SECRET]
    """The secret whose text is the address of an incoming webhook."""


@dataclass(frozen=True)
class PagerDuty:
    """A service of PagerDuty."""

    secret: Annotated[str, SECRET]
    """The secret whose text is the integration key of the service (Events API v2)."""

    def check(self) -> Iterator[Problem]:
        """Report a key in the place of the secret's name: it would be in the state."""
        if _INTEGRATION_KEY.fullmatch(self.secret):
            yield Problem(
                "secret",
                "got 32 letters and digits, as an integration key has; expected the name of a secret with it",
            )


@dataclass(frozen=True)
class Email:
    """Mail by an SMTP server with TLS."""

    to: Annotated[list[Annotated[str, _ADDRESS]], length(1, 20, "addresses"), distinct]
    """The recipients."""
    sender: Annotated[str, _ADDRESS]
    """The sender's address."""
    host: Annotated[str, matches(r"[a-z0-9.-]+", "a host such as smtp.example.com")]
    """The SMTP server."""
    username: Annotated[str, length(1, 256, "characters")]
    """The user of the SMTP server."""
    secret: Annotated[str, SECRET]
    """The secret whose text is the user's password."""
    port: Literal[465, 587, 2587] = 587
    """The server's port. Default 587. Clouds block port 25."""


@dataclass(frozen=True)
class Webhook:
    """A receiver of Alertmanager's JSON messages."""

    secret: Annotated[str, SECRET]
    """The secret whose text is the address, which often contains a token."""
    port: Annotated[int, between(1, 65535, "a port")] = 443
    """The port of the address, to which Alertmanager may connect, 1 to 65535. Default 443."""


@dataclass(frozen=True)
class Receiver:
    """What gets notifications: at least one of `slack`, `pagerduty`, `email` and `webhook`."""

    name: Annotated[str, _NAME]
    """Its name, by which routes refer to it."""
    slack: Slack | None = None
    """A channel of Slack. Default: none."""
    pagerduty: PagerDuty | None = None
    """A service of PagerDuty. Default: none."""
    email: Email | None = None
    """Mail. Default: none."""
    webhook: Webhook | None = None
    """A webhook. Default: none."""
    owners: Annotated[list[str], distinct] = field(default_factory=list[str])
    """Owners of objectives (`slos`) whose alerts it gets, in addition to those of `routes`: twice where a
    route names it, too. `default` does not get them then. Default: none."""

    @property
    def secrets(self) -> dict[str, str]:
        """Kind of integration -> the secret with its credential."""
        kinds = {"slack": self.slack, "pagerduty": self.pagerduty, "email": self.email}
        return {
            kind: integration.secret
            for kind, integration in {**kinds, "webhook": self.webhook}.items()
            if integration is not None
        }

    def check(self) -> Iterator[Problem]:
        """Report a receiver that sends nothing."""
        if self.name == NONE:
            yield Problem("name", f"got {NONE!r}, the receiver that sends nothing; expected another name")
        if not self.secrets:
            yield Problem(
                "", "it has no integration; expected one of slack, pagerduty, email, webhook, with a `secret`"
            )


@dataclass(frozen=True)
class Route:
    """Alerts that a receiver gets. Of several routes that match an alert the first applies."""

    receiver: str
    """The receiver's name, or `none`: no notification."""
    severities: Annotated[list[Severity], distinct] = field(default_factory=list[Severity])
    """The severities. Default: all but `info`."""
    labels: dict[str, str] = field(default_factory=dict[str, str])
    """Labels of the alerts: `namespace: search`. Default: all alerts."""
    mute: Annotated[list[str], distinct] = field(default_factory=list[str])
    """Names of intervals in which no notification is sent. Default: none."""
    repeat_hours: Annotated[int, between(1, 168, "hours")] | None = None
    """Hours after which the notification of an alert that still fires is sent again, 1 to 168. Default: that
    of `notifications`."""

    def check(self) -> Iterator[Problem]:
        """Report names of labels that Prometheus does not have."""
        rule = matches(_LABEL, "the name of a label: letters, digits and underscores")
        for label in self.labels:
            reason = rule(label)
            if reason:
                yield Problem(f"labels.{label}", f"{got(label)}; {reason}")


@dataclass(frozen=True)
class MuteInterval:
    """Times in which routes send nothing, such as nights."""

    name: Annotated[str, _NAME]
    """Its name, by which routes refer to it."""
    start: Annotated[str, _TIME] = "00:00"
    """The time of its start. Default 00:00."""
    end: Annotated[str, _TIME] = "24:00"
    """The time of its end, after `start`: two intervals are a night. Default 24:00."""
    weekdays: Annotated[list[Weekday], distinct] = field(default_factory=list[Weekday])
    """The days of the week. Default: every day."""
    location: str = "UTC"
    """The time zone, by its IANA name such as `Europe/Berlin`. Default UTC."""

    def check(self) -> Iterator[Problem]:
        """Report an interval that Alertmanager refuses."""
        if self.start >= self.end:
            yield Problem(
                "end",
                f"{got(self.end)}, which is not after start ({self.start}); expected a later time: an "
                "interval ends at 24:00, and a second one begins at 00:00",
            )
        if self.location not in available_timezones():
            suggestion = nearest(self.location, sorted(available_timezones()))
            yield Problem(
                "location", f"{got(self.location)}, which is no IANA time zone{suggestion}; expected one"
            )


@dataclass(frozen=True)
class Notifications:
    """Where alerts are sent."""

    receivers: Annotated[list[Receiver], length(0, 50, "receivers")] = field(default_factory=list[Receiver])
    """The receivers. Default: none; alerts are in Alertmanager and Grafana only."""
    default: str | None = None
    """The receiver of alerts that no route matches, but those of severity `info`. Required with
    receivers."""
    routes: Annotated[list[Route], length(0, 100, "routes")] = field(default_factory=list[Route])
    """Which receiver gets which alerts; the first that matches applies. Default: none."""
    mute_intervals: Annotated[list[MuteInterval], length(0, 50, "intervals")] = field(
        default_factory=list[MuteInterval]
    )
    """Times in which routes that name them send nothing. Several with the same name are one. Default:
    none."""
    heartbeat: str | None = None
    """The receiver of the alert Watchdog, which always fires, every 5 minutes: a service that notices when it
    stays away. Default: none; the cloud's alarm of `long_term_storage` notices a Prometheus that has
    stopped."""
    repeat_hours: Annotated[int, between(1, 168, "hours")] = 12
    """Hours after which the notification of an alert that still fires is sent again, 1 to 168. Default 12."""
    secret_keys: Annotated[list[str], distinct] = field(default_factory=list[str])
    """AWS: arns of the customer managed keys that encrypt the secrets. Default: the key of AWS for Secrets
    Manager."""

    @property
    def names(self) -> list[str]:
        """The names of the receivers."""
        return [receiver.name for receiver in self.receivers]

    @property
    def secrets(self) -> dict[str, str]:
        """File (`{receiver}-{kind}`) -> the secret with its text."""
        return {
            f"{receiver.name}-{kind}": secret
            for receiver in self.receivers
            for kind, secret in receiver.secrets.items()
        }

    def check(self) -> Iterator[Problem]:
        """Report unknown and unused names."""
        yield from _repeated("receivers", self.names)
        if self.receivers and self.default is None:
            yield Problem(
                "default",
                "missing; expected the receiver of alerts that no route matches, or 'none'",
            )
        yield from self._references()
        used = {self.default, self.heartbeat, *(route.receiver for route in self.routes)}
        if used - {None, *self.names, "none"}:
            return  # a misspelt name may mean any of them
        for index, receiver in enumerate(self.receivers):
            if receiver.name not in used and not receiver.owners:
                yield Problem(
                    f"receivers[{index}].name",
                    f"{got(receiver.name)}, to which nothing routes; expected it in routes, `default` or "
                    "`heartbeat`, or owners of objectives",
                )
        named = {name for route in self.routes for name in route.mute}
        for index, interval in enumerate(self.mute_intervals):
            if interval.name not in named:
                yield Problem(
                    f"mute_intervals[{index}].name",
                    f"{got(interval.name)}, which no route names; expected it in `mute` of a route",
                )

    def _references(self) -> Iterator[Problem]:
        for path, name in (("default", self.default), ("heartbeat", self.heartbeat)):
            if name is not None:
                yield from _unknown(path, name, [*self.names, *([NONE] if path == "default" else [])])
        intervals = [interval.name for interval in self.mute_intervals]
        for index, route in enumerate(self.routes):
            yield from _unknown(f"routes[{index}].receiver", route.receiver, [*self.names, NONE])
            for position, name in enumerate(route.mute):
                yield from _unknown(f"routes[{index}].mute[{position}]", name, intervals, "mute interval")


def owner_problems(notifications: Notifications, owners: Collection[str]) -> Iterator[Problem]:
    """Yield a problem for each owner of a receiver that owns no objective. owners: those of the
    objectives."""
    for index, receiver in enumerate(notifications.receivers):
        for position, owner in enumerate(receiver.owners):
            if owner not in owners:
                yield Problem(
                    f"receivers[{index}].owners[{position}]",
                    f"{got(owner)}, which owns no objective; expected an `owner` of slos"
                    f"{nearest(owner, sorted(owners))}",
                )


def _unknown(
    path: str, name: str, known: Sequence[str], what: Literal["receiver", "mute interval"] = "receiver"
) -> Iterator[Problem]:
    if name not in known:
        expected = f"expected one of {', '.join(known)}" if known else f"expected the name of a {what}"
        yield Problem(path, f"{got(name)}, which is no {what}; {expected}{nearest(name, known)}")


def _repeated(path: str, names: Sequence[str]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        before = first.setdefault(name, index)
        if before != index:
            yield Problem(
                f"{path}[{index}].name",
                f"{got(name)}, which is also the name of {path}[{before}]; expected another",
            )
