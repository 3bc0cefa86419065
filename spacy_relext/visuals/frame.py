"""The frame of all HTML pages: self-contained, and without anything that a text could change."""

from html import escape

_PAGE = """<!DOCTYPE html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{content}
</body>
</html>
"""


def frame_page(content: str, *, title: str, style: str, lang: str) -> str:
    """Make a page.

    content (str): HTML; its texts are escaped already.
    title (str): Title of the page, a text.
    style (str): CSS.
    lang (str): Language of the texts.
    RETURNS (str): HTML.
    """
    return _PAGE.format(lang=escape(lang), title=escape(title), style=style, content=content)
