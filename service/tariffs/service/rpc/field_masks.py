"""Apply field masks to responses, also below repeated fields (`layers.amount`)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, TypeVar

from google.protobuf.message import Message

from tariffs.service.rpc.checks import few, word
from tariffs.service.wire.status import request_invalid

Tree = dict[str, "Tree"]
AnyMessage = TypeVar("AnyMessage", bound=Message)
FIELD = "read_mask"
ALWAYS = ("provenance",)
MASKS_KEPT = 256
PATHS_LIMIT = 100


def trim(message: AnyMessage, paths: Iterable[str]) -> AnyMessage:
    """Clear all fields but those of `paths` and the provenance, in place; without paths keep all fields.

    Raises:
        InputError: REQUEST_INVALID for an unknown path.
    """
    mask = tuple(paths)
    if mask:
        few(mask, FIELD, PATHS_LIMIT)
        for path in mask:
            word(path, FIELD)
        _keep(message, _tree(message.DESCRIPTOR, mask))
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
            raise request_invalid(f"The response has no field {path!r}.", FIELD, f"Fields here: {known}.")
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
