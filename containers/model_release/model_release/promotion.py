"""Promote a version, and return to the previous one."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from model_release import log, names
from model_release.card import Card
from model_release.comparison import Comparison
from model_release.errors import RefusedError
from model_release.log import Log, Promotion
from model_release.manifest import FromHub, FromRegistry, Manifest, compare, digest_of_file
from model_release.objects import Objects
from model_release.releases import Release, versions
from model_release.settings import Settings

if TYPE_CHECKING:
    from model_release.registry import Registry, Version


def note(text: str) -> None:
    """Print a line of progress."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


@dataclass
class Promoter:
    """Promotes versions of models. registry: opens MLflow, which an import does not need."""

    objects: Objects
    settings: Settings
    registry: Callable[[], Registry]

    def promote(
        self,
        model: names.Model,
        version: str,
        alias: str,
        request: str,
        comparison: Comparison | None = None,
    ) -> Promotion:
        """Release a version and give it an alias.

        A version that is released already is verified. request: identifies the command. Raises RefusedError
        before anything is copied where lineage, card, approval or a better metric is missing.
        """
        names.alias(alias, self.settings.guarded_aliases)
        self._approved(alias)
        release = Release(self.objects, model, names.version(version))
        journal = Log(self.objects, model)
        history = list(log.history(journal.entries(alias)))
        recorded = journal.repeated(request) is not None or _last(history) == version
        if recorded:
            # Its comparison was with the release before it, when its entry was written.
            comparison = None
        manifest, digest = self._released(release, alias, comparison, self._current(history))
        if not recorded:
            # The copy takes minutes, in which another command may have moved the alias.
            history = list(log.history(journal.entries(alias)))
            if _last(history) != version:
                self._compare(comparison, manifest, self._current(history))
                self._append(release, manifest, digest, alias, "promote", history, request)
        return self._settle(model, alias)

    def rollback(self, model: names.Model, alias: str, request: str, leaves: str | None = None) -> Promotion:
        """Give an alias to the version that had it before. Its release is verified first.

        leaves: the version that has it now; None for any. Raises RefusedError where another one has it: a
        command that is given again after its answer was lost does not go back further.
        """
        names.alias(alias, self.settings.guarded_aliases)
        self._approved(alias)
        journal = Log(self.objects, model)
        # An earlier attempt may have ended between its entry and the alias.
        if journal.repeated(request) is None:
            history = list(log.history(journal.entries(alias)))
            if len(history) < 2:
                last = f"{history[0].version} is its only release" if history else "it has no release"
                raise RefusedError(f"{model}: nothing to roll back to: {last} as {alias}")
            if leaves not in (None, history[-1].version):
                raise _moved(model, journal.entries(alias)[-1], leaves or "")
            previous = history[-2]
            release = self._release_of(previous)
            note(f"verify {release}")
            manifest, digest = release.verify(previous.manifest_sha256)
            # It takes minutes, in which another command may have moved the alias.
            entries = journal.entries(alias)
            if request not in [entry.request for entry in entries]:
                if list(log.history(entries))[-1] != history[-1]:
                    raise _moved(model, entries[-1], history[-1].version)
                self._append(release, manifest, digest, alias, "rollback", history, request)
        return self._settle(model, alias)

    def _approved(self, alias: str) -> None:
        if self.settings.is_prod and self.settings.approved_by is None:
            raise RefusedError(
                f"{alias}: no approval; expected APPROVED_BY, the user of the release group who runs it"
            )

    def _release_of(self, entry: Promotion) -> Release:
        return Release(self.objects, names.Model(entry.team, entry.model), entry.version)

    def _current(self, history: list[Promotion]) -> Manifest | None:
        """Return the manifest of the release that has the alias; None where none has it."""
        return self._release_of(history[-1]).manifest() if history else None

    def _released(
        self, release: Release, alias: str, comparison: Comparison | None, current: Manifest | None
    ) -> tuple[Manifest, str]:
        """Return the manifest of a release and its digest; copy the version where it is not released yet."""
        finished = release.manifest()
        if finished is not None:
            self._compare(comparison, finished, current)
            self._card(alias, release, self._stored_card(release))
            note(f"{release} exists; verify it")
            return release.verify()
        self._one_kind(release)
        with tempfile.TemporaryDirectory() as folder:
            if names.is_import(release.version):
                manifest = self._copy_import(release, Path(folder), alias, comparison)
            else:
                version = self.registry().version(release.model, release.version)
                manifest = self._copy(release, version, Path(folder), alias, comparison, current)
        note(f"verify {release}")
        release.finish(manifest)
        return release.verify()

    def _one_kind(self, release: Release) -> None:
        """Raise RefusedError where a model has trained versions and imports: MLflow's alias has no import."""
        is_import = names.is_import(release.version)
        others = [
            version
            for version in versions(self.objects, release.model)
            if names.is_import(version) != is_import
        ]
        if others:
            kind = "imports" if is_import else "trained versions"
            raise RefusedError(
                f"{release}: the model has the releases {', '.join(others)}; expected another model for "
                f"{kind}"
            )

    def _copy_import(
        self, release: Release, folder: Path, alias: str, comparison: Comparison | None
    ) -> Manifest:
        source = Release(self.objects, release.model, release.version, imported=True)
        manifest = source.manifest()
        if manifest is None:
            raise RefusedError(f"{source}: does not exist; expected a finished import")
        self._compare(comparison, manifest, None)
        self._card(alias, release, source.card())
        for path, expected in manifest.files.items():
            note(f"copy {path}")
            local = source.fetch(path, folder)
            compare({path: expected}, {path: digest_of_file(local)}, str(source))
            release.add(path, local)
            local.unlink()
        return manifest

    def _copy(
        self,
        release: Release,
        version: Version,
        folder: Path,
        alias: str,
        comparison: Comparison | None,
        current: Manifest | None,
    ) -> Manifest:
        lineage = version.lineage()
        if comparison is not None:
            comparison.check(lineage, current and current.lineage)
        card = version.card(folder)
        self._card(alias, release, card)
        paths = version.files()
        if not paths:
            raise RefusedError(f"{version}: has no files; expected a logged model")
        files = {}
        for path in paths:
            note(f"copy {path}")
            local = version.download(path, folder)
            files[path] = release.add(path, local)
            local.unlink()
        return Manifest(
            team=release.model.team,
            model=release.model.name,
            version=release.version,
            source=FromRegistry(
                model=release.model.registered_name, version=version.number, location=version.location
            ),
            lineage=lineage,
            created_at=log.now(),
            files=files,
        )

    def _stored_card(self, release: Release) -> Card | None:
        """Return the card of a finished release, or that of its version, which was added later."""
        card = release.card()
        if card is not None or names.is_import(release.version):
            return card
        with tempfile.TemporaryDirectory() as folder:
            return self.registry().version(release.model, release.version).card(Path(folder))

    def _card(self, alias: str, release: Release, card: Card | None) -> None:
        if card is not None:
            release.add_card(card)
        elif self.settings.is_prod:
            raise RefusedError(
                f"{release}: no model card for {alias}; expected model_card.json among the files of the "
                f"version or of its run, with {', '.join(Card.model_fields)}"
            )

    @staticmethod
    def _compare(comparison: Comparison | None, manifest: Manifest, current: Manifest | None) -> None:
        if comparison is None:
            return
        if manifest.lineage is None:
            raise RefusedError(f"{comparison.metric}: an import has no metrics; expected no comparison")
        comparison.check(manifest.lineage, current and current.lineage)

    def _append(
        self,
        release: Release,
        manifest: Manifest,
        digest: str,
        alias: str,
        action: str,
        history: list[Promotion],
        request: str,
    ) -> None:
        source = manifest.source
        revision = source.revision if isinstance(source, FromHub) else ""
        entry = Promotion.model_validate(
            {
                "team": release.model.team,
                "model": release.model.name,
                "version": release.version,
                "alias": alias,
                "action": action,
                "approved_by": self.settings.approved_by,
                "at": log.now(),
                "run": manifest.lineage.run if manifest.lineage else revision,
                "previous": history[-1].version if history else None,
                "manifest_sha256": digest,
                "has_card": release.card() is not None,
                "request": request,
            }
        )
        Log(self.objects, release.model).append(entry)

    def _settle(self, model: names.Model, alias: str) -> Promotion:
        """Make MLflow's alias that of the log's last entry, and return the entry.

        The log is the truth: two commands at a time, and one that ended between its entry and the alias,
        leave the alias at the last entry.
        """
        journal = Log(self.objects, model)
        entry = journal.entries(alias)[-1]
        while True:
            if not names.is_import(entry.version):
                registry = self.registry()
                if registry.alias(model, alias) != entry.version:
                    registry.set_alias(model, alias, entry.version)
            latest = journal.entries(alias)[-1]
            if latest == entry:
                return entry
            entry = latest


def _last(history: list[Promotion]) -> str | None:
    """Return the version that has the alias."""
    return history[-1].version if history else None


def _moved(model: names.Model, last: Promotion, expected: str) -> RefusedError:
    """Return the error about an alias that another version has than expected. last: the log's last entry."""
    return RefusedError(
        f"{model}: {last.version} is {last.alias} already, since the {last.action} of "
        f"{last.at.isoformat()} by {last.approved_by or '-'}; expected {expected} to have it"
    )
