"""The alert of a budget holds queues. Nothing here releases them: `aiplatform budget release` does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from cost_control import messages
from cost_control.alerts import Alert
from cost_control.messages import Message
from cost_control.queues import Held, Object


class Queues(Protocol):
    """What is used of a cluster."""

    def change(self, name: str, decide: Callable[[Held, Object], Held]) -> tuple[Held, Held] | None:
        """Change why a queue is held."""
        ...

    def report(self, queue: str, reason: str, message: str, *, warning: bool = False) -> None:
        """Create an event about a queue."""
        ...


def note(text: str) -> None:
    """Write a line to the log."""
    sys.stderr.write(f"{text}\n")


def handle(
    cluster: Queues,
    names: Sequence[str],
    received: Iterable[Message],
    read: Callable[[Message], Alert | None],
    delete: Callable[[Message], None],
    now: datetime | None = None,
) -> None:
    """Hold the queues for each alert, and delete each message once that is done.

    A message of another form is deleted: it would come again for ever. One of an earlier month holds nothing:
    what it states is over.
    """
    month = f"{now or datetime.now(UTC):%Y-%m}"
    for message in received:
        try:
            alert = read(message)
        except ValueError as error:
            note(f"ignored: {error}")
            alert = None
        else:
            if alert is not None and alert.month != month:
                note(f"ignored: an alert of {alert.month}; this is {month}")
                alert = None
        if alert is not None:
            hold(cluster, names, alert)
        delete(message)


def hold(cluster: Queues, names: Sequence[str], alert: Alert) -> None:
    """Hold queues. One that is deleted, that is held already, or that a user has released for this month
    stays as it is."""
    for name in names:
        changed = cluster.change(name, lambda state, _: state.by_budget(alert.month, alert.reason))
        if changed is None:
            note(f"{name}: no such ClusterQueue")
        elif changed[0] == changed[1]:
            was = "released" if changed[0].released == alert.month else "held"
            note(f"{name}: {was} before, {alert.month}")
        else:
            note(f"{name}: held: {alert.reason}")
            cluster.report(
                name,
                "HeldByBudget",
                f"{alert.reason}. Running work goes on, nothing new is admitted until "
                "`aiplatform budget release`.",
                warning=True,
            )


def run(cluster: Queues, names: Sequence[str], queue: str, read: Callable[[Message], Alert | None]) -> None:
    """Handle the messages that a queue has."""
    handle(cluster, names, messages.receive(queue), read, lambda message: messages.delete(queue, message))
