"""What is changed in the sources of the API server: how often it makes its OpenAPI document of version 2.

Clients of Go's library read it as Protobuf, Pulumi's provider after each definition that it creates. The API
server then makes all of it again, some MiB with the definitions of add-ons: that was a third of its CPU time
during an `up`. Here a document in this form is up to 10 seconds old (go/controlplane/openapi). JSON and
version 3, which kubectl reads, are as upstream's. A change that does not apply is an error of the build.
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
