"""The table of mutants: the text files beside this one.

A mutant is one realistic mistake: a file, a text in it, what it is replaced by,
what a user would see, and the tests that are to notice it. Form of an entry,
blank lines between entries:

    [what is wrong]
    file: pipeline/base/atomic_file.cc
    user: after a power cut an empty record
    tests: ^pipeline/base/Durability
    old:
        if (fsync(file.value()) != 0) {
    new:
        if (file.value() < 0) {

`tests` is what ctest -R takes; without it, all tests of the file's folder. The
lines of a text are indented by four spaces. A mutant that is known to pass unnoticed
has a line "survives: WHY".
"""

import dataclasses
import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent
KEYS = ("file", "user", "tests", "survives")
TEXTS = ("old", "new")


@dataclasses.dataclass
class Mutant:
    where: str  # file and line of the entry
    what: str
    file: str = ""
    user: str = ""
    tests: str = ""
    survives: str = ""
    old: str = ""
    new: str = ""

    def apply(self, source: str) -> str:
        return source.replace(self.old, self.new)


class TableError(Exception):
    """A line of the table that cannot be read, or an entry that does not hold."""


def _parse(path: pathlib.Path) -> list[Mutant]:
    mutants = []
    text = None  # the name of the text that is being read
    for number, line in enumerate(path.read_text().splitlines(), 1):
        where = f"{path.name}:{number}"
        heading = re.fullmatch(r"\[(.+)\]", line)
        key = re.fullmatch(r"([a-z]+):(?: (.+))?", line)
        if heading:
            mutants.append(Mutant(where, heading[1]))
            text = None
        elif not line.strip():
            if text and mutants:
                setattr(mutants[-1], text, getattr(mutants[-1], text) + "\n")
        elif line.startswith("    ") and text:
            lines = getattr(mutants[-1], text)
            setattr(mutants[-1], text, lines + line[4:] + "\n")
        elif line.startswith("#"):
            continue
        elif key and mutants and key[1] in KEYS and key[2]:
            setattr(mutants[-1], key[1], key[2])
            text = None
        elif key and mutants and key[1] in TEXTS and not key[2]:
            text = key[1]
        else:
            raise TableError(f"{where}: this line cannot be read: {line}")
    for mutant in mutants:
        mutant.old = mutant.old.rstrip("\n")
        mutant.new = mutant.new.rstrip("\n")
    return mutants


def _check(mutant: Mutant) -> None:
    for name in ("file", "user", "old"):
        if not getattr(mutant, name):
            raise TableError(f"{mutant.where}: '{name}' is missing")
    if not mutant.tests:
        mutant.tests = f"^{pathlib.PurePath(mutant.file).parent}/"
    path = ROOT / mutant.file
    if not path.is_file():
        raise TableError(f"{mutant.where}: there is no {mutant.file}")
    count = path.read_text().count(mutant.old)
    if count != 1:
        raise TableError(
            f"{mutant.where}: the old text stands {count} times in "
            f"{mutant.file}, not once; bring the entry up to date"
        )
    if mutant.old == mutant.new:
        raise TableError(f"{mutant.where}: nothing is changed")


def read_table(folder: pathlib.Path = FOLDER) -> list[Mutant]:
    """All mutants; throws TableError when one no longer fits the source."""
    mutants = []
    for path in sorted(folder.glob("*.txt")):
        mutants += _parse(path)
    seen = {}
    for mutant in mutants:
        _check(mutant)
        key = (mutant.file, mutant.old, mutant.new)
        if key in seen:
            raise TableError(f"{mutant.where}: the same as {seen[key]}")
        seen[key] = mutant.where
    return mutants
