"""The API's document as a page in the portal's own frame, read from the schema itself: light and dark, phone, keyboard."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.generators import SchemaGenerator

from suite.agents.scopes import SCOPES

METHODS = ("get", "post", "put", "patch", "delete")
SCHEME = "personalToken"


@dataclass(frozen=True)
class Field:
    """A parameter, or a member of a JSON object."""

    name: str
    kind: str
    required: bool
    words: str
    place: str = ""


@dataclass(frozen=True)
class Answer:
    status: str
    schema: str
    words: str = ""


@dataclass(frozen=True)
class Example:
    """JSON as it is sent or answered."""

    title: str
    text: str


@dataclass(frozen=True)
class Operation:
    identifier: str
    method: str
    path: str
    words: str
    parameters: tuple[Field, ...]
    body: str
    answers: tuple[Answer, ...]
    scope: str = ""
    sent: tuple[Example, ...] = ()
    answered: tuple[Example, ...] = ()


@dataclass(frozen=True)
class Shape:
    """A named JSON object of the schema; an enumeration has words and no fields."""

    name: str
    words: str
    fields: tuple[Field, ...]


def kind_of(schema: dict[str, Any]) -> str:
    """A schema in a few words: `string (uuid)`, `Person[]`, `one of: chair, required`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    for several in ("allOf", "oneOf", "anyOf"):
        if several in schema:
            return " | ".join(kind_of(part) for part in schema[several])
    if "enum" in schema:
        return "one of: " + ", ".join(str(value) or "∅" for value in schema["enum"])
    kind = schema.get("type", "any")
    if isinstance(kind, list):
        return " | ".join(kind)
    if kind == "array":
        return f"{kind_of(schema.get('items', {}))}[]"
    return f"{kind} ({schema['format']})" if "format" in schema else str(kind)


def body_of(content: dict[str, Any]) -> str:
    """The schema that a request or an answer carries, in words; empty when it carries none."""
    media = next(iter(content.get("content", {}).values()), None)
    return kind_of(media["schema"]) if media else ""


def examples_of(content: dict[str, Any]) -> tuple[Example, ...]:
    """The examples that a request or an answer carries."""
    media: dict[str, Any] = next(iter(content.get("content", {}).values()), {})
    return tuple(
        Example(
            example.get("summary", name),
            json.dumps(example["value"], ensure_ascii=False, indent=2, cls=DjangoJSONEncoder),
        )
        for name, example in media.get("examples", {}).items()
    )


def scope_of(operation: dict[str, Any]) -> str:
    """The scope that a token needs; empty for an operation that wants no token."""
    return next((scope for one in operation.get("security", []) for scope in one.get(SCHEME, [])), "")


@lru_cache(maxsize=1)
def read_schema() -> tuple[tuple[Operation, ...], tuple[Shape, ...]]:
    """Every operation and every named object, in the schema's order."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    schema: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    operations = tuple(
        Operation(
            identifier=operation["operationId"],
            method=method.upper(),
            path=path,
            words=operation.get("description", ""),
            parameters=tuple(
                Field(p["name"], kind_of(p["schema"]), p.get("required", False), p.get("description", ""), p["in"])
                for p in operation.get("parameters", [])
            ),
            body=body_of(operation.get("requestBody", {})),
            answers=tuple(
                Answer(status, "" if status[0] in "45" else body_of(answer), answer.get("description", ""))
                for status, answer in operation["responses"].items()
            ),
            scope=scope_of(operation),
            sent=examples_of(operation.get("requestBody", {})),
            answered=tuple(
                example
                for status, answer in operation["responses"].items()
                if status[0] == "2"
                for example in examples_of(answer)
            ),
        )
        for path, by_method in schema["paths"].items()
        for method, operation in by_method.items()
        if method in METHODS
    )
    shapes = tuple(
        Shape(
            name,
            shape.get("description", "") if "properties" in shape else kind_of(shape),
            tuple(
                Field(key, kind_of(value), key in shape.get("required", []), value.get("description", ""))
                for key, value in shape.get("properties", {}).items()
            ),
        )
        for name, shape in schema["components"]["schemas"].items()
    )
    return operations, shapes


@login_not_required
def api_docs(request: HttpRequest) -> HttpResponse:
    """/api/v1/docs/, open to everybody, like the schema."""
    operations, shapes = read_schema()
    context = {
        "operations": operations,
        "shapes": shapes,
        "scopes": SCOPES.items(),
        "portal_url": settings.PORTAL_URL,
    }
    return render(request, "portal/api_docs.html", context)
