"""The table of cases on a page, as it is shown."""

from __future__ import annotations

import json

from tests.beds.browser import Page


def write_text(page: Page, words: str) -> None:
    page.run(
        f"(f => {{ f.value = {json.dumps(words)}; f.dispatchEvent(new Event('input')); }})"
        "(document.getElementById('filter'))"
    )
    page.drawn()


def rows(page: Page) -> list[dict[str, str]]:
    """The table of cases as it is shown."""
    page.run("(b => b.hidden || b.click())(document.getElementById('more-cases'))")
    found: list[dict[str, str]] = page.run(
        "(t => { const heads = [...t.tHead.rows[0].cells].map(c => c.textContent);"
        " return [...t.querySelectorAll('tr[data-case]')].map("
        "r => Object.fromEntries([...r.cells].map((c, n) => [heads[n], c.textContent]))); })"
        "(document.getElementById('case-table'))"
    )
    return found
