"""Every argument says what it becomes on each cloud: docs/clouds.md is made of it, and refusals."""

from __future__ import annotations

import pytest

from aiplatform._plugin import COMPONENTS
from aiplatform._shared.cloud_support import CLOUDS, Refused, SupportTable
from tests.generating.cloud_support import arguments, support

every_component = pytest.mark.parametrize("component", COMPONENTS, ids=lambda item: item.__name__)


def _told(table: SupportTable, path: str) -> bool:
    """Whether a table speaks of an argument, of an object that it stands in, or of the whole component."""
    while path and path not in table:
        path = path.rpartition(".")[0]
    return path in table


@every_component
def test_every_argument_has_a_meaning_and_every_meaning_an_argument(component: type) -> None:
    table, known = support(component), list(arguments(component))
    assert [path for path in known if not _told(table, path)] == [], "say what it becomes, or refuse it"
    assert [path for path in table if path and path not in known] == [], "of arguments that there are not"


@every_component
def test_no_meaning_is_empty(component: type) -> None:
    for path, on in support(component).items():
        for cloud in CLOUDS:
            meaning = getattr(on, cloud)
            text = meaning.reason if isinstance(meaning, Refused) else meaning
            assert text.strip(), f"{path} on {cloud}"


@every_component
def test_no_argument_is_refused_everywhere(component: type) -> None:
    nowhere = [path for path, on in support(component).items() if isinstance(on.aws, Refused)]
    nowhere = [path for path in nowhere if isinstance(support(component)[path].gcp, Refused)]
    assert not nowhere, "an argument that no cloud takes does nothing"
