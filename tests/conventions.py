"""CONVENTIONS.md as its statements: each is a list item that begins with its name in bold."""

import re
from pathlib import Path

TEXT = (Path(__file__).parents[1] / "CONVENTIONS.md").read_text("utf-8")
STATEMENTS = {
    name: " ".join(text.split())
    for name, text in re.findall(
        r"^- \*\*(.+?)\*\*(.*?)(?=^- |^#|\Z)", TEXT, re.MULTILINE | re.DOTALL
    )
}
NUMBER = r"-?\d+(?:\.\d+)?"


def states(name):
    """Mark a test that checks this statement of the page."""
    assert name in STATEMENTS, f"CONVENTIONS.md does not speak of {name!r}"
    return lambda test: test


def sentence(name, pattern):
    """What a statement says where it matches the pattern: the groups, or the whole."""
    match = re.search(pattern, STATEMENTS[name])
    assert match, f"CONVENTIONS.md, {name}: nothing like {pattern!r}"
    return match.groups() or match[0]


def numbered(name):
    """The names that a statement numbers: '0 background, 1 skin' -> [background, skin]."""
    pairs = re.findall(r"(\d+) ([a-z ]+?)(?=[,.])", STATEMENTS[name])
    assert [int(number) for number, _ in pairs] == list(range(len(pairs)))
    return [label for _, label in pairs]
