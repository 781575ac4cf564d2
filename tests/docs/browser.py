"""Debian's Chromium without a window: what a page becomes once its scripts have run."""

import html
import re
import subprocess
from pathlib import Path

CHROMIUM = (
    "chromium",
    "--headless",
    "--no-sandbox",  # root runs it in CI; it sees our own pages only
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--virtual-time-budget=60000",
)


def dom(page: Path, profile: Path, timeout_s: float = 180) -> str:
    """The page's DOM as HTML, after its scripts."""
    command = [*CHROMIUM, f"--user-data-dir={profile}", "--dump-dom", page.as_uri()]
    run = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=True)
    return run.stdout


def text_of(page: str, element: str) -> str:
    """The text of the element with this id, which holds no elements."""
    found = re.search(rf'<pre id="{element}">(.*?)</pre>', page, re.DOTALL)
    assert found is not None, page[:2000]
    return html.unescape(found[1])
