"""The values of the chart kube-prometheus-stack.

    values(setup)

It states what the platform decides and nothing that is the chart's default anyway. The chart's own rules and
dashboards are off: the platform's have runbooks and tests.
"""

from typing import Any

from aiplatform.observability.values import exporters, grafana, prometheus
from aiplatform.observability.values.setup import Setup


def values(setup: Setup) -> dict[str, Any]:
    """Return the values of the chart."""
    return {
        # The add-on prometheus-operator-crds brings them: Helm would never update those in a chart.
        "crds": {"enabled": False},
        "defaultRules": {"create": False},
        **prometheus.values(setup),
        **exporters.values(setup),
        "grafana": grafana.values(setup),
    }
