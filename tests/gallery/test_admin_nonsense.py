"""Whatever is typed into the admin site, it answers with a page, and never with a 500."""

import pytest
from django.contrib import admin


def tries(model, options, person, junk: str, pk: int):
    """(method, address, fields) of everything that a form or an address of this list can be."""
    base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    fields = {field.name: junk for field in model._meta.fields}
    yield "get", f"{base}{junk.replace(chr(0), '%00')}/change/", {}
    for name in ("q", "p", "o", "id__exact", "owner__id__exact", "album", "created_at__gte", "_to_field"):
        yield "get", base, {name: junk}
    for method in ("get", "post"):
        yield method, f"{base}add/", fields
    if first := model._default_manager.first():
        yield "post", f"{base}{first.pk}/change/", fields
    asked = type("Request", (), {"user": person, "GET": {}, "POST": {}})()
    filled = dict.fromkeys(("owner", "album", "tag", "taken", "place", "instead"), junk)
    for action in options.get_actions(asked):
        yield "post", base, {"action": action, "_selected_action": [junk]}
        for chosen in (junk, pk):
            given = {"action": action, "_selected_action": [chosen], "apply": "1", "post": "yes"}
            yield "post", base, given | filled


@pytest.mark.parametrize("junk", ["zzz", "9" * 30, "-1", "\0"])
def test_nonsense_is_no_fault_of_the_server(client, administrator, photo, junk):
    client.force_login(administrator)
    client.raise_request_exception = False
    failed = []
    for model, options in admin.site._registry.items():
        for method, address, fields in tries(model, options, administrator, junk, photo("coffee").pk):
            if getattr(client, method)(address, fields).status_code >= 500:
                failed.append((method, address, fields))
    assert not failed
