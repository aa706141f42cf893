"""An image has the files that git tracks, none of them a credential or a link out of the folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.images.files import copy, digest_of, files_of
from cli.output import CommandError
from tests.cli.images import folders

# In parts, so that no scanner of this repository takes them for real ones.
KEY = "-----BEGIN " + "PRIVATE KEY-----"
ACCESS_KEY = "AKIA" + "IOSFODNN7EXAMPLE"
TOKEN = "hf_" + "a" * 34


def names(folder: Path, *, untracked: bool = False) -> list[str]:
    return [str(path) for path in files_of(folder, untracked=untracked)]


def test_files_are_those_that_git_tracks(tmp_path: Path) -> None:
    folder = folders.write(tmp_path, files={".gitignore": "data/\n", "lib/model.py": ""})
    (folder / "data").mkdir()
    (folder / "data" / "rows.csv").write_text("a\n")
    (folder / "notes.txt").write_text("new\n")
    tracked = [".gitignore", "image.toml", "lib/model.py", "pyproject.toml", "train.py", "uv.lock"]
    assert names(folder) == tracked
    assert names(folder, untracked=True) == sorted([*tracked, "notes.txt"]), "ignored files never"


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        (".env", "PASSWORD=x", "has the name of a file of credentials"),
        ("keys/server.pem", "x", "has the name of a file of credentials"),
        ("my-service-account.json", "{}", "has the name of a file of credentials"),
        (".aws/config", "[default]", "is in a folder of credentials"),
        ("settings.py", f'KEY = """{KEY}\n"""', "contains a private key"),
        ("settings.py", f'KEY = "{ACCESS_KEY}"', "contains a key of AWS"),
        ("lib/hub.py", f'login("{TOKEN}")', "contains a token of Hugging Face"),
    ],
)
def test_credential_is_refused(tmp_path: Path, name: str, content: str, problem: str) -> None:
    folder = folders.write(tmp_path, files={name: content})
    with pytest.raises(CommandError, match=problem) as error:
        files_of(folder, untracked=False)
    assert str(folder / name) in str(error.value)
    assert "PASSWORD" not in str(error.value), "the value is not shown"
    assert ACCESS_KEY not in str(error.value)


def test_example_of_an_environment_file_is_no_credential(tmp_path: Path) -> None:
    assert ".env.example" in names(folders.write(tmp_path, files={".env.example": "PASSWORD=\n"}))


@pytest.mark.parametrize("target", ["../secret.txt", "/etc/hostname", "../../repository/secret.txt"])
def test_link_out_of_the_folder_is_refused(tmp_path: Path, target: str) -> None:
    folder = folders.write(tmp_path)
    (folder.parent / "secret.txt").write_text("of another folder")
    (folder / "link").symlink_to(target)
    folders.commit(folder)
    with pytest.raises(CommandError, match="expected a relative link within the folder"):
        files_of(folder, untracked=False)


def test_link_within_the_folder_stays_one(tmp_path: Path) -> None:
    folder = folders.write(tmp_path)
    (folder / "main.py").symlink_to("train.py")
    folders.commit(folder)
    copy(folder, files_of(folder, untracked=False), tmp_path / "copy")
    assert str((tmp_path / "copy" / "main.py").readlink()) == "train.py"
    (folder / "train.py").unlink()
    with pytest.raises(CommandError, match="which does not exist"):
        files_of(folder, untracked=False)


def test_dockerignore_is_refused_as_it_would_have_no_effect(tmp_path: Path) -> None:
    folder = folders.write(tmp_path, files={".dockerignore": "data\n"})
    with pytest.raises(CommandError, match="is not read; expected none"):
        files_of(folder, untracked=False)


def test_digest_depends_on_names_contents_and_modes_only(tmp_path: Path) -> None:
    def digest(name: str, content: str, mode: int, at: str) -> str:
        folder = tmp_path / at
        folder.mkdir()
        (folder / name).write_text(content)
        (folder / name).chmod(mode)
        return digest_of(folder)

    first = digest("a", "b", 0o644, "1")
    assert digest("a", "b", 0o600, "2") == first
    assert (
        len({first, digest("a", "c", 0o644, "3"), digest("b", "b", 0o644, "4"), digest("a", "b", 0o755, "5")})
        == 4
    )
