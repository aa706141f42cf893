"""Files named on the command line of `aiplatform policy` are checked before anything is started."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from cli.output import CommandError
from cli.policy import files

CAPPED = "gpu.cap_gpu_nodes"


def _file(tmp_path: Path, content: Any) -> Path:
    file = tmp_path / "config.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


@pytest.mark.parametrize(
    "content",
    [
        {"pack": {"profile": "prod"}},
        {"all": "advisory"},
        {"all": {"enforcementLevel": "disabled"}, CAPPED: "mandatory"},
        {CAPPED: "disabled"},
        {CAPPED: {"enforcementLevel": "mandatory", "most": 3}},
        {CAPPED: {"most": 3}},
        {"version": 2, "policies": {CAPPED: "advisory"}, "exceptions": {}},
        {},
    ],
)
def test_valid_configuration_is_accepted(tmp_path: Path, content: Any) -> None:
    assert files.configuration(_file(tmp_path, content)).is_absolute(), "the engine runs in another folder"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("pack: dev", "not JSON"),
        ("", "not JSON"),
        (["dev"], "got a list, expected an object as in"),
        ("null", "got nothing, expected an object"),
        ({"gpu.cap_gpu_node": "advisory"}, "unknown policy; did you mean 'gpu.cap_gpu_nodes'?"),
        # The engine ignores an unknown policy, unless it has a level.
        ({"gpu.cap_gpu_node": {"most": 3}}, "unknown policy"),
        ({"zzz": "advisory"}, "unknown policy; docs/policies.md lists them"),
        ({CAPPED: "strict"}, "got 'strict', expected an enforcement level: advisory, mandatory, disabled"),
        ({CAPPED: {"enforcementLevel": "warn"}}, "gpu.cap_gpu_nodes.enforcementLevel: got 'warn'"),
        ({CAPPED: {"enforcementLevel": 1}}, "got a number, expected an enforcement level"),
        ({CAPPED: 3}, "got a number, expected an enforcement level or an object"),
        ({CAPPED: None}, "got nothing, expected an enforcement level or an object"),
        ({"all": {}}, 'all: has no effect without a level, expected as in {"all": "advisory"}'),
        ({"all": {"enforcementLevel": "advisory", "most": 3}}, "all.most: has no effect"),
        ({"all": {"enforcementLevel": "warn"}}, "all.enforcementLevel: got 'warn'"),
        # The engine accepts a level of the pack as a whole, without an effect.
        ({"pack": "advisory"}, "pack: has no enforcement level"),
        ({"pack": {"enforcementLevel": "advisory"}}, "pack: has no enforcement level"),
        ({"version": 2, "policies": {"zzz": "advisory"}}, "zzz: unknown policy"),
        ({"version": 2, "policies": ["zzz"]}, "policies: got a list"),
    ],
)
def test_invalid_configuration_is_refused_with_what_is_expected(
    tmp_path: Path, content: Any, problem: str
) -> None:
    file = _file(tmp_path, content)
    with pytest.raises(CommandError) as error:
        files.configuration(file)
    assert problem in str(error.value)
    assert str(file) in str(error.value), "the message names the file"


def test_missing_configuration_is_refused(tmp_path: Path) -> None:
    for place in (tmp_path / "none.json", tmp_path):
        with pytest.raises(CommandError, match="no such file, expected the pack's configuration as JSON"):
            files.configuration(place)


def test_file_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match=r"--sarif: .* is a folder, expected a file to write"):
        files.target(tmp_path, "--sarif")
    with pytest.raises(CommandError, match=r"--sarif: folder .*none does not exist; create it first"):
        files.target(tmp_path / "none" / "x.sarif", "--sarif")
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match="does not exist"):
        files.target(tmp_path / "file" / "x.sarif", "--sarif")
    assert files.target(tmp_path / "x.sarif", "--sarif") == tmp_path / "x.sarif"

    def access(path: Any, mode: int) -> bool:
        return (path, mode) != (tmp_path, os.W_OK)

    # The tests may run as root, which can write everywhere.
    monkeypatch.setattr(os, "access", access)
    with pytest.raises(CommandError, match=r"--junit: .* is not writable"):
        files.target(tmp_path / "x.xml", "--junit")
