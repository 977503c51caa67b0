"""Read a YAML file with every scalar as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


class _Composer(getattr(yaml, "CBaseLoader", yaml.BaseLoader)):  # type: ignore[misc] # the base is found at run time
    """Reader of the nodes of a YAML text without their types, which take most of the time and are all text here."""

    def resolve(self, kind: type, value: str | None, implicit: tuple[bool, bool] | bool) -> str:
        return ""

    def descend_resolver(self, current_node: yaml.Node | None, current_index: yaml.Node | int | None) -> None:
        pass

    def ascend_resolver(self) -> None:
        pass


def load_yaml(path: Path) -> Any:
    """Read a YAML file with every scalar as text; raises yaml.YAMLError."""
    with path.open(encoding="utf-8") as file:
        composer = _Composer(file)
        try:
            node = composer.get_single_node()
        finally:
            composer.dispose()
    return None if node is None else _plain(node, ())


def _plain(node: yaml.Node, around: tuple[yaml.Node, ...]) -> Any:
    """Turn a node into text, a list or a mapping; `around` are the nodes it is in."""
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if node in around:
        raise yaml.constructor.ConstructorError(None, None, "a node contains itself", node.start_mark)
    inside = (*around, node)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, inside) for item in node.value]
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key must be text", key.start_mark)
    return {key.value: _plain(value, inside) for key, value in node.value}
