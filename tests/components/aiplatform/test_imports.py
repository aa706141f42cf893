"""What importing the components costs."""

import subprocess
import sys
from pathlib import Path

import aiplatform

ENTITIES = sorted(file.parent.name for file in Path(aiplatform.__file__).parent.glob("[a-z]*/args.py"))


def test_arguments_and_environments_are_checked_without_the_sdk_of_any_cloud() -> None:
    program = "; ".join(
        [
            "import sys",
            *(f"import aiplatform.{entity}, aiplatform.{entity}.args" for entity in ENTITIES),
            "import stacks.loading",
            "sdks = ('pulumi_aws', 'pulumi_gcp', 'pulumi_kubernetes')",
            "print(sorted(m for m in sys.modules if m.startswith(sdks)))",
        ]
    )
    # Another process: in this one other tests have imported them already.
    message = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert message.stdout.strip() == "[]", "an SDK takes a second of CPU to load"
