"""Write the parts of the reference pages that come from the code, so that they can be read in the checkout as well.

    python scripts/write_reference.py            writes them
    python scripts/write_reference.py --check    says which page is not up to date, and fails if one is not

What stands between two comments is replaced: `<!-- commands -->`, `<!-- messages -->` or `<!-- api NAME... -->`, and
`<!-- end -->`. NAME is a module, class or function, with the members to show if not all: `<!-- api a.b.C: one two -->`.
"""

import inspect
import pathlib
import pkgutil
import re
import sys
from types import FunctionType
from typing import Any, Iterator, List, Tuple

PAGES = pathlib.Path(__file__).resolve().parent.parent / "docs" / "reference"
MARKER = re.compile(r"(<!-- (commands|messages|api ([\w.]+)(?:: ([\w ]+))?) -->\n).*?(<!-- end -->)", re.S)
# A line of a docstring that describes an argument or a result.
ITEM = re.compile(r"^(\*{0,2}[a-z_]\w*|RETURNS|YIELDS|RAISES) \((.+?)\): ")
WIDTH = 100


def fill(page: str) -> str:
    """Write all parts of a page that come from the code."""

    def replace(match: "re.Match[str]") -> str:
        opening, kind, name, members, closing = match.groups()
        made = {"commands": command_lines, "messages": message_lines}.get(kind)
        lines = made() if made else api_lines(name, members.split() if members else [])
        return "\n".join([opening, *lines, closing])

    return MARKER.sub(replace, page)


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


def api_lines(name: str, members: List[str]) -> Iterator[str]:
    """Describe a function, a class with its public methods, or members of a module, in Markdown."""
    found = pkgutil.resolve_name(name)
    if inspect.ismodule(found):
        for member in members:
            yield from api_lines(f"{name}.{member}", [])
        return
    yield from described(found, name, level=3)
    if inspect.isclass(found):
        own = [member for member, value in vars(found).items() if member[0] != "_" and is_described(value)]
        for member in members or own:
            yield from described(vars(found)[member], f"{found.__name__}.{member}", level=4)


def is_described(value: Any) -> bool:
    """Return True if a member of a class is a method or a property with a docstring."""
    return bool(getattr(value, "__doc__", None)) and isinstance(
        value, (FunctionType, property, classmethod, staticmethod)
    )


def described(found: Any, name: str, *, level: int) -> Iterator[str]:
    """Yield the heading, the signature and the docstring of an object."""
    yield f"{'#' * level} `{name}`\n"
    if not isinstance(found, property):
        called = getattr(found, "__func__", found)
        yield f"```py\n{signature(called, name.rpartition('.')[2])}\n```\n"
    yield f"{to_markdown(inspect.getdoc(found) or '')}\n"


def signature(called: Any, name: str) -> str:
    """Write a signature in one line, or with a line for each argument if it is long."""
    found = inspect.signature(called)
    parameters = [each for each in found.parameters.values() if each.name != "self"]
    text = f"{name}{found.replace(parameters=parameters)}"
    text = re.sub(r"\b(?:[a-z_]\w*\.)+(?=[A-Z])|~", "", text).replace("<factory>", "...").removesuffix(" -> None")
    text = re.sub(r"<[^<>]+(?:<[^<>]+>[^<>]*)? at 0x\w+>", "...", text)  # defaults that have no short form
    text = re.sub(r"numpy\.ndarray\[tuple\[Any, \.\.\.\], numpy\.dtype\[[\w.]+\]\]", "numpy.ndarray", text)
    text = re.sub(r"'([A-Z][\w.]*(?:\[[^']*\])?)'", r"\1", text)  # names of types that are written as strings
    if len(text) <= WIDTH or "(" not in text:
        return text
    parts, end = split_arguments(text)
    return "\n".join([f"{name}(", *(f"    {part}," for part in parts), f"){end}"])


def split_arguments(text: str) -> Tuple[List[str], str]:
    """Split a signature at the commas of its arguments; RETURNS: Them, and what follows the closing parenthesis."""
    start = text.index("(") + 1
    depth, parts, last = 1, [], start
    for at in range(start, len(text)):
        depth += (text[at] in "([{") - (text[at] in ")]}")
        if not depth or (depth == 1 and text[at] == ","):
            parts.append(text[last:at].strip())
            last = at + 1
        if not depth:
            return [part for part in parts if part], text[at + 1 :]
    raise ValueError(f"{text}: no closing parenthesis")


def to_markdown(text: str) -> str:
    """Turn the lines of a docstring that describe arguments into a list."""
    lines: List[str] = []
    for line in text.splitlines():
        match = ITEM.match(line)
        if match:
            name = match[1].lower() if match[1].isupper() else f"**{match[1]}**"
            previous = lines[-1] if lines else ""
            lines += [""] if previous and not previous.startswith(("- ", "    ")) else []
            line = f"- {name} (`{match[2]}`): {line[match.end() :]}"
        lines.append(line)
    return "\n".join(lines)


def one_paragraph(text: object) -> str:
    """Write a text in one line that fits into a table."""
    return " ".join(str(text or "").split()).replace("|", "\\|").replace("<", "&lt;")


def cell(value: object) -> str:
    """Write a default as code; nothing for an empty one."""
    written = one_paragraph(getattr(value, "value", value))
    return f"`{written}`" if written else ""


def main() -> None:
    """Write the pages, or check them."""
    stale = []
    for page in sorted(PAGES.glob("*.md")):
        before = page.read_text(encoding="utf8")
        after = fill(before)
        if after != before:
            stale.append(page.name)
            if "--check" not in sys.argv[1:]:
                page.write_text(after, encoding="utf8")
    print(f"reference: {', '.join(stale) or 'everything is up to date'}")
    if stale and "--check" in sys.argv[1:]:
        sys.exit("reference: not up to date: python scripts/write_reference.py")


if __name__ == "__main__":
    main()
