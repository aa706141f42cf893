"""What is changed in the sources of the API server: how often it makes its OpenAPI document of version 2.

Pulumi's provider reads it as Protobuf after each definition that it creates. Here a document in this form is
made at intervals (go/controlplane/openapi/held.go, ADR 0078). A change that does not apply is an error of the
build.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

MODULE: Final = "k8s.io/kube-openapi"
_HANDLER: Final = "pkg/handler/handler.go"

CHANGES: Final = (
    (_HANDLER, "o.protoCache = cached.Transform(", "o.protoCache = held(cached.Transform("),
    (_HANDLER, "}, o.jsonCache)\n\treturn o\n", "}, o.jsonCache))\n\treturn o\n"),
)
"""A file of the module, a text in it, and what replaces each occurrence of the text."""
FILES: Final = (
    (
        "pkg/handler/held.go",
        (Path(__file__).with_name("go") / "controlplane" / "openapi" / "held.go").read_text(encoding="utf-8"),
    ),
)
"""What is added: the path and the content of each file."""
