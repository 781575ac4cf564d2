"""The handbook for staff: `make handbook` builds the site and one page for printing into build/handbook."""

import re
from typing import Any

from sphinx.application import Sphinx

project = "マイナ受付キオスク 手引書"
author = "Kiosk"
language = "ja"
extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "attrs_inline"]
exclude_patterns = ["made/*.md", "parts"]
suppress_warnings: list[str] = []
nitpicky = True

html_theme = "furo"
html_title = project
html_static_path = ["style"]
html_css_files = ["handbook.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_permalinks = False
html_last_updated_fmt = None


def one_anchor(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: object) -> None:  # noqa: ARG001
    """Mend the single page's links: Sphinx 9 writes `#document-page#label` where `#label` is."""
    if app.builder.name == "singlehtml" and "body" in context:
        context["body"] = re.sub(r'href="#document-[^"#]*#', 'href="#', context["body"])


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("html-page-context", one_anchor)
