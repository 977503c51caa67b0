"""Pages of the HTTP port that are no calls: /healthz for probes, and /openapi.json, its calls in OpenAPI 3.1."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from tariffs.engine.base.provenance import engine_version
from tariffs.service.server.web.connect_methods import path_of

Schema = dict[str, Any]
_INTEGER: Schema = {"type": "integer"}
_LONG: Schema = {"type": ["string", "integer"], "format": "int64"}
_NUMBER: Schema = {"type": ["number", "string"]}
_TEXT: Schema = {"type": "string"}
_SCALARS: dict[int, Schema] = {
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
    FieldDescriptor.TYPE_DOUBLE: _NUMBER,
    FieldDescriptor.TYPE_FLOAT: _NUMBER,
    FieldDescriptor.TYPE_INT32: _INTEGER,
    FieldDescriptor.TYPE_INT64: _LONG,
    FieldDescriptor.TYPE_STRING: _TEXT,
    FieldDescriptor.TYPE_UINT32: _INTEGER,
    FieldDescriptor.TYPE_UINT64: _LONG,
}
_WELL_KNOWN: dict[str, Schema] = {
    "google.protobuf.Any": {"type": "object"},
    "google.protobuf.Duration": _TEXT,
    "google.protobuf.Empty": {"type": "object"},
    "google.protobuf.FieldMask": _TEXT,
    "google.protobuf.Struct": {"type": "object"},
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Value": {},
}
"""Messages that JSON has a form of its own for: https://protobuf.dev/programming-guides/json."""
_ERROR: Schema = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {
        "code": {"type": "string", "description": "code of gRPC in small letters, such as invalid_argument"},
        "message": _TEXT,
        "details": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"type": _TEXT, "value": _TEXT, "debug": {"type": "object"}},
            },
        },
    },
}
_TEXTS = {
    "title": "tariffs",
    "description": "Calls with one answer, in JSON; match on the reason of an error, in the first of its details. "
    "Streams need a client of Connect or gRPC-Web.",
}
HEALTH, DESCRIPTION = "/healthz", "/openapi.json"


def description(services: Iterable[str]) -> Schema:
    """Return the description of all calls with one request and one answer, of services by their full names."""
    pool = descriptor_pool.Default()
    methods = [
        method
        for name in services
        for method in pool.FindServiceByName(name).methods
        if not (method.client_streaming or method.server_streaming)
    ]
    schemas: Schema = {"Error": _ERROR}
    for method in methods:
        _add(method.input_type, schemas)
        _add(method.output_type, schemas)
    return {
        "openapi": "3.1.0",
        "info": {**_TEXTS, "version": engine_version()},
        "paths": {path_of(method): {"post": _operation(method)} for method in methods},
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"bearer": []}, {}],
    }


def _operation(method: MethodDescriptor) -> Schema:
    service = method.containing_service.name
    return {
        "operationId": f"{service}_{method.name}",
        "tags": [service],
        "requestBody": {"required": True, **_content(_of_message(method.input_type))},
        "responses": {
            "200": {"description": "the answer", **_content(_of_message(method.output_type))},
            "default": {"description": "an error", **_content({"$ref": _place("Error")})},
        },
    }


def _content(schema: Schema) -> Schema:
    return {"content": {"application/json": {"schema": schema}}}


def _place(name: str) -> str:
    return f"#/components/schemas/{name}"


def _of_message(message: Descriptor) -> Schema:
    known = _WELL_KNOWN.get(message.full_name)
    return {"$ref": _place(message.full_name)} if known is None else known


def _add(message: Descriptor, schemas: Schema) -> None:
    if message.full_name in schemas or message.full_name in _WELL_KNOWN:
        return
    schemas[message.full_name] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _of_field(field) for field in message.fields for name in _names(field)},
    }
    for field in message.fields:
        kept = _map_value(field) or field
        if kept.message_type is not None:
            _add(kept.message_type, schemas)


def _names(field: FieldDescriptor) -> Iterator[str]:
    """Yield the names of a field: answers have the first, requests may have both."""
    yield field.json_name
    if field.name != field.json_name:
        yield field.name


def _of_field(field: FieldDescriptor) -> Schema:
    value = _map_value(field)
    if value is not None:
        return {"type": "object", "additionalProperties": _of_one(value)}
    return {"type": "array", "items": _of_one(field)} if field.is_repeated else _of_one(field)


def _of_one(field: FieldDescriptor) -> Schema:
    if field.message_type is not None:
        return _of_message(field.message_type)
    if field.enum_type is not None:
        return {"type": "string", "enum": [value.name for value in field.enum_type.values]}
    return _SCALARS[field.type]


def _map_value(field: FieldDescriptor) -> FieldDescriptor | None:
    """Return the field of a map's values; None for a field that is no map."""
    message = field.message_type
    if message is None or not message.GetOptions().map_entry:
        return None
    value: FieldDescriptor = message.fields_by_name["value"]
    return value


class Page(NamedTuple):
    """HTTP status and JSON body of a page."""

    status: int
    body: bytes


Pages = Mapping[str, Callable[[], Page]]


def pages_of(services: Iterable[str], is_serving: Callable[[], bool], *, described: bool) -> Pages:
    """Make the pages by path.

    Args:
        described: True if callers may have the description.
    """
    named = tuple(services)

    def health() -> Page:
        return (
            Page(200, b'{"status": "SERVING"}') if is_serving() else Page(503, b'{"status": "NOT_SERVING"}')
        )

    @cache
    def openapi() -> Page:
        return Page(200, json.dumps(description(named)).encode())

    return {HEALTH: health, **({DESCRIPTION: openapi} if described else {})}
