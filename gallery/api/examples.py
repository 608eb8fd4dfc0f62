"""An example for every body of the API's description, made from its own schema.

So it can neither be forgotten nor go wrong: what a field's name says decides its value, then its format and
type.
"""

from typing import Any

VALUES: dict[str, Any] = {
    "filename": "IMG_2041.jpg", "name": "Dogs at the sea", "title": "Corsica", "tag": "dog",
    "q": "dog #beach", "text": "a dog on a beach", "caption": "Bella at the sea",
    "username": "ana", "owner": "ana", "email": "ana@example.com",
    "password": "a long sentence", "token": "picfusion_6SEltoQ", "key": "picfusion_6SEltoQ",
    "taken": "2024-05-17 10:00:00", "place": "Calvi, Corsica, France", "month": "2024-05",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "cursor": "1042-3f9a2b", "confidence": 0.92, "score": 0.71, "width": 4032, "height": 3024,
    "size_bytes": 3145728, "order": "taken", "address": "q=dog", "message": "What a day!",
    "weights": {"text": 2}, "phrases": {"red boat": 2}, "tag_weights": {"dog": 2},
    "location": [42.57, 8.76], "limit": 50, "offset": 0,
}  # fmt: skip
FORMATS: dict[str, Any] = {
    "date-time": "2044-05-17T10:00:00Z",  # links and tokens that end, end in the future
    "date": "2024-05-17",
    "uri": "https://pictures.example.com/api/v1/images/5/",
    "uuid": "2f1c9d1e-7c0e-4c52-9a53-0d5b3f2b8a11",
    "email": "ana@example.com",
}
DEEPEST = 6  # objects within each other


def add(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Give each JSON and form body of the description an example; drf-spectacular's hook."""
    schemas = result["components"]["schemas"]
    for operations in result["paths"].values():
        for operation in operations.values():
            bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
            for content in (body.get("content", {}) for body in bodies):
                for kind, media in content.items():
                    if "schema" in media and ("json" in kind or "form" in kind):
                        media.setdefault("example", example(media["schema"], schemas))
            for parameter in operation.get("parameters", []):
                value = example(parameter["schema"], schemas, parameter["name"])
                if parameter["in"] == "path":
                    parameter.setdefault("example", value)
    return result


def example(schema: dict[str, Any], schemas: dict[str, Any], name: str = "", depth: int = 0) -> Any:
    """Return a value that the schema allows, for a field of this name."""
    while "$ref" in schema or len(schema.get("allOf", [])) == 1 or schema.get("oneOf"):
        inner = schema.get("allOf") or schema.get("oneOf")
        schema = inner[0] if inner else schemas[schema["$ref"].rpartition("/")[2]]
    if "example" in schema or "default" in schema:
        return schema.get("example", schema.get("default"))
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    if kind == "array":
        item = example(schema.get("items", {}), schemas, name.rstrip("s"), depth + 1)
        return VALUES[name] if isinstance(VALUES.get(name), list) else [item]
    if kind == "object":
        return _object(schema, schemas, name, depth)
    return False if kind == "boolean" else _plain(schema, kind, name)


def _plain(schema: dict[str, Any], kind: str, name: str) -> Any:
    """Return a text or a number, within its limits."""
    known = VALUES.get(name)
    if kind == "string":
        given = FORMATS.get(schema.get("format", "")) or (known if isinstance(known, str) else "") or name
        return given[: schema.get("maxLength", 200)]
    number = known if isinstance(known, int | float) else 5
    return max(schema.get("minimum", number), min(number, schema.get("maximum", number)))


def _object(schema: dict[str, Any], schemas: dict[str, Any], name: str, depth: int) -> Any:
    known = VALUES.get(name)
    if "properties" not in schema:
        return known if isinstance(known, dict) else {}
    needed = schema.get("required", [])
    fields = schema["properties"].items() if depth < DEEPEST else []
    return {
        field: example(own, schemas, field, depth + 1)
        for field, own in fields
        if field in needed or depth == 0 or not own.get("nullable")
    }
