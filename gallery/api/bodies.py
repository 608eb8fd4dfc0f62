"""One body for each operation in the API's description, though views take forms, too.

A client made from a description that offers the same body as JSON and as two kinds of form sends all at once.
"""

from typing import Any

JSON, MULTIPART = "application/json", "multipart/form-data"


def choose(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Leave JSON, or multipart where a file goes along; bodies that differ stay. drf-spectacular's hook."""
    schemas = result["components"]["schemas"]
    for operations in result["paths"].values():
        for operation in operations.values():
            content = operation.get("requestBody", {}).get("content", {})
            kept = MULTIPART if _has_file(content.get(MULTIPART, {}), schemas) else JSON
            if kept in content:
                same = [kind for kind, media in content.items() if media == content[kept] and kind != kept]
                for kind in same:
                    del content[kind]
            for answer in operation["responses"].values():
                _name_bytes(answer.get("content", {}))
    return result


def _name_bytes(content: dict[str, Any]) -> None:
    """Describe a file as bytes, too: generators know no pictures and no archives."""
    binary = [media for media in content.values() if media.get("schema", {}).get("format") == "binary"]
    if binary:
        content.setdefault("application/octet-stream", binary[0])


def _has_file(media: dict[str, Any], schemas: dict[str, Any]) -> bool:
    reference = media.get("schema", {}).get("$ref", "")
    fields = schemas.get(reference.rpartition("/")[2], {}).get("properties", {}).values()
    return any("binary" in (own.get("format"), own.get("items", {}).get("format")) for own in fields)
