"""The rows of the page that a real MLflow server proves (tests/end_to_end/test_mlflow_isolation.py)."""

from __future__ import annotations

from tests.end_to_end.mlflow_attempts import Things, reads, writes

_ANY = Things("1", "r", "m", "l", "t", "p")


def rows() -> list[tuple[str, str, str, str]]:
    """Return each request, and whether it is allowed for the owner, for another account, and for one that
    reads the owner's."""
    return [
        *((f"read: {name}", "yes", "no", "yes") for name in reads(_ANY)),
        *((name, "yes", "no", "no") for name in writes(_ANY)),
    ]
