"""The model card: what a user of a model has to know."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from model_release.errors import RefusedError

FILE: Final = "model_card.json"
"""The file of the card among the files of a version or of its run."""
_Text = Annotated[str, StringConstraints(min_length=1, max_length=10_000, strip_whitespace=True)]
_Licence = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


class Card(BaseModel):
    """A model card."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: _Text
    """What it was trained on: sources, period, what is left out."""
    evaluation: _Text
    """How it was evaluated, and the results, by group where groups matter."""
    owner: _Text
    """Who answers questions and incidents: a group, not a person."""
    limits: _Text
    """What it must not be used for, and where it is known to fail."""
    licence: _Licence
    """The licence of the model, as an SPDX identifier or as Hugging Face calls it: `apache-2.0`."""

    def to_json(self) -> bytes:
        """Return the file."""
        return (self.model_dump_json(indent=1) + "\n").encode()


def parse(text: str | bytes, name: str) -> Card:
    """Return the card of a JSON text. name: of the file, for errors. Raises RefusedError."""
    try:
        return Card.model_validate_json(text)
    except ValidationError as error:
        problems = [".".join(map(str, entry["loc"])) + f": {entry['msg']}" for entry in error.errors()]
        raise RefusedError(
            f"{name}: no model card:\n  " + "\n  ".join(problems) + "\n  expected the texts "
            f"{', '.join(Card.model_fields)}"
        ) from error
