"""Spec of kubernetes.label_namespaces."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Case, Fails, Resource, Spec, resource

ENFORCE = "pod-security.kubernetes.io/enforce"


def _namespace(labels: Any) -> Resource:
    return resource("kubernetes:core/v1:Namespace", {"metadata": {"name": "serving", "labels": labels}})


SPEC = Spec(
    passes={
        "the restricted level": _namespace({ENFORCE: "restricted", "team": UNKNOWN}),
        "the baseline level": _namespace({ENFORCE: "baseline"}),
    },
    fails={
        "no label": Fails(_namespace(None), "metadata.labels", "enforces nothing"),
        "a warning alone": Fails(
            _namespace({"pod-security.kubernetes.io/warn": "restricted"}), "metadata.labels", "nothing"
        ),
        "the privileged level": Fails(
            _namespace({ENFORCE: "privileged"}), "metadata.labels", "enforces 'privileged'"
        ),
    },
    unknown={"the labels": _namespace(UNKNOWN), "the level": _namespace({ENFORCE: UNKNOWN})},
    configured={
        "restricted alone": Case(_namespace({ENFORCE: "baseline"}), {"levels": ["restricted"]}, fails=True),
        "a listed namespace": Case(
            _namespace({ENFORCE: "privileged"}), {"privileged_namespaces": ["serving"]}, fails=False
        ),
    },
)
