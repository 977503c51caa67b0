"""Field masks: keep the fields a caller asked for, also below repeated ones (`layers.amount`)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, TypeVar

from google.protobuf.message import Message

from tariffs.engine.errors import InputError
from tariffs.service.rpc.checks import few, word

Tree = dict[str, "Tree"]
AnyMessage = TypeVar("AnyMessage", bound=Message)
FIELD = "read_mask"
ALWAYS = ("provenance",)
MASKS_KEPT = 256
PATHS_LIMIT = 100


def trim(message: AnyMessage, paths: Iterable[str]) -> AnyMessage:
    """The message with only the fields of `paths` and the provenance, changed in place; no paths keep all.

    Raises:
        InputError: REQUEST_INVALID for a path that leads nowhere.
    """
    asked = tuple(paths)
    if asked:
        few(asked, FIELD, PATHS_LIMIT)
        for path in asked:
            word(path, FIELD)
        _keep(message, _tree(message.DESCRIPTOR, asked))
    return message


@lru_cache(maxsize=MASKS_KEPT)
def _tree(descriptor: Any, paths: tuple[str, ...]) -> Tree:
    tree: Tree = {}
    for path in paths:
        _add(tree, path, descriptor)
    return tree | {name: {} for name in ALWAYS}


def _add(tree: Tree, path: str, descriptor: Any) -> None:
    kind: Any = descriptor
    for name in path.split("."):
        field = kind.fields_by_name.get(name) if kind else None
        if field is None:
            known = ", ".join(kind.fields_by_name) if kind else "nothing"
            raise InputError(
                "REQUEST_INVALID", f"The answer has no field {path!r}.", field=FIELD, fix=f"There is {known}."
            )
        tree = tree.setdefault(name, {})
        kind = None if _is_map(field) else field.message_type


def _keep(message: Message, tree: Tree) -> None:
    for field, value in message.ListFields():
        below = tree.get(field.name)
        if below is None:
            message.ClearField(field.name)
        elif below:
            for item in value if field.is_repeated else [value]:
                _keep(item, below)


def _is_map(field: Any) -> bool:
    kind = field.message_type
    return bool(kind and kind.GetOptions().map_entry)
