"""Hooks for mkdocs: lists of commands and messages, and links to files outside of docs/.

mkdocs.yml names this file under `hooks`. Two comments in a page are replaced by lists from the code, so that the pages
are never out of date: `<!-- commands -->` and `<!-- messages -->`. A link to a file of the checkout that is no page,
such as CONTRIBUTING.md, becomes its text: it leads somewhere only when the pages are read in the checkout.
"""

import posixpath
import re
from typing import Any, Iterator, Tuple

LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]+)?\)")
COMMANDS, MESSAGES = "<!-- commands -->", "<!-- messages -->"


def on_page_markdown(markdown: str, *, page: Any, **kwargs: Any) -> str:
    """Fill the lists of a page and unlink what lies outside of docs/; mkdocs calls this for each page."""
    folder = posixpath.dirname(page.file.src_uri)

    def unlink(match: "re.Match[str]") -> str:
        target = posixpath.normpath(posixpath.join(folder, match[2]))
        return match[1] if target.startswith("..") else match[0]

    markdown = LINK.sub(unlink, markdown)
    if COMMANDS in markdown:
        markdown = markdown.replace(COMMANDS, "\n".join(command_lines()))
    if MESSAGES in markdown:
        markdown = markdown.replace(MESSAGES, "\n".join(message_lines()))
    return markdown


def command_lines() -> Iterator[str]:
    """Describe every command of `spacy relext` with its arguments and options, in Markdown."""
    from typer.main import get_command

    from spacy_relext.cli.main import relext

    for name, command in leaf_commands(get_command(relext), "spacy relext"):
        yield f"## `{name}`\n\n{one_paragraph(command.help)}\n"
        yield "| argument or option | default | meaning |\n|---|---|---|"
        for parameter in command.params:
            option = parameter.param_type_name == "option"
            spelt = (
                ", ".join((*parameter.opts, *parameter.secondary_opts))
                if option
                else (parameter.metavar or parameter.name.upper())
            )
            default = "" if parameter.default is None or parameter.required else parameter.default
            yield f"| `{spelt}` | {cell(default)} | {one_paragraph(parameter.help)} |"
        yield ""


def leaf_commands(command: Any, name: str) -> Iterator[Tuple[str, Any]]:
    """Yield the commands of a group and of the groups in it, each with its full name, sorted."""
    for word, child in sorted(getattr(command, "commands", {}).items()):
        if hasattr(child, "commands"):
            yield from leaf_commands(child, f"{name} {word}")
        else:
            yield f"{name} {word}", child


def message_lines() -> Iterator[str]:
    """List every message with its code, in Markdown."""
    from spacy_relext.errors import Errors, Warnings

    for title, messages in (("Errors", Errors), ("Warnings", Warnings)):
        yield f"### {title}\n\n| code | text |\n|---|---|"
        for code, text in sorted(vars(messages).items()):
            if re.fullmatch(r"[A-Z]\d+", code):
                yield f"| `{code}` | {one_paragraph(text.removeprefix(f'[{code}] '))} |"
        yield ""


def one_paragraph(text: object) -> str:
    """Write a text in one line that fits into a table."""
    return " ".join(str(text or "").split()).replace("|", "\\|").replace("<", "&lt;")


def cell(value: object) -> str:
    """Write a default as code; nothing for an empty one."""
    written = one_paragraph(getattr(value, "value", value))
    return f"`{written}`" if written else ""
