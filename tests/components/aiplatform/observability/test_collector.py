"""The configuration of the OpenTelemetry collector, in the real one; skipped where PATH has none."""

import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from aiplatform._shared.cloud_support import Cloud
from aiplatform.observability.traces import Traces
from aiplatform.observability.traces.configuration import cloud_trace, configuration, xray

PROGRAM: Final = shutil.which("otelcol") or shutil.which("otelcol-contrib")
EXPORTERS: Final[dict[Cloud, dict[str, Any]]] = {"aws": xray("eu-central-1"), "gcp": cloud_trace("acme-dev")}

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no otelcol on PATH")


@pytest.mark.parametrize("cloud", EXPORTERS)
@pytest.mark.parametrize(
    "traces",
    [Traces(), Traces(sampled_percent=2.5, keep_errors=True, keep_slower_than_ms=2000)],
    ids=["share", "late"],
)
def test_the_configuration_is_accepted(tmp_path: Path, cloud: Cloud, traces: Traces) -> None:
    result = validate(tmp_path, configuration(cloud, traces, EXPORTERS[cloud]))
    assert result.returncode == 0, result.stderr


def test_a_wrong_configuration_is_not_accepted(tmp_path: Path) -> None:
    content = configuration("gcp", Traces(), {"projekt": "acme-dev"})
    assert "projekt" in validate(tmp_path, content).stderr


def validate(folder: Path, content: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    command = [str(PROGRAM), "validate", f"--config={file}"]
    return subprocess.run(command, capture_output=True, text=True, check=False)
