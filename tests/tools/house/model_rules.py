"""Rules on the economy: pages of models, sources of tables, and numbers that belong to the data."""

from __future__ import annotations

import ast
import csv
import io
import re
from collections.abc import Iterator

from tests.tools.house.tree import ENGINE, Fault, Tree

RESPONSE, DATA_PAGE = f"{ENGINE}response/", "docs/data.md"
OTHER_PAGES = {"docs/models/README.md", "docs/models/parameters.md", "docs/models/uncertainty.md"}
LIMITS = re.compile(r"limits, (?:which hold )?as identities\W*\n\n?", re.IGNORECASE)
CITED = re.compile(r"\(?(19|20)\d\d|BEA|Census Bureau|USITC")
SHORTEST_SOURCE = 8
# Numbers of the computation, which say nothing about the economy: sizes of work and memory, units, tolerances.
TECHNICAL = {
    "DAYS_A_MONTH", "DAYS_A_YEAR", "GREATEST_SEED", "LEAST_DRAWS", "LEAST_LEFT", "LEAST_POWER", "LEAST_SUPPLY", "MOST",
    "MOST_DRAWS", "NOTHING", "NO_INDUSTRY", "REPLICATES", "REQUIREMENT_UNITS", "SAME", "SCENARIOS",
    "STEEP", "STEEPEST_PATH", "_BITS", "_NEAR", "_NODES", "_BUNDLE_CHUNKS", "_GEOMETRIC", "_LARGEST_PREMIUM",
    "_PART_NESTS", "_SAME", "_SECTION_BUNDLES", "TENTHS", "_MIDDLE_OF_YEAR", "_NAICS_DIGITS", "_DOLLARS", "FACTS",
}  # fmt: skip
COMPUTATION = {"kernels", "lanes", "world"}
SIZES = ("_BUNDLES", "_CHUNKS", "_KEPT", "_LINES", "_ROUNDS", "_VARIETIES")
"""Ends of names of sizes of work and memory."""
LITERALS = (ast.Constant, ast.Dict, ast.List, ast.UnaryOp, ast.BinOp)


def model_pages(tree: Tree) -> Iterator[Fault]:
    """Find pages of models without one of their parts: equations, sources, limits, and when not to use the model."""
    for path in set(tree.matching("docs/models/*.md")) - OTHER_PAGES:
        text = tree.text(path)
        limits = [part.lstrip("* .\n") for part in LIMITS.split(text)]
        parts = {
            "equations": re.search(r"^    .*=", text, re.MULTILINE),
            "when not to use it": re.search(r"do not use it", text, re.IGNORECASE),
            "limits as identities": len(limits) == 2 and limits[1],
            "sources": len(CITED.findall(text)) >= 2,
        }
        yield from (Fault(path, 1, name) for name, there in parts.items() if not there)


def table_sources(tree: Tree) -> Iterator[Fault]:
    """Find tables of the response without a source in each row, or on the page of data."""
    page = tree.text(DATA_PAGE).splitlines()
    for path in tree.matching(f"{RESPONSE}data/*"):
        rows = list(csv.DictReader(io.StringIO(tree.text(path), newline=""))) if path.endswith(".csv") else []
        if rows and "source" in rows[0]:
            sources = list(enumerate((row["source"].strip() for row in rows), 2))
        else:
            said = [line for line in page if f"`{path.rpartition('/')[2]}`" in line]
            sources = [(1, said[0].strip(" |").split(" | ")[-1] if len(said) == 1 else "")]
        yield from (Fault(path, line, source) for line, source in sources if len(source) < SHORTEST_SOURCE)


def constants(tree: Tree) -> Iterator[Fault]:
    """Find names in modules of the response that are bound to a number other than 0 and 1."""
    for path in tree.python(RESPONSE):
        if path.split("/")[-2] in COMPUTATION:
            continue
        body = tree.parsed(path).body
        fields = [
            (f"{one.name}.", field) for one in body if isinstance(one, ast.ClassDef) for field in one.body
        ]
        for owner, node in [*(("", node) for node in body), *fields]:
            if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, LITERALS):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names = {f"{owner}{target.id}" for target in targets if isinstance(target, ast.Name)}
                if any(map(_is_telling, ast.walk(node.value))):
                    found = {name for name in names - TECHNICAL if not name.endswith(SIZES)}
                    yield from (Fault(path, node.lineno, name) for name in found)


def _is_telling(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in {int, float} and node.value not in {0, 1}
