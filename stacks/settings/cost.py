"""The topic `cost`: budgets, and what `aiplatform estimate` expects of an environment's use."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import ConfigDict, Field

from aiplatform.cost.args import CostArgs, CostSettings
from stacks.settings.generated import stated, topic_of

HOURS: Final = 730
"""Hours of a month."""


class Cost(topic_of(CostArgs, CostSettings, without=("cluster_queues", "profile", "prometheus_url"))):
    """Control of costs (docs/cost.md): budgets, whose alerts go to `environment.owner` where it is an email
    address and they state no `emails`; the hold of all queues of `queues` by the budget of the environment;
    the detection of anomalies; the end of idle work, by the Prometheus of `observability`; and the use that
    estimates expect, which changes no resource."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    hours: dict[str, Annotated[float, Field(ge=0, le=HOURS, strict=False)]] = Field(default_factory=dict)
    """Pool -> hours a month in which all its nodes run, beyond its minimum; an hour with half of them is half
    an hour. Default: that of the profile, in `cli/estimate/usage.toml`."""
    usage: dict[str, Annotated[float, Field(ge=0, strict=False)]] = Field(default_factory=dict)
    """Key of a price (`s3/standard`) -> units a month of each resource that is paid by it. Default: that of
    the profile, in `cli/estimate/prices/rules.toml`."""

    @property
    def controls(self) -> bool:
        """Whether it states something that the component has, and not only expected use."""
        return bool(stated(self).keys() - {"hours", "usage"})
