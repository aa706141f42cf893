"""What is written in an environment file and arrives as something else, and files that are no YAML."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stacks import loading, yaml_files
from stacks.loading import SettingsError, load_engine, load_file
from tests.stacks.files import changed

ROOT = Path(__file__).parents[2]
ENVIRONMENT = "config/ai-platform:environment"


def written(folder: Path, owner: str, top: str = "") -> Path:
    """Return a valid file whose owner is this text, without quotes."""
    file = changed(folder, {f"{ENVIRONMENT}/owner": "OWNER"})
    file.write_text(top + file.read_text().replace("OWNER", owner))
    return file


def problems(file: Path) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load_file(file)
    return list(refused.value.problems)


def of_engine(monkeypatch: pytest.MonkeyPatch, file: Path, **owner: Any) -> list[str]:
    """Return what the program refuses of a file whose owner arrives as this."""
    config = YAML(typ="safe").load(file)["config"]
    config["ai-platform:environment"] |= owner
    values = {name: json.dumps(value, default=str) for name, value in config.items()}
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps(values))
    monkeypatch.setattr(loading, "ENVIRONMENTS", file.parent)
    with pytest.raises(SettingsError) as refused:
        load_engine("aws-dev")
    return list(refused.value.problems)


# What Pulumi 3.274 passes to a program for each text (workspace.LoadProjectStackBytes of its SDK for Go).
REWRITTEN = {
    "2026-11-25": "2026-11-25 00:00:00 +0000 UTC",
    "2026-1-5": "2026-01-05 00:00:00 +0000 UTC",
    "0777": 511,
    "+0200": 128,
    "012345678901": 12345678901,
}


@pytest.mark.parametrize(("text", "passed"), REWRITTEN.items(), ids=str)
def test_scalar_that_pulumi_rewrites_is_one_problem_that_asks_for_quotes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, passed: object
) -> None:
    file = written(tmp_path, text)
    [of_file] = problems(file)
    [of_program] = of_engine(monkeypatch, file, owner=passed)
    for problem in (of_file, of_program):
        assert f": environment.owner: got {text} without quotes, which arrives as {passed!r}" in problem
        assert "in quotes" in problem
        assert f'"{text}"' in problem, "the reader copies it"
    line = next(n for n, row in enumerate(file.read_text().splitlines(), 1) if "owner:" in row)
    assert f"Pulumi.aws-dev.yaml:{line}: " in of_program, "the engine's configuration has no lines"


def test_date_of_the_engine_is_recognised_without_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "ENVIRONMENTS", tmp_path)
    file = changed(tmp_path)
    file = file.rename(tmp_path / "other.yaml")
    [problem] = of_engine(monkeypatch, file, owner="2026-11-25 10:00:00 +0000 UTC")
    assert "got 2026-11-25T10:00:00Z without quotes" in problem


def test_date_as_a_key_is_refused(tmp_path: Path) -> None:
    file = changed(tmp_path, {f"{ENVIRONMENT}/tags": {"DAY": "x"}})
    file.write_text(file.read_text().replace("DAY:", "2026-11-25:"))
    [problem] = problems(file)
    assert "environment.tags.2026-11-25: got 2026-11-25 without quotes" in problem


def test_date_of_a_shared_file_is_refused_there(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "tags.yaml").write_text("shared:\n  ai-platform:guardrails:\n    x: 2026-11-25\n")
    file = changed(tmp_path, {"config/ai-platform:shared": {"files": ["tags"]}})
    with pytest.raises(SettingsError) as refused:
        load_file(file, tmp_path / "shared")
    assert "environments/shared/tags.yaml:3: guardrails.x: got 2026-11-25" in refused.value.problems[0]


@pytest.mark.parametrize(
    "text", ['"2026-11-25"', "2026-11-25-a", "0x1F-a", "on", "20:30", "2026-11", "!!str 2026-11-25"]
)
def test_text_that_arrives_as_it_is_written_is_accepted(tmp_path: Path, text: str) -> None:
    assert load_file(written(tmp_path, text)).environment.owner == text.removeprefix("!!str ").strip('"')


@pytest.mark.parametrize("text", ["4.0", "4e0", "0x4", "0b100", "0o4", "4"])
def test_whole_number_is_an_integer_in_every_form_as_pulumi_passes_it_on(tmp_path: Path, text: str) -> None:
    file = changed(tmp_path, {"config/ai-platform:gpu_pools/t4/max": "MAX"})
    file.write_text(file.read_text().replace("MAX", text))
    assert load_file(file).gpu_pools["t4"].max == 4


def test_number_as_a_key_is_text_as_pulumi_passes_it_on(tmp_path: Path) -> None:
    file = changed(tmp_path, {f"{ENVIRONMENT}/tags": {2: "x", True: "y"}})
    assert load_file(file).environment.tags == {"2": "x", "true": "y"}


BROKEN = {
    "config:\n\ta: 1\n": (2, "no valid YAML: a tab; expected spaces"),
    "config:\n  a: b: c\n": (2, "no valid YAML: a second `: ` in a line; expected"),
    "config: {a: [1, 2}\n": (1, "no valid YAML: a list or an object that is not closed; expected `,` or `]`"),
    "config:\n  a: 'x\n": (3, "no valid YAML: a quote that is not closed; expected one"),
    "config:\n  a: @x\n": (2, "no valid YAML: a value that begins with @; expected it in quotes"),
    "config:\n  a: *x\n": (2, "no valid YAML: an unknown alias *x; expected the anchor &x above it"),
    "config:\n  a: 1\n b: 2\n": (3, "no valid YAML: indented differently than the keys above; expected"),
    "config: {}\n---\nconfig: {}\n": (2, "no valid YAML: a second document; expected a single one"),
    'config:\n  a: "\\y"\n': (2, "no valid YAML: a backslash in double quotes; expected two"),
    "config:\n  {{ a }}: 1\n": (2, "no valid YAML: a list or an object as a key; expected text"),
    "config:\n  ai-platform:network:\n    cidr: a\n    cidr: b\n": (
        4,
        "network.cidr: stated a second time, first in line 3; expected each key once",
    ),
    "config:\n  ai-platform:cluster:\n  - {a: hunter2, a: hunter3}\n": (
        3,
        "cluster[0].a: stated a second time, first in line 3",
    ),
}


@pytest.mark.parametrize(("text", "expected"), BROKEN.items(), ids=lambda value: repr(value)[:30])
def test_broken_yaml_is_one_problem_in_the_form_of_others(
    tmp_path: Path, text: str, expected: tuple[int, str]
) -> None:
    file = tmp_path / "Pulumi.aws-dev.yaml"
    file.write_text(text)
    line, reason = expected
    [problem] = problems(file)
    assert problem.startswith(f"{file}:{line}: {reason}"), problem
    assert "https://" not in problem, "the address of a parser's documentation is no help"
    assert "hunter" not in problem, "a value may be a secret"


@pytest.mark.parametrize("content", [b"config:\n  a: \xff\n", b"config:\n  a: \x00\n"])
def test_other_text_than_utf_8_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "Pulumi.aws-dev.yaml"
    file.write_bytes(content)
    [problem] = problems(file)
    assert "no valid YAML: " in problem
    assert "expected text in UTF-8" in problem


@pytest.mark.parametrize(
    ("text", "expected"), [("", "empty; expected"), ("- a\n", "got no object; expected")]
)
def test_file_without_an_object_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "Pulumi.aws-dev.yaml"
    file.write_text(text)
    [problem] = problems(file)
    assert expected in problem


def test_program_refuses_keys_at_the_top_that_pulumi_ignores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path, "ml", top="secretsProvider: awskms://alias/dev\n")
    [problem] = of_engine(monkeypatch, file)
    assert problem.endswith("yaml:1: secretsProvider: unknown key; did you mean 'secretsprovider'?"), (
        "secrets would be encrypted by a passphrase"
    )


def test_command_prints_the_same_without_the_program(tmp_path: Path) -> None:
    file = written(tmp_path, "ml", top="secretsProvider: x\n")
    command = [sys.executable, "-X", "importtime", "-m", "stacks.yaml_files", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.splitlines() == yaml_files.problems(file) == problems(file)
    assert not {"pydantic", "pulumi"} & {
        line.rpartition("|")[2].strip() for line in done.stderr.splitlines()
    }, "the CLI waits for it"
