"""Check the built site: its pages have what their files have, and load nothing from another host.

`make docs` runs `python -m tools.site.check` after MkDocs, which checks links and anchors itself.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from tools.site import commonmark, links

SITE: Final = links.ROOT / "site"
_COUNTED: Final = frozenset({"h1", "h2", "h3", "h4", "li", "pre", "tr"})
_LOADS: Final = {"script": "src", "img": "src", "iframe": "src", "link": "href", "source": "src"}


class _Reader(HTMLParser):
    """Counts elements of the article, and collects addresses that a page loads."""

    def __init__(self, whole: bool) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()
        self.loaded: list[str] = []
        self._inside = whole

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._inside = self._inside or tag == "article"
        if self._inside and tag in _COUNTED:
            self.counts[tag] += 1
        if tag in _LOADS and values.get("rel") != "canonical":
            self.loaded.append(values.get(_LOADS[tag]) or "")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "article"


def main() -> int:
    """Return the exit code: 1 where something is wrong."""
    wrong = list(problems())
    sys.stdout.write("".join(f"{problem}\n" for problem in wrong))
    return 1 if wrong else 0


def problems() -> Iterator[str]:
    """Yield what is wrong with the site."""
    pages = links.outside_docs()
    built = sorted(SITE.rglob("index.html"))
    if not built:
        yield f"{SITE}: no page; build it first: make docs"
    for file in built:
        html = _Reader(whole=False)
        html.feed(file.read_text())
        for address in html.loaded:
            if re.match(r"(https?:)?//", address):
                yield f"{file.relative_to(SITE)}: loads {address}; expected files of the site alone"
        source = _source(file.parent.relative_to(SITE), pages)
        if source is None:
            continue
        markdown = _Reader(whole=True)
        markdown.feed(commonmark.PARSER.render(source.read_text()))
        # A diagram is a block of code on a host without the program that draws it.
        diagrams = len(re.findall(r"^```mermaid$", source.read_text(), re.MULTILINE))
        expected = markdown.counts - Counter({"pre": diagrams})
        if html.counts != expected:
            yield (
                f"{source.relative_to(links.ROOT)}: the site has {dict(html.counts - expected)} more and "
                f"{dict(expected - html.counts)} less than the page as CommonMark reads it"
            )


def _source(folder: Path, pages: Mapping[str, str]) -> Path | None:
    """Return the file of a page by its folder on the site; None where MkDocs wrote the page itself."""
    for page in (f"{folder}.md", f"{folder}/README.md", f"{folder}/index.md"):
        file = links.ROOT / links.file_of(page.removeprefix("./"), pages)
        if file.is_file():
            return file
    return None


if __name__ == "__main__":
    sys.exit(main())
