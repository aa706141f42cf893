"""kwok plays the kubelets: it keeps Nodes alive and runs their Pods, by the stages in stages.yaml."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Final

from twin.kubernetes.processes import images
from twin.private_files import write_private

STAGES: Final = Path(__file__).with_name("stages.yaml")
MANAGED: Final = ("kwok.x-k8s.io/node", "fake")
"""The annotation of a Node that kwok takes care of. Others are left alone."""
START_AFTER: Final = "twin.ai-platform/start-after"
RUN_FOR: Final = "twin.ai-platform/run-for"
EXIT_CODE: Final = "twin.ai-platform/exit-code"
"""Annotations of a Pod, see stages.yaml."""


def stages(folder: Path, selector: str) -> Path:
    """Return the file of stages, which leave the Pods alone that a selector (jq) selects.

    The file's name depends on its content, so that kwok is restarted with it.
    """
    if selector == images.NEVER:
        return STAGES
    name = f"stages-{hashlib.sha256(selector.encode()).hexdigest()[:12]}.yaml"
    text = STAGES.read_text().replace(f'key: "{images.NEVER}"', f"key: {json.dumps(selector)}")
    return write_private(folder / name, text)
