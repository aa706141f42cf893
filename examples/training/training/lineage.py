"""What a version of the model was made from: tags that the platform requires for a release."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping

log = logging.getLogger(__name__)


def tags(variables: Mapping[str, str], table: str, snapshot: int) -> dict[str, str]:
    """Return the tags. A program does not know the image that it runs in: the job states it in IMAGE, by its
    digest, and the commit of the code in CODE_COMMIT. Without them the version cannot be released."""
    stated = {
        "ai-platform.image": variables.get("IMAGE", ""),
        "ai-platform.code_commit": variables.get("CODE_COMMIT", ""),
    }
    for name in (name for name, value in stated.items() if not value):
        log.warning("%s is not known: the version cannot be released", name)
    return {
        "ai-platform.snapshots": json.dumps({table: snapshot}),
        # Numbers of the table itself, of no feature view.
        "ai-platform.feature_views": "{}",
        # Every fifth row of the snapshot, which no process trains on.
        "ai-platform.evaluation_set": f"{table}@{snapshot}",
        **{name: value for name, value in stated.items() if value},
    }
