"""What importing the components costs."""

import subprocess
import sys

ENTITIES = (
    "addons",
    "cluster",
    "cluster_autoscaler",
    "compute_class",
    "container_registry",
    "device_plugins",
    "efa_plugin",
    "gpu_pool",
    "lakehouse",
    "model_registry",
    "model_store",
    "network",
    "node_pool",
    "queues",
    "runner",
)


def test_arguments_are_checked_without_the_sdk_of_any_cloud() -> None:
    program = "; ".join(
        [
            "import sys",
            *(f"import aiplatform.{entity}, aiplatform.{entity}.args" for entity in ENTITIES),
            "sdks = ('pulumi_aws', 'pulumi_gcp', 'pulumi_kubernetes')",
            "print(sorted(m for m in sys.modules if m.startswith(sdks)))",
        ]
    )
    # Another process: in this one other tests have imported them already.
    message = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert message.stdout.strip() == "[]", "an SDK takes a second of CPU to load"
