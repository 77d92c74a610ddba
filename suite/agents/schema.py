"""How the API's document describes tokens, their scopes and refusals; imported at start-up so that drf-spectacular knows it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from suite.agents.problems import CONTENT_TYPE
from suite.agents.scopes import required_scope

METHODS = ("get", "post", "put", "patch", "delete")

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "A refusal (RFC 9457). Some kinds have members of their own: `scope`, `meeting` (the state that is now).",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "description": "`about:blank`, or `urn:suite:problem:` and the kind"},
        "title": {"type": "string", "description": "The status in words"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong, in the caller's language"},
        "errors": {"type": "object", "description": "By field: what to correct", "additionalProperties": True},
        "pointers": {
            "type": "array",
            "description": "The same, one by one, each with its place: all that is known to be wrong",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer into the body: `#/attendees/0/email`"},
                    "parameter": {"type": "string", "description": "Or the parameter of the address"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}

# Beside what each operation says itself. 401 and 403 are every operation's.
COMMON = {
    "401": "No token, or one that is not valid",
    "403": "`missing-scope`: the token may not; or the act is not the caller's",
    "406": "Accept names no `application/json`",
    "429": "`throttled`: too many requests with this token; `Retry-After` says for how many seconds",
}
WITH_ID = {"404": "There is no such thing, or it is not the caller's to see"}
PAGED = {"404": "`cursor` is no page's; or there is no such thing"}
WITH_BODY = {
    "400": "The body or a field of it is not right; `errors` names the fields",
    "413": "More than 4 MiB",
    "415": "The body is not `application/json`",
}
WITH_QUERY = {"400": "A parameter is not right; `errors` names it"}
WITH_KEY = {"422": "`idempotency-key-reused`: the key was used for another body"}
STALE = {"412": "`precondition-failed`: If-Match names a version that is no longer the current one; `meeting` is"}


class PersonalTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "suite.agents.tokens.PersonalTokenAuthentication"
    name = "personalToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A personal token, made under Réglages."}

    def get_security_requirement(self, auto_schema: AutoSchema) -> dict[str, list[str]]:
        """With the scope that the operation wants (OpenAPI 3.1: role names for schemes without OAuth)."""
        scope = required_scope(auto_schema.view, auto_schema.method)
        return {self.name: [scope] if scope else []}


class PortalSessionScheme(SessionScheme):  # type: ignore[no-untyped-call]
    target_class = "suite.agents.sessions.PortalSessionAuthentication"


def say_null_as_3_1_does(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A postprocessing hook: the framework's pages of lists say `nullable`, which OpenAPI 3.1 does not know."""
    for schema in result["components"]["schemas"].values():
        for member in schema.get("properties", {}).values():
            if member.pop("nullable", False):
                member["type"] = [member["type"], "null"]
    return result


def describe_refusals(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A postprocessing hook: the problem document of every refusal that an operation may give."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            if method not in METHODS or not operation.get("security"):
                continue
            parameters = operation.get("parameters", [])
            places = {parameter["in"] for parameter in parameters}
            names = {parameter["name"] for parameter in parameters}
            refusals = dict(COMMON)
            if "{" in path:
                refusals |= WITH_ID
            if "cursor" in names:
                refusals |= PAGED
            if "query" in places:
                refusals |= WITH_QUERY
            if "requestBody" in operation:
                refusals |= WITH_BODY
            if "Idempotency-Key" in names:
                refusals |= WITH_KEY
            if "If-Match" in names:
                refusals |= STALE
            said = operation["responses"]
            for status, words in refusals.items():
                said.setdefault(status, {"description": words})
            for status, answer in said.items():
                if status[0] in "45":
                    answer["content"] = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
            operation["responses"] = dict(sorted(said.items()))
    return result
