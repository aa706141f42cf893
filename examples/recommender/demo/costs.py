"""What the platform costs in a cloud, by the committed estimates (docs/estimates): a laptop costs nothing."""

from __future__ import annotations

import json
from typing import Final

from examples.recommender.demo.programs import ROOT
from examples.recommender.demo.report import table as render

ENVIRONMENTS: Final = ("aws-dev", "gcp-dev")
PARTS: Final = ("Lakehouse", "FeatureStore", "ModelRegistry", "ModelStore", "NodePool")
"""Components that the example uses."""


def table() -> str:
    """Return the estimates in USD a month, of each environment and of the components that the example
    uses."""
    rows = []
    for name in ENVIRONMENTS:
        estimate = json.loads((ROOT / "docs" / "estimates" / f"{name}.json").read_text())
        parts = {
            component: of for component, of in estimate["components"].items() if component.split()[0] in PARTS
        }
        for component, amounts in {"whole environment": estimate["usd_per_month"], **parts}.items():
            rows.append((name, component, f"{amounts['idle']:,.2f}", f"{amounts['expected']:,.2f}"))
    text = "<p>USD a month. The team adds Pods on these nodes, and a function that costs by the call.</p>"
    return text + render(("environment", "component", "idle", "expected"), rows)
