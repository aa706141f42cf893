"""The configuration of Fluent Bit, in the real Fluent Bit; skipped where PATH has none."""

import json
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from aiplatform._shared.cloud_support import Cloud
from aiplatform.observability.logs.configuration import (
    DIRECTORY,
    STATE,
    cloud_logging,
    cloudwatch,
    configuration,
)
from aiplatform.observability.redaction import script

PROGRAM: Final = shutil.which("fluent-bit")
OUTPUTS: Final[dict[Cloud, dict[str, Any]]] = {
    "aws": cloudwatch("eu-central-1", "/ai-platform/acme-dev/containers"),
    "gcp": cloud_logging("acme-dev", "acme-dev-cluster", "europe-west4"),
}
LINES: Final = (
    "loss=1.25",
    "password=hunter2",
    '{"level": "error", "msg": "no", "token": "abcdefgh", "count": 3, "empty": [], "none": null}',
    '{"msg": "fine", "big": 12345678901234567}',
    "-----BEGIN RSA PRIVATE KEY-----",
    "MIIEpAIBAAKCAQEA7bq",
    "-----END RSA PRIVATE KEY-----",
    "[rank0]: Traceback (most recent call last):",
    '[rank0]:   File "train.py", line 2, in <module>',
    "[rank0]: torch.OutOfMemoryError: CUDA out of memory",
    "Traceback (most recent call last):",
    '  File "train.py", line 9, in <module>',
    "ValueError: 3",
    "epoch 2",
)

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no fluent-bit on PATH")


def written(folder: Path, cloud: Cloud) -> dict[str, Any]:
    """Return a configuration with folders of this test, whose script exists."""
    content = configuration(cloud, OUTPUTS[cloud], buffer_mib=64, excluded_namespaces=["noisy"])
    text = json.dumps(content).replace(DIRECTORY, str(folder)).replace(STATE, str(folder / "state"))
    text = text.replace("/var/log/containers", str(folder / "containers"))
    (folder / "containers").mkdir()
    (folder / "state").mkdir()
    (folder / "redaction.lua").write_text(script())
    return json.loads(text)


def save(folder: Path, content: dict[str, Any]) -> Path:
    file = folder / "fluent-bit.yaml"
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    return file


@pytest.mark.parametrize("cloud", OUTPUTS)
def test_the_configuration_is_accepted(tmp_path: Path, cloud: Cloud) -> None:
    file = save(tmp_path, written(tmp_path, cloud))
    result = subprocess.run(
        [str(PROGRAM), "--dry-run", f"--config={file}"], capture_output=True, text=True, check=False
    )
    assert "configuration test is successful" in result.stdout + result.stderr, result.stderr
    assert result.returncode == 0


def test_messages_are_complete_attributed_and_without_secrets(tmp_path: Path) -> None:
    content = written(tmp_path, "aws")
    for entry in content["pipeline"]["filters"]:
        if entry["name"] == "kubernetes":
            # Without an API server: names from the tag alone.
            prefix = str(tmp_path / "containers").replace("/", ".")
            entry.update(kube_tag_prefix=f"kube{prefix}.", use_tag_for_meta="on", namespace_labels="off")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        content["service"].update(flush=1, http_port=free.getsockname()[1])
    output = {"name": "file", "match": "kube.*", "path": str(tmp_path), "file": "out", "format": "plain"}
    content["pipeline"]["outputs"] = [output]
    identifier = "a" * 64
    text = "".join(f"2026-11-28T10:00:00.123456789Z stdout F {line}\n" for line in LINES)
    text += "2026-11-28T10:00:00.1Z stdout P one \n2026-11-28T10:00:00.1Z stdout F two\n"
    (tmp_path / f"containers/train-0_team-a_main-{identifier}.log").write_text(text)
    for name in ("train-0_noisy_main", "container-logs-x_kube-system_container-logs"):
        (tmp_path / f"containers/{name}-{identifier}.log").write_text("2026-11-28T10:00:00.1Z stdout F no\n")

    records = run(save(tmp_path, content), tmp_path / "out", count=9)
    texts = [record["log"] for record in records if "log" in record]
    assert sorted(texts) == sorted(
        [
            "loss=1.25",
            "password=[redacted]",
            "[redacted]",
            "-----END RSA PRIVATE KEY-----",
            "\n".join(LINES[7:10]),
            "\n".join(LINES[10:13]),
            "epoch 2",
            "one two",
        ]
    )
    structured = {record["fields"]["msg"]: record for record in records if "fields" in record}
    assert structured["no"]["severity"] == "ERROR"
    assert structured["no"]["fields"] == {
        "level": "error",
        "msg": "no",
        "token": "[redacted]",
        "count": 3,
        "empty": [],
        "none": None,
    }
    assert structured["fine"]["fields"]["big"] == 12345678901234567, "what is unchanged stays exact"
    for record in records:
        place = record["kubernetes"]
        assert (place["namespace_name"], place["pod_name"], place["container_name"]) == (
            "team-a",
            "train-0",
            "main",
        )


def run(file: Path, output: Path, *, count: int) -> list[dict[str, Any]]:
    """Run Fluent Bit until it has written some records, and end it as Kubernetes does."""
    with subprocess.Popen(
        [str(PROGRAM), f"--config={file}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                time.sleep(0.2)
                if output.exists() and len(output.read_text().splitlines()) >= count:
                    break
        finally:
            process.terminate()
            process.wait(timeout=30)
    return [json.loads(line) for line in output.read_text().splitlines()]
