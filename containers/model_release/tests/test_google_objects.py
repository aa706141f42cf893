"""An object that exists on Cloud Storage: 412 by the condition, or 403 for the right to replace it."""

from __future__ import annotations

from typing import Any

import pytest
from google.api_core.exceptions import Forbidden, PreconditionFailed

from model_release.objects import ExistsError
from model_release.objects.google import GoogleObjects


class Client:
    """A client whose uploads fail with an answer."""

    def __init__(self, answer: Exception) -> None:
        self.answer = answer

    def bucket(self, name: str) -> Client:
        return self

    def blob(self, name: str) -> Client:
        return self

    def upload_from_string(self, content: bytes, **options: Any) -> None:
        assert options["if_generation_match"] == 0, "created only"
        raise self.answer


@pytest.mark.parametrize(
    "answer",
    [
        PreconditionFailed("at least one of the pre-conditions did not hold"),
        Forbidden("releases@acme does not have storage.objects.delete access to the object"),
    ],
)
def test_object_that_exists_is_reported_as_such(answer: Exception) -> None:
    with pytest.raises(ExistsError):
        GoogleObjects("releases", Client(answer)).create_bytes("model/1/manifest.json", b"{}")


def test_missing_right_to_create_is_no_existing_object() -> None:
    answer = Forbidden("releases@acme does not have storage.objects.create access to the bucket")
    with pytest.raises(Forbidden):
        GoogleObjects("releases", Client(answer)).create_bytes("model/1/manifest.json", b"{}")
