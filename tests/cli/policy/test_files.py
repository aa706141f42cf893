"""What `aiplatform policy` is given is looked at first: a wrong file is told before anything is started."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from cli.output import CommandError
from cli.policy import files

CAPPED = "gpu.cap_gpu_nodes"


def _said(tmp_path: Path, said: Any) -> Path:
    file = tmp_path / "config.json"
    file.write_text(said if isinstance(said, str) else json.dumps(said))
    return file


@pytest.mark.parametrize(
    "said",
    [
        {"pack": {"profile": "prod"}},
        {"all": "advisory"},
        {CAPPED: "disabled"},
        {CAPPED: {"enforcementLevel": "mandatory", "most": 3}},
        {CAPPED: {"most": 3}},
        {"version": 2, "policies": {CAPPED: "advisory"}, "exceptions": {}},
        {},
    ],
)
def test_a_configuration_that_holds_is_taken(tmp_path: Path, said: Any) -> None:
    assert files.configuration(_said(tmp_path, said)).is_absolute(), "the engine runs in another folder"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("pack: dev", "not JSON"),
        ("", "not JSON"),
        (["dev"], "got a list, expected an object as in"),
        ("null", "got nothing, expected an object"),
        ({"gpu.cap_gpu_node": "advisory"}, "no policy of that name; did you mean 'gpu.cap_gpu_nodes'?"),
        # The engine passes over a policy that is not there, unless it has a level.
        ({"gpu.cap_gpu_node": {"most": 3}}, "no policy of that name"),
        ({"zzz": "advisory"}, "no policy of that name, docs/policies.md lists them"),
        ({CAPPED: "strict"}, "got 'strict', expected an enforcement level: advisory, mandatory, disabled"),
        ({CAPPED: {"enforcementLevel": "warn"}}, "gpu.cap_gpu_nodes.enforcementLevel: got 'warn'"),
        ({CAPPED: {"enforcementLevel": 1}}, "got a number, expected an enforcement level"),
        ({CAPPED: 3}, "got a number, expected an enforcement level or an object"),
        ({CAPPED: None}, "got nothing, expected an enforcement level or an object"),
        # The engine takes a level of the pack as a whole, and it would do nothing.
        ({"pack": "advisory"}, "pack: is no policy that has a level"),
        ({"pack": {"enforcementLevel": "advisory"}}, "pack: is no policy that has a level"),
        ({"version": 2, "policies": {"zzz": "advisory"}}, "zzz: no policy of that name"),
        ({"version": 2, "policies": ["zzz"]}, "policies: got a list"),
    ],
)
def test_a_configuration_that_does_not_is_refused_with_what_would_be_right(
    tmp_path: Path, said: Any, told: str
) -> None:
    file = _said(tmp_path, said)
    with pytest.raises(CommandError) as refused:
        files.configuration(file)
    assert told in str(refused.value)
    assert str(file) in str(refused.value), "and says which file it is"


def test_a_configuration_that_is_not_there_or_a_folder_is_told(tmp_path: Path) -> None:
    for place in (tmp_path / "none.json", tmp_path):
        with pytest.raises(CommandError, match="no such file, expected the pack's configuration as JSON"):
            files.configuration(place)


def test_a_file_that_cannot_be_written_is_told_before_the_preview(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CommandError, match=r"--sarif: .* is a folder, expected a file to write"):
        files.target(tmp_path, "--sarif")
    with pytest.raises(CommandError, match=r"--sarif: there is no folder .*none; make it first"):
        files.target(tmp_path / "none" / "x.sarif", "--sarif")
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match="there is no folder"):
        files.target(tmp_path / "file" / "x.sarif", "--sarif")
    assert files.target(tmp_path / "x.sarif", "--sarif") == tmp_path / "x.sarif"

    def may(path: Any, mode: int) -> bool:
        return (path, mode) != (tmp_path, os.W_OK)

    # Who runs the tests may be root, who may write everywhere.
    monkeypatch.setattr(os, "access", may)
    with pytest.raises(CommandError, match=r"--junit: .* cannot be written"):
        files.target(tmp_path / "x.xml", "--junit")
