"""Labels as the Google provider keeps them: `labels` of the program, `pulumiLabels` with the provider's, and
`effectiveLabels` with those that others set (`goog-gke-...`), which stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twin.gcp.context import ATTRIBUTION
from twin.provider_interface import Props


def labels_now(remote: Mapping[str, Any], state: Props, name: str) -> Props:
    """The three properties from the labels that the API states. name: that of the program's own.

    What the program does not name is none, so that an import begins without labels.
    """
    labels = state.get(name)
    managed = state.get("pulumiLabels")
    result: Props = {
        "effectiveLabels": dict(remote),
        "pulumiLabels": {key: remote[key] for key in managed or {} if key in remote},
    }
    if isinstance(labels, dict):
        result[name] = {key: remote[key] for key in labels if key in remote}
    return result


def with_labels(has: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a resource has the labels that are managed; the attribution is added to new ones alone."""
    return all(has.get(key) == value for key, value in wanted.items() if key != ATTRIBUTION[0])


def without_attribution(labels: Props) -> Props:
    """The labels without Google's label of provenance."""
    return {key: value for key, value in labels.items() if key != ATTRIBUTION[0]}
