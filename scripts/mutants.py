"""Mutation testing: change the code in one place, and see whether a test fails.

    python scripts/mutants.py build/mutants --count 150 --seed 0 --minutes 60

mutmut makes the mutants of the modules below; a sample of lines gets one each. Every mutant is run against the fast
tests of its module, in a copy of the checkout and in a fork of a process that has imported the large libraries. Mutants
that no test detects are written to survivors.md; those that no test could detect are listed in mutants_equivalent.jsonl
with a reason. The exit status is 1 if more than 5 % of the others survive.

mutmut's own runner wraps functions, so that it changes no constant of a module and no function with a decorator.
"""

import argparse
import compileall
import gc
import importlib
import json
import os
import pathlib
import py_compile
import random
import resource
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Sequence, Tuple

ROOT = pathlib.Path(__file__).resolve().parents[1]
EQUIVALENT = pathlib.Path(__file__).with_name("mutants_equivalent.jsonl")
PACKAGE = "spacy_relext"
MAX_SHARE = 0.05

# Modules → tests of them besides their own, which come first: graph/test_build.py of graph/build.py.
TESTS: Dict[str, Tuple[str, ...]] = {
    "annotations/triple*.py": ("annotations", "corpora/test_records.py"),
    "annotations/store.py": ("annotations", "corpora/test_stored_values.py", "pairs/test_rejected.py"),
    "scoring/*.py": ("scoring", "cli/test_agree.py", "cli/test_compare.py", "cli/test_evaluate.py"),
    "rere/losses.py": ("rere/test_losses.py", "rere/test_model_parts.py"),
    "kd/losses.py": ("kd/test_adversary_training.py",),
    "nero/losses.py": ("nero/test_model.py",),
    "hrere/losses.py": ("hrere/test_model.py",),
    "selfore/losses.py": ("selfore/test_model.py",),
    "rere/decode.py": ("rere/test_candidates.py", "rere/test_near_misses.py"),
    "pipeline/tuning.py": ("cli/test_tune.py",),
    "graph/*.py": ("graph", "export/test_attributes.py"),
}

# Imported once, before the forks; the package itself is not.
LIBRARIES = ["hypothesis", "networkx", "pandas", "pyarrow", "pytest", "rapidfuzz", "sklearn", "spacy", "torch"]
LIBRARIES += ["spacy_transformers", "thinc.api", "transformers", "typer.testing"]

PYTEST = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "not slow and not real_data"]
PYTEST += ["-k", "not in_a_browser and not test_a_reader and not test_the_page"]  # browsers are slow to start
# Types of numbers, which have a suitable default; parts of messages; devices, which contract/test_devices.py compares.
MINOR_ARGUMENTS = {"device", "dtype", "extra", "purpose"}

SPARE_SECONDS = 10  # of processor time, in addition to three times that of the tests without a mutant
MAX_BYTES = 8 << 30

Tests = Tuple[str, ...]


@dataclass(frozen=True)
class Mutant:
    """A place in a module, libcst's nodes there before and after the change, and the tree of the module."""

    module: str
    line: int
    source: str
    tree: Any
    old: Any
    new: Any

    @property
    def is_plain(self) -> bool:
        """Return True for operators, numbers and conditions; False for strings and arguments."""
        return type(self.old).__name__ not in ("SimpleString", "Call")

    @property
    def key(self) -> Dict[str, str]:
        """Return what identifies the mutant even if lines are added above."""
        before, after = (" ".join(self.tree.code_for_node(node).split()) for node in (self.old, self.new))
        return {"module": self.module, "line": self.source, "before": before, "after": after}

    def text(self) -> str:
        """Return the module as it is with the change."""
        return str(self.tree.deep_replace(self.old, self.new).code)


def make_mutants(module: str, text: str) -> Iterator[Mutant]:
    """Yield the mutants of a module; none in raise statements, or in strings with a space: texts and word lists."""
    import libcst
    from libcst import matchers
    from libcst.metadata import MetadataWrapper, PositionProvider
    from mutmut.mutation.file_mutation import MutationVisitor
    from mutmut.mutation.mutators import mutation_operators, operator_assignment
    from mutmut.mutation.pragma_handling import IgnoredCode

    wrapper = MetadataWrapper(libcst.parse_module(text))

    class Visitor(MutationVisitor):
        """Changes functions with decorators, too; mutmut could not wrap them."""

        def _skip_node_and_children(self, node: Any) -> bool:
            is_decorated = isinstance(node, libcst.FunctionDef) and bool(node.decorators)
            return not is_decorated and super()._skip_node_and_children(node)

    # `name = None` fails as soon as the name is read, as do calls without a positional argument: they would only make
    # the share of survivors small
    operators = [each for each in mutation_operators if each[1] is not operator_assignment]
    visitor = Visitor(operators, IgnoredCode(set(), set(), set()))
    wrapper.visit(visitor)
    places, lines = wrapper.resolve(PositionProvider), text.splitlines()
    raised = [places[node] for node in matchers.findall(wrapper.module, matchers.Raise())]
    for mutation in visitor.mutations:
        old, new = mutation.original_node, mutation.mutated_node
        line = places[old].start.line
        is_raised = any(each.start.line <= line <= each.end.line for each in raised)
        if not is_raised and _is_likely_mistake(old, new):
            yield Mutant(module, line, lines[line - 1].strip(), wrapper.module, old, new)


def _is_likely_mistake(old: Any, new: Any) -> bool:
    """Return False for texts, and for calls without a positional argument or one of MINOR_ARGUMENTS."""
    if type(old).__name__ == "SimpleString":
        return " " not in old.value
    if type(old).__name__ != "Call" or new.func is not old.func:
        return True
    left_out = [each.keyword for each in old.args if all(each is not other for other in new.args)]
    return len(new.args) < len(old.args) and left_out[0] is not None and left_out[0].value not in MINOR_ARGUMENTS


def choose_mutants(mutants: Sequence[Mutant], *, count: int, seed: int) -> List[Mutant]:
    """Choose lines at random, and one mutant of each: a plain one if there is any."""
    rng, lines = random.Random(seed), defaultdict(list)
    for mutant in mutants:
        lines[mutant.module, mutant.line].append(mutant)
    chosen = rng.sample(sorted(lines), min(count, len(lines)))
    return [rng.choice([m for m in lines[place] if m.is_plain] or lines[place]) for place in chosen]


def find_modules(root: pathlib.Path) -> Dict[str, List[Tests]]:
    """Return the tests of every module in two parts, its own and the others."""
    found = {}
    for pattern, others in TESTS.items():
        for path in sorted((root / PACKAGE).glob(pattern)):
            own = f"tests/{path.parent.name}/test_{path.name}"
            parts = [(own,)] if (root / own).exists() else []
            found[path.relative_to(root).as_posix()] = [*parts, tuple(f"tests/{name}" for name in others)]
    return found


def copy_checkout(root: pathlib.Path, copy: pathlib.Path) -> None:
    """Copy what git knows or does not ignore, and compile it so that a changed file is compiled again."""
    shutil.rmtree(copy, ignore_errors=True)
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (root / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, copy / name)
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    compileall.compile_dir(copy / PACKAGE, quiet=2, invalidation_mode=mode)


def enter_copy(copy: pathlib.Path) -> None:
    """Make the copy what Python imports, here and in the commands that tests run, and import the libraries."""
    os.chdir(copy)
    os.environ.update(PYTHONPATH=str(copy), OMP_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")
    sys.path.insert(0, str(copy))
    for name in LIBRARIES:
        importlib.import_module(name)
    if PACKAGE in sys.modules:
        sys.exit(f"{PACKAGE} is imported already: the forks would not read its copy")
    gc.collect()
    gc.freeze()  # otherwise the collector writes to each object, and a fork copies the pages: half of its time


def run_tests(tests: Sequence[str], *, log: pathlib.Path, seconds: float) -> Tuple[int, float]:
    """Run tests in a fork with limited processor time; return pytest's exit status, and the time taken."""
    child = os.fork()
    if not child:
        status = 1
        try:
            limit = int(seconds) + 1
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
            resource.setrlimit(resource.RLIMIT_DATA, (MAX_BYTES, MAX_BYTES))
            with log.open("wb") as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
                status = int(importlib.import_module("pytest").main([*PYTEST, *tests]))
        finally:
            os._exit(status)
    _, status, usage = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime


def time_tests(parts: Iterable[Tests], *, log: pathlib.Path) -> Dict[Tests, float]:
    """Measure the processor time of tests without a mutant; end the program if one fails."""
    times = {}
    for tests in sorted(set(parts)):
        status, times[tests] = run_tests(tests, log=log, seconds=3600)
        print(f"{times[tests]:6.1f} s  {' '.join(tests)}", flush=True)
        if status:
            sys.exit(f"these tests fail without a mutant: see {log}")
    return times


def is_killed(mutant: Mutant, path: pathlib.Path, times: Mapping[Tests, float], *, log: pathlib.Path) -> bool:
    """Write a mutant in place of its module, and return True if a test fails or does not end."""
    text = path.read_text(encoding="utf8")
    path.write_text(mutant.text(), encoding="utf8")
    try:
        return any(run_tests(part, log=log, seconds=3 * times[part] + SPARE_SECONDS)[0] for part in times)
    finally:
        path.write_text(text, encoding="utf8")


def write_report(path: pathlib.Path, survivors: Sequence[Mutant], summary: str) -> None:
    """Write the survivors as a table, and as lines for the list of equivalent ones."""
    rows = ["| place | before | after |", "|---|---|---|"]
    listed = []
    for mutant in survivors:
        cells = [f"`{mutant.key[name]}`".replace("|", "\\|") for name in ("before", "after")]
        rows.append(f"| {mutant.module}:{mutant.line} | {cells[0]} | {cells[1]} |")
        listed.append(json.dumps({**mutant.key, "reason": ""}, ensure_ascii=False))
    parts = ["# Mutants that no test notices", summary, "\n".join(rows)]
    parts += [f"Write a test, or list it in {EQUIVALENT.name} with a reason:", "\n".join(["```", *listed, "```"])]
    path.write_text("\n\n".join(parts) + "\n", encoding="utf8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=150, help="mutants to make")
    parser.add_argument("--seed", type=int, default=0, help="another one chooses others")
    parser.add_argument("--minutes", type=float, default=60, help="no mutant is begun after this time")
    parser.add_argument("--only", default="", help="part of the names of the modules to change")
    arguments = parser.parse_args()
    start, output = time.monotonic(), arguments.output.resolve()
    copy, log = output / "copy", output / "pytest.log"
    copy_checkout(ROOT, copy)
    tests = {name: value for name, value in find_modules(copy).items() if arguments.only in name}
    texts = {name: (copy / name).read_text(encoding="utf8") for name in tests}
    mutants = [mutant for name, text in texts.items() for mutant in make_mutants(name, text)]
    chosen = choose_mutants(mutants, count=arguments.count, seed=arguments.seed)
    known = [json.loads(line) for line in EQUIVALENT.read_text(encoding="utf8").splitlines()]
    keys = [{key: value for key, value in each.items() if key != "reason"} for each in known]
    meant = [mutant for mutant in chosen if mutant.key not in keys]
    enter_copy(copy)
    times = time_tests((part for mutant in meant for part in tests[mutant.module]), log=log)
    done, survivors = 0, []
    for mutant in meant:
        if time.monotonic() - start > 60 * arguments.minutes:
            break
        parts = {part: times[part] for part in tests[mutant.module]}
        killed = is_killed(mutant, copy / mutant.module, parts, log=log)
        done += 1
        survivors += [] if killed else [mutant]
        change = f"{mutant.key['before']} -> {mutant.key['after']}"
        print(f"{done} {'killed' if killed else 'SURVIVED'} {mutant.module}:{mutant.line} {change}", flush=True)
    share = len(survivors) / max(done, 1)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    summary = (
        f"Seed {arguments.seed}: {len(survivors)} of {done} mutants survive ({share:.1%}). {len(chosen) - len(meant)} "
        f"more are equivalent; {len(meant) - done} were left out for lack of time. "
        f"Processor time: {(usage.ru_utime + usage.ru_stime) / 60:.1f} minutes."
    )
    write_report(output / "survivors.md", survivors, summary)
    print(f"{summary}\nSee {output / 'survivors.md'}")
    return 1 if share > MAX_SHARE else 0


if __name__ == "__main__":
    sys.exit(main())
