"""Links of a page work on the site as in the repository."""

from __future__ import annotations

import pytest

from tools.site import links

ADDRESS = "https://git.example/acme/ai-platform"


@pytest.mark.parametrize(
    ("page", "link", "expected"),
    [
        ("index.md", "docs/twin.md#charts", "twin.md#charts"),
        ("index.md", "docs/adr/README.md", "adr/README.md"),
        ("twin.md", "../README.md", "index.md"),
        ("twin.md", "gotchas.md", "gotchas.md"),
        ("adr/0025-layers-as-stacks.md", "../operations/large-stacks.md", "../operations/large-stacks.md"),
        ("adr/0025-layers-as-stacks.md", "../../CONTRIBUTING.md", "../contributing.md"),
        ("examples/training/README.md", "../../docs/models.md", "../../models.md"),
        ("index.md", "docs/components", "components/README.md"),
    ],
)
def test_link_to_a_page_leads_to_that_page(page: str, link: str, expected: str) -> None:
    assert links.rewritten(f"[text]({link})\n", page, ADDRESS) == f"[text]({expected})\n"


def test_link_to_another_file_leads_to_the_repository() -> None:
    text = links.rewritten("[file](../Makefile) [folder](../examples/image)\n", "twin.md", ADDRESS)
    assert text == f"[file]({ADDRESS}/blob/main/Makefile) [folder]({ADDRESS}/tree/main/examples/image)\n"


@pytest.mark.parametrize("link", ["nothing.md", "../../elsewhere.md", "https://example.com/a.md", "#anchor"])
def test_link_without_a_file_stays_for_mkdocs_to_report(link: str) -> None:
    assert links.rewritten(f"[text]({link})\n", "twin.md", ADDRESS) == f"[text]({link})\n"


@pytest.mark.parametrize(
    "code", ["`[a](../Makefile)`\n", "    [a](../Makefile)\n", "```\n[a](../Makefile)\n```\n"]
)
def test_code_is_no_link(code: str) -> None:
    assert links.rewritten(code, "twin.md", ADDRESS) == code


def test_link_in_the_second_paragraph_of_an_item_is_no_code() -> None:
    assert "blob/main" in links.rewritten("1. one\n\n   - two\n\n     [a](../Makefile)\n", "twin.md", ADDRESS)
