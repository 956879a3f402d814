"""Every link between the pages leads somewhere."""

import re
import subprocess
from pathlib import Path

import pytest

from local.files import repository

ROOT = repository()
_LISTED = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
PAGES = [Path(name) for name in _LISTED.splitlines()]
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """Return the names that a forge gives to the headings of a page."""
    heads = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    lost = []
    for link in _LINK.findall((ROOT / page).read_text()):
        path, _, anchor = link.partition("#")
        target = (ROOT / page.parent / path) if path else ROOT / page
        there = "://" in link or target.exists()
        if not there or (anchor and "://" not in link and anchor not in anchors(target)):
            lost.append(link)

    assert lost == []
