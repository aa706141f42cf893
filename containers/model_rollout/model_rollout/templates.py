"""The templates of a team's services, as the platform's program mounts them: files with the name of the
service, in JSON."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from string import Template
from typing import Any, Final

from model_rollout.errors import RefusedError

RUN: Final = "ai-platform/rollout"
"""The annotation with the run that created an InferenceService, or that moves a route."""
TEMPLATE: Final = "ai-platform/template"
"""The annotation of an InferenceService with the digest of its template and release."""
COLORS: Final = ("blue", "green")
_VERSION: Final = "${VERSION}"
Object = dict[str, Any]


@dataclass(frozen=True)
class Service:
    """A service of the team. text: the template of its InferenceServices. route: that of its HTTPRoute, with
    a backend for each color."""

    name: str
    text: str
    route: Object
    version: str

    def inference_service(self, color: str, run: str, owner: Object) -> Object:
        """Return the InferenceService of a color, as created by a run. owner: the reference to its service
        account, so that Pulumi, which waits for what an object owns, deletes KServe after it."""
        item = self._rendered(self.object_name(color))
        annotations = {**item["metadata"].get("annotations", {}), RUN: run, TEMPLATE: self.digest}
        item["metadata"]["annotations"] = annotations
        item["metadata"]["ownerReferences"] = [owner]
        return item

    def object_name(self, color: str) -> str:
        """Return the name of the InferenceService of a color."""
        return f"{self.name}-{color}"

    @property
    def account(self) -> str:
        """The service account of its predictors."""
        return self._rendered(self.name)["spec"]["predictor"]["serviceAccountName"]

    @property
    def digest(self) -> str:
        """What changes with the template or the release."""
        text = json.dumps(self._rendered(self.name), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def _rendered(self, name: str) -> Object:
        return json.loads(Template(self.text).substitute(NAME=name, VERSION=self.version))


def _release_of(predictor: Object) -> str:
    """Return the URI with the version: that of the model or, where it has adapters, of its base."""
    uris = [predictor["model"].get("storageUri", "")]
    uris += [entry["uri"] for entry in predictor.get("storageUris") or ()]
    return next(uri for uri in uris if uri.endswith(_VERSION))


def load(folder: Path, routes: Path, name: str, model_uri: str) -> Service:
    """Return a service, to serve a release. Raises RefusedError for a service that the team does not have,
    and for what is no release of its model."""
    known = sorted(file.name for file in folder.iterdir() if not file.name.startswith("."))
    if name not in known:
        near = get_close_matches(name, known, 1)
        raise RefusedError(
            f"service: got {name!r}, which is no service of the team; expected one of {', '.join(known)}"
            + (f"; did you mean {near[0]}?" if near else "")
        )
    text = (folder / name).read_text()
    prefix = _release_of(json.loads(text)["spec"]["predictor"]).removesuffix(_VERSION)
    version = model_uri.removeprefix(prefix)
    if not model_uri.startswith(prefix) or not version or "/" in version or '"' in version or "\\" in version:
        raise RefusedError(
            f"model_uri: got {model_uri!r}; expected a release of the model that {name} serves, "
            f"{prefix}VERSION"
        )
    return Service(name, text, json.loads((routes / name).read_text()), version)
