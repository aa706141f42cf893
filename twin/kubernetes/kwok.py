"""kwok plays the kubelets: it keeps Nodes alive and runs their Pods, by the stages in stages.yaml."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Final

from twin.kubernetes.certificates import Pki
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


def arguments(pki: Pki, kubeconfig: Path, port: int, stages: Path = STAGES) -> list[str]:
    """kwok's command line. port: its health endpoint, on loopback. stages: what it does."""
    return [
        "kwok",
        f"--kubeconfig={kubeconfig}",
        f"--config={stages}",
        f"--manage-nodes-with-annotation-selector={'='.join(MANAGED)}",
        # As long as a kubelet's lease; kwok renews it every quarter of that.
        "--node-lease-duration-seconds=40",
        # For a Pod whose Node has no podCIDR: the range that EKS's nodes give Pods in docs, not routed here.
        "--cidr=100.64.0.0/10",
        f"--server-address=127.0.0.1:{port}",
        f"--tls-cert-file={pki.certificate('kwok')}",
        f"--tls-private-key-file={pki.key('kwok')}",
    ]
