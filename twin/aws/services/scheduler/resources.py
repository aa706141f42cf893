"""EventBridge Scheduler: schedules of the default group. None of them invokes its target here."""

from __future__ import annotations
