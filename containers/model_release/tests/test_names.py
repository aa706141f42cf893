"""Names that become parts of keys."""

from __future__ import annotations

import pytest

from model_release import names
from model_release.errors import RefusedError


@pytest.mark.parametrize(
    "text",
    ["model", "team/", "/model", "Team/model", "team/model/x", "team/../x", "imports/x", "a b/c", "a.b/c"],
)
def test_model_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match="expected TEAM/MODEL"):
        names.model(text)


def test_name_in_mlflow_belongs_to_one_model_only() -> None:
    assert names.model("pricing/fare_v2").registered_name == "pricing.fare_v2"


@pytest.mark.parametrize("text", ["0", "01", "latest", "promotions", "hf-main", "1/..", "", "hf-" + "a" * 39])
def test_version_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match="expected the number of a version"):
        names.version(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../x",
        "a/./x",
        "./x",
        "a//x",
        "a/",
        "a\\..\\x",
        "a\nb",
        "a\0b",
        "x" * 701,
    ],
)
def test_file_that_leaves_the_folder_or_is_ambiguous_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match="expected a relative path"):
        names.file_path(text)


@pytest.mark.parametrize("text", ["MLmodel", "data/model.pt", "..model", "größe.json", "a b.json"])
def test_other_files_are_accepted(text: str) -> None:
    assert names.file_path(text) == text
