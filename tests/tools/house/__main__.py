"""Check the rules of the house that no other linter knows: `python -m tests.tools.house`, a part of `make lint`.

Prints `file:line: rule: what was found; what to do`, and exits with 1 if anything was. CONTRIBUTING.md says why.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping

from tests.tools.house import code_rules, model_rules, project_rules
from tests.tools.house.tree import Fault, Tree

RULES: Mapping[str, tuple[Callable[[Tree], Iterator[Fault]], str]] = {
    "long-module": (code_rules.long_module, "split it: one sitting takes in 400 lines"),
    "first-line": (code_rules.first_line, "begin with a verb and its object, in standard terms"),
    "class-name": (code_rules.class_name, "give it a name of its own"),
    "file-name": (code_rules.file_name, "give it a name of its own"),
    "law-in-code": (code_rules.law_in_code, "move it to the law data"),
    "constants": (model_rules.constants, "move it to the data of the response, with its source"),
    "table-sources": (model_rules.table_sources, "name the source in its row or in docs/data.md"),
    "model-pages": (model_rules.model_pages, "write that part of the page"),
    "machine": (code_rules.machine, "leave out what is of one machine"),
    "rooms": (project_rules.rooms, "few rooms, and each in the map of CONTRIBUTING.md"),
    "namespace": (project_rules.namespace, "keep one open, typed namespace over all source roots"),
    "generated": (project_rules.generated, "raise the oldest version in pyproject.toml"),
    "lock": (project_rules.lock, "run make lock"),
    "extras": (project_rules.extras, "name every extra in `all` and docs/install.md; bound numba by a minor version"),
    "pages": (project_rules.pages, "mend the page, or what it names"),
}  # fmt: skip


def main() -> int:
    """Print the faults; gives the exit code."""
    tree, code = Tree.of_checkout(), 0
    for name, (find, advice) in RULES.items():
        for fault in find(tree):
            print(f"{fault.path}:{fault.line}: {name}: {fault.found}; {advice}")
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
