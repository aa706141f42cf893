"""image.toml: what is wrong in it is reported with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.images.description import load
from cli.output import CommandError
from tests.cli.images import folders


def described(folder: Path, text: str) -> str:
    (folder / "image.toml").write_text(text)
    with pytest.raises(CommandError) as error:
        load(folder)
    return str(error.value).replace(str(folder), "F")


def test_name_is_that_of_the_folder(tmp_path: Path) -> None:
    loaded = load(folders.write(tmp_path, "torch", "t4"))
    assert (loaded.name, loaded.framework, loaded.pool) == ("fine-tune", "torch", "t4")
    assert loaded.entrypoint == ("python", "train.py")


def test_folder_without_a_description_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"image\.toml: missing; expected the description of the image"):
        load(tmp_path)
    with pytest.raises(CommandError, match="no such folder"):
        load(tmp_path / "absent")


GOOD = 'framework = "torch"\nrepository = "training"\nentrypoint = ["python"]\n'
WORDS = 'expected a list of words, ["python", "train.py"]'
REPOSITORY = "expected a name in container_registry.repositories of the environment, `training`"
NAME = "expected lower-case letters and digits in words joined by '.', '_' or '-', at most 63 characters"
KEYS = "expected one of framework, entrypoint, repository, name, pool, environments; did you mean pool?"
ENVIRONMENTS = 'expected a list of names of environments, ["aws-prod"]'
FRAMEWORK = "expected one of torch, jax, python; did you mean torch?"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (GOOD + 'pol = "a"', f"4: pol: unknown key; {KEYS}"),
        (GOOD.replace("torch", "torhc"), f"1: framework: got 'torhc'; {FRAMEWORK}"),
        (GOOD.replace('["python"]', '"python"'), f"3: entrypoint: got 'python'; {WORDS}"),
        (GOOD.replace('["python"]', "[]"), f"3: entrypoint: got []; {WORDS}"),
        (GOOD.replace("training", "Training"), f"2: repository: got 'Training'; {REPOSITORY}"),
        ('framework = "jax"\nentrypoint = ["a"]', f"1: repository: missing; {REPOSITORY}"),
        (GOOD + 'name = "-a"', f"4: name: is '-a'; {NAME}"),
        (GOOD + "environments = []", f"4: environments: got []; {ENVIRONMENTS}"),
        (GOOD + 'environments = "aws-prod"', f"4: environments: got 'aws-prod'; {ENVIRONMENTS}"),
        (GOOD + "pool = 1", "4: pool: got 1; expected the name of a pool"),
    ],
)
def test_wrong_key_is_reported_with_its_line(tmp_path: Path, text: str, problem: str) -> None:
    assert described(tmp_path, text) == f"F/image.toml:{problem}"


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    assert described(tmp_path, 'framework = "a"\nname = "B"\n').count("F/image.toml:") == 4


def test_what_is_no_toml_is_refused(tmp_path: Path) -> None:
    assert "expected TOML" in described(tmp_path, "framework: torch")


def test_name_of_a_folder_that_no_registry_accepts_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "Fine Tune"
    folder.mkdir()
    (folder / "image.toml").write_text(GOOD)
    with pytest.raises(CommandError, match=r"the folder's name is 'Fine Tune'.*or state `name`"):
        load(folder)
