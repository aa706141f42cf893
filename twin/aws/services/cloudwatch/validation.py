"""CloudWatch: what a metric alarm compares."""

from __future__ import annotations

from typing import Final

from twin.aws.validation import stated

RULES: Final = stated.rules(__name__)
