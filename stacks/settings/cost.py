"""The topic `cost`: what `aiplatform estimate` expects of an environment's use."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from stacks.settings.base import Topic

HOURS: Final = 730
"""Hours of a month."""


class Cost(Topic):
    """The use that estimates of costs expect (docs/cost.md). It changes no resource."""

    hours: dict[str, Annotated[float, Field(ge=0, le=HOURS, strict=False)]] = Field(default_factory=dict)
    """Pool -> hours a month in which all its nodes run, beyond its minimum; an hour with half of them is half
    an hour. Default: that of the profile, in `cli/estimate/usage.toml`."""
    usage: dict[str, Annotated[float, Field(ge=0, strict=False)]] = Field(default_factory=dict)
    """Key of a price (`s3/standard`) -> units a month of each resource that is paid by it. Default: that of
    the profile, in `cli/estimate/prices/rules.toml`."""
