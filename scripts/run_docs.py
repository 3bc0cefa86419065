"""Run the code blocks of Markdown files, as a reader would.

    python scripts/run_docs.py README.md docs

The python blocks of a file run one after the other in one namespace, in a scratch folder. Shell blocks do not run, but
every command, make target, script, module, workflow and `spacy relext` option that they name must exist. A comment on a
line before a block changes that: `<!-- run -->` runs a shell block, too, in the same folder; `<!-- skip -->` leaves a
block out; `<!-- needs training/rere/tuned -->` leaves a python block out where that path does not exist. Links must
lead somewhere, to a file and to a heading of it.
"""

import argparse
import contextlib
import importlib.util
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import traceback
from fnmatch import fnmatch
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Set

ROOT = pathlib.Path(__file__).resolve().parent.parent
FENCE = re.compile(
    r"^(?:<!-- *(?P<mark>skip|run|needs [^>]*?) *-->\n+)?```(?P<language>\w*)[^\n]*\n(?P<code>.*?)^```", re.M | re.S
)
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.M)
CODE_BLOCK = re.compile(r"^ *```.*?^ *```", re.M | re.S)
PATH = re.compile(
    r"`((?:assets|benchmarks|configs|docs|scripts|spacy_relext|tests)/[\w./-]+|[\w-]+\.(?:cfg|yml|txt|toml))`"
)
GENERATED = ("assets/encoder", "config.cfg")
SHELL = {"bash", "sh", "shell", "console"}
INSTALLED = {"pip", "pre-commit", "pytest", "ruff"}  # into the environment, which need not be active
BUILTINS = {"cd", "source", "export", "set", "."}


class Block(NamedTuple):
    """A fenced block: its language, its code, the line it starts on and the mark before it."""

    language: str
    code: str
    line: int
    mark: str


def blocks_of(text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a Markdown text."""
    for match in FENCE.finditer(text):
        line = text.count("\n", 0, match.start("code")) + 1
        yield Block(match["language"], match["code"], line, match["mark"] or "")


def run_blocks(path: pathlib.Path) -> Optional[str]:
    """Run the python blocks of a file, and shell blocks marked `run`, in a scratch folder with links to the checkout.

    path (pathlib.Path): A Markdown file.
    RETURNS (Optional[str]): What went wrong, or None.
    """
    namespace: Dict[str, Any] = {"__name__": "__main__"}
    blocks = list(blocks_of(path.read_text(encoding="utf8")))
    with scratch_folder():
        for block in blocks:
            if block.language in SHELL and block.mark == "run":
                done = run_shell(block.code)
                if done.returncode:
                    printed = done.stdout[-2000:] + done.stderr[-2000:]
                    return f"{path}:{block.line}: exit status {done.returncode}\n{printed}"
            needed = block.mark[len("needs ") :] if block.mark.startswith("needs ") else ""
            if block.language != "python" or block.mark == "skip" or (needed and not (ROOT / needed).exists()):
                continue
            # Blank lines in front make the line numbers of a traceback those of the file.
            code = "\n" * (block.line - 1) + block.code
            try:
                exec(compile(code, str(path), "exec"), namespace)
            except Exception:
                return f"{path}:{block.line}: {traceback.format_exc()}"
    return None


def run_shell(code: str) -> "subprocess.CompletedProcess[str]":
    """Run shell commands until one fails, with this interpreter as `python`."""
    path = os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = ["bash", "-e", "-o", "pipefail", "-c", code]
    return subprocess.run(command, env={**os.environ, "PATH": path}, capture_output=True, text=True)


@contextlib.contextmanager
def scratch_folder() -> Iterator[None]:
    """Work in a new folder with links to what the documents may read."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("assets", "benchmarks", "configs", "corpus", "scripts", "training"):
            if (ROOT / name).exists():
                (pathlib.Path(folder) / name).symlink_to(ROOT / name)
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


def check_shell(path: pathlib.Path) -> List[str]:
    """List what the shell blocks of a file mention but does not exist."""
    problems = []
    for block in blocks_of(path.read_text(encoding="utf8")):
        if block.language not in SHELL or block.mark == "skip":
            continue
        lines = block.code.replace("\\\n", " ").splitlines()
        for number, line in enumerate(lines, block.line):
            for problem in problems_of_line(line):
                problems.append(f"{path}:{number}: {problem}")
    return problems


def problems_of_line(line: str) -> Iterator[str]:
    """Check one shell line, every part of a pipe or a list."""
    try:
        words = shlex.split(line.removeprefix("$ "), comments=True)
    except ValueError as error:
        yield f"{line.strip()}: {error}"
        return
    part: List[str] = []
    for word in [*words, ";"]:
        if word in ("|", "&&", "||", ";", "&"):
            yield from problems_of_command(part)
            part = []
        else:
            part.append(word)


def problems_of_command(words: List[str]) -> Iterator[str]:
    """Check one command: that it exists, and its sub-commands and options where they are ours."""
    while words and re.fullmatch(r"\w+=.*", words[0]):
        words = words[1:]
    if not words or words[0] in BUILTINS:
        return
    command = pathlib.PurePath(words[0]).name
    if command in ("python", "python3"):
        yield from problems_of_python(words[1:])
    elif command == "spacy":
        yield from problems_of_spacy(words[1:])
    elif command == "make":
        known = make_targets()
        wanted = [word for word in words[1:] if "=" not in word]
        yield from (f"make has no target {word}" for word in wanted if not any(fnmatch(word, each) for each in known))
    elif command not in INSTALLED and shutil.which(words[0]) is None and not (ROOT / words[0]).exists():
        yield f"no command {words[0]}"


def problems_of_python(words: List[str]) -> Iterator[str]:
    """Check `python script.py`, `python -m module` and, of the latter, spaCy's command line."""
    if words[:2] in (["-m", "spacy"], ["-m", "spacy_relext"]):
        relext = ["relext"] if words[1] == "spacy_relext" else []
        yield from problems_of_spacy([*relext, *words[2:]])
    elif words[:1] == ["-m"] and len(words) > 1:
        package = words[1].split(".")[0]
        if not (ROOT / package).is_dir() and importlib.util.find_spec(package) is None:
            yield f"no module {words[1]}"
    elif words and words[0].endswith(".py") and not (ROOT / words[0]).exists():
        yield f"no script {words[0]}"


def problems_of_spacy(words: List[str]) -> Iterator[str]:
    """Check sub-commands, options of `spacy relext`, configs of `spacy train` and names of `spacy project run`."""
    from spacy.cli._util import app
    from typer.main import get_command

    import spacy_relext.cli.main  # noqa: F401  (adds our commands)

    command: Any = get_command(app)
    rest = list(words)
    while rest and not rest[0].startswith("-") and hasattr(command, "commands"):
        if rest[0] not in command.commands:
            yield f"spacy has no command {' '.join(words[: len(words) - len(rest) + 1])}"
            return
        command = command.commands[rest.pop(0)]
    if words[:1] == ["relext"] and not hasattr(command, "commands"):
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        given = {word.split("=")[0] for word in rest if word.startswith("--")}
        yield from (f"spacy relext {words[1]} has no option {word}" for word in sorted(given - known - {"--help"}))
    if words[:2] == ["project", "run"] and len(words) > 2 and words[2] not in project_names():
        yield f"project.yml has no workflow or command {words[2]}"
    if words[:1] == ["train"] and words[1].startswith("configs/") and not (ROOT / words[1]).exists():
        yield f"no config {words[1]}"


def make_targets() -> Set[str]:
    """Read the names of the Makefile's targets; those of a pattern have a `*`."""
    return {
        name.replace("%", "*")
        for name in re.findall(r"^([\w%-]+):", (ROOT / "Makefile").read_text(encoding="utf8"), re.M)
    }


def project_names() -> Set[str]:
    """Read the names of the workflows and commands of project.yml."""
    import srsly

    project = srsly.read_yaml(ROOT / "project.yml")
    return {*project["workflows"], *(command["name"] for command in project["commands"])}


def check_links(path: pathlib.Path) -> List[str]:
    """Name the links of a file that lead to no file or heading, and paths in its text that are not in the checkout."""
    text = CODE_BLOCK.sub("", path.read_text(encoding="utf8"))
    problems = []
    for file, anchor in LINK.findall(text):
        target = path.parent / file if file else path
        if not target.exists():
            problems.append(f"no file {file}")
        elif anchor and target.suffix == ".md" and anchor not in anchors_of(target):
            problems.append(f"no heading #{anchor} in {target.name}")
    named = [name for name in PATH.findall(text) if not re.search("NAME|^OUT", name) and not name.startswith(GENERATED)]
    problems += [f"no file {name}" for name in named if not (ROOT / name).exists()]
    return [f"{path}: {problem}" for problem in problems]


def anchors_of(path: pathlib.Path) -> Set[str]:
    """Read the anchors of a Markdown file's headings, in lower case, without punctuation, spaces as hyphens."""
    headings = HEADING.findall(CODE_BLOCK.sub("", path.read_text(encoding="utf8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def check_file(path: pathlib.Path) -> List[str]:
    """Run and check everything in a file.

    path (pathlib.Path): A Markdown file.
    RETURNS (List[str]): The problems.
    """
    failure = run_blocks(path)
    return [*check_links(path), *check_shell(path), *([failure] if failure else [])]


def main() -> int:
    """Check the files and folders given on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=pathlib.Path, help="Markdown files, or folders of them")
    failed = False
    for path in parser.parse_args().paths:
        for file in sorted(path.rglob("*.md")) if path.is_dir() else [path]:
            problems = check_file(file)
            failed = failed or bool(problems)
            print(f"{'failed' if problems else 'ok':8}{file}", *problems, sep="\n    ")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
