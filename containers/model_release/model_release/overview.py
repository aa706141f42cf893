"""What `list` and `show` print."""

from __future__ import annotations

from typing import Any

from model_release import log, names
from model_release.errors import RefusedError
from model_release.log import Log
from model_release.objects import Objects
from model_release.releases import Release, models, versions


def listing(objects: Objects, team: str) -> list[dict[str, Any]]:
    """Return a row for each model that has releases, or for those of a team."""
    rows: list[dict[str, Any]] = []
    for model in models(objects, team):
        entries = Log(objects, model).entries()
        rows.append(
            {
                "model": str(model),
                "releases": len(versions(objects, model)),
                "aliases": {
                    alias: list(log.history([entry for entry in entries if entry.alias == alias]))[-1].version
                    for alias in sorted({entry.alias for entry in entries})
                },
                "last_promotion": entries[-1].at.isoformat() if entries else None,
            }
        )
    return rows


def details(objects: Objects, model: names.Model) -> dict[str, Any]:
    """Return the releases of a model and its log. Raises RefusedError for one that has none."""
    known, imports = versions(objects, model), versions(objects, model, imported=True)
    if not known and not imports:
        raise RefusedError(f"{model}: unknown model; expected one that has a release or an import")
    releases: list[dict[str, Any]] = []
    for version in known:
        release = Release(objects, model, version)
        manifest, card = release.manifest(), release.card()
        releases.append(
            {
                "version": version,
                "finished": manifest is not None,
                "created_at": manifest and manifest.created_at.isoformat(),
                "files": len(manifest.files) if manifest else None,
                "bytes": sum(entry.size for entry in manifest.files.values()) if manifest else None,
                "source": manifest and manifest.source.model_dump(mode="json"),
                "lineage": manifest and manifest.lineage and manifest.lineage.model_dump(mode="json"),
                "card": card and card.model_dump(mode="json"),
            }
        )
    promotions = [entry.model_dump(mode="json") for entry in Log(objects, model).entries()]
    waiting = [
        version
        for version in imports
        if version not in known and Release(objects, model, version, imported=True).manifest()
    ]
    return {"model": str(model), "releases": releases, "imports": waiting, "promotions": promotions}
