"""Pages of the site and their files in the repository; links between them.

A page of the repository links to files by their paths, so that the links work on a host of Git. On the site a
link to another page leads to that page, and one to any other file to the file in the repository's web
address.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tools.site import commonmark

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = "docs"
TOP_LEVEL: Final[Mapping[str, str]] = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "twin/README.md": "twin-package.md",
}
"""Pages outside docs/ and examples/: path in the repository -> path on the site."""
_SPAN: Final = re.compile(r"(`[^`\n]+`)")
_LINK: Final = re.compile(r"(?<=\]\()(?P<path>[^)#\s]+)(?P<anchor>#[^)\s]*)?(?=\))")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:")


def outside_docs() -> Mapping[str, str]:
    """Return the pages whose files are outside docs/: path in the repository -> path on the site."""
    examples = sorted((ROOT / "examples").rglob("README.md"))
    return {**TOP_LEVEL, **{(path := str(file.relative_to(ROOT))): path for file in examples}}


def page_of(path: str, pages: Mapping[str, str]) -> str | None:
    """Return the path on the site of a file or folder of the repository; None where it is no page."""
    if (ROOT / path).is_dir():
        path = f"{path}/README.md"
    if path in pages:
        return pages[path]
    if path.startswith(f"{DOCS}/") and (ROOT / path).is_file():
        return path.removeprefix(f"{DOCS}/")
    return None


def file_of(page: str, pages: Mapping[str, str]) -> str:
    """Return the path in the repository of a page of the site."""
    return next((file for file, uri in pages.items() if uri == page), f"{DOCS}/{page}")


def rewritten(markdown: str, page: str, address: str) -> str:
    """Return the Markdown of a page with links that work on the site.

    page: its path on the site. address: the web address of the repository. A link to a file that does not
    exist stays as it is: MkDocs reports it.
    """
    pages = outside_docs()
    folder = posixpath.dirname(file_of(page, pages))

    def target(link: re.Match[str]) -> str:
        path, anchor = link["path"], link["anchor"] or ""
        if _SCHEME.match(path) or path.startswith("/"):
            return link[0]
        file = posixpath.normpath(posixpath.join(folder, path))
        other = page_of(file, pages)
        if other is not None:
            return posixpath.relpath(other, posixpath.dirname(page) or ".") + anchor
        if file.startswith("..") or not (ROOT / file).exists():
            return link[0]
        kind = "tree" if (ROOT / file).is_dir() else "blob"
        return f"{address.rstrip('/')}/{kind}/main/{file}{anchor}"

    return _outside_code(markdown, lambda text: _LINK.sub(target, text))


def _outside_code(markdown: str, change: Callable[[str], str]) -> str:
    lines = markdown.splitlines(keepends=True)
    code = {
        number
        for token in commonmark.PARSER.parse(markdown)
        if token.type in ("fence", "code_block") and token.map
        for number in range(*token.map)
    }
    return "".join(
        line if number in code else _outside_spans(line, change) for number, line in enumerate(lines)
    )


def _outside_spans(line: str, change: Callable[[str], str]) -> str:
    return "".join(part if place % 2 else change(part) for place, part in enumerate(_SPAN.split(line)))
