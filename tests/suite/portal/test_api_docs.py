"""The API's document names what the API does."""

import pytest
from django.test import Client

from suite.portal.api_docs import kind_of


@pytest.mark.django_db
def test_every_operation_of_the_schema_is_on_the_page() -> None:
    page = Client().get("/api/v1/docs/").content.decode()
    schema = Client().get("/api/v1/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).json()
    for path, methods in schema["paths"].items():
        assert f"<code>{path}</code>" in page
        for operation in methods.values():
            assert f'id="{operation["operationId"]}"' in page
    for name in schema["components"]["schemas"]:
        assert f"<code>{name}" in page


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string", "format": "uuid"}, "string (uuid)"),
        ({"type": ["string", "null"]}, "string | null"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Person"}}, "Person[]"),
        ({"allOf": [{"$ref": "#/components/schemas/Person"}], "readOnly": True}, "Person"),
        ({"enum": ["chair", "", "required"], "type": "string"}, "one of: chair, ∅, required"),
        ({}, "any"),
    ],
)
def test_kinds_in_words(schema: dict[str, object], words: str) -> None:
    assert kind_of(schema) == words
