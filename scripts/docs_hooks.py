"""Hook for mkdocs: links to files outside of docs/. mkdocs.yml names this file under `hooks`.

A link to a file of the checkout that is no page, such as CONTRIBUTING.md, becomes its text: it leads somewhere only if
the pages are read in the checkout.
"""

import posixpath
import re
from typing import Any

LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]+)?\)")


def on_page_markdown(markdown: str, *, page: Any, **kwargs: Any) -> str:
    """Unlink what lies outside of docs/; mkdocs calls this for each page."""
    folder = posixpath.dirname(page.file.src_uri)

    def unlink(match: "re.Match[str]") -> str:
        target = posixpath.normpath(posixpath.join(folder, match[2]))
        return match[1] if target.startswith("..") else match[0]

    return LINK.sub(unlink, markdown)
