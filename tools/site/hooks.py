"""Hooks of MkDocs: pages from outside docs/, the navigation, Markdown for the site. They need no network."""

from __future__ import annotations

import re
from typing import Any, Final

from mkdocs.structure.files import File, InclusionLevel  # pyright: ignore[reportMissingImports] - group docs

from tools.site import commonmark, links, navigation

_NOTE: Final = re.compile(r"\A<!--.*?-->\s*")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages whose files are outside docs/, and put the pages of folders into the navigation."""
    for path, page in links.outside_docs().items():
        files.append(File.generated(config, page, content=(links.ROOT / path).read_text()))
    pages = [file.src_uri for file in files.documentation_pages(inclusion=InclusionLevel.is_included)]
    config.nav = navigation.expanded(config.nav, pages)
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """Adapt a page: its links to the site, its lists to Python-Markdown."""
    # A page's title is its heading where nothing precedes it; generated pages begin with a comment.
    markdown = _NOTE.sub("", markdown)
    return commonmark.adapted(links.rewritten(markdown, page.file.src_uri, config.repo_url))
