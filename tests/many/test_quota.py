"""Two uploads at once, of which one still fits."""

import threading

import pytest
from django.core.files.base import ContentFile
from django.db import connection

from gallery import ingest
from gallery.models import Account, Image
from gallery.refusal import NoRoomError
from tests.conftest import drawn, encoded


@pytest.mark.django_db(transaction=True)
def test_two_uploads_at_once_do_not_pass_the_limit_together(django_user_model):
    owner = django_user_model.objects.create_user("owner", password="owner-password")
    Account.objects.create(user=owner, quota_pictures=1)
    together, outcomes = threading.Barrier(2), []

    def add(color: str) -> None:
        content = encoded(drawn(color))
        together.wait(5)
        try:
            outcomes.append(ingest.add(owner, ContentFile(content, name=f"{color}.png")).created)
        except NoRoomError:
            outcomes.append("no room")
        finally:
            connection.close()

    threads = [threading.Thread(target=add, args=[color]) for color in ("red", "blue")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(map(str, outcomes)) == ["True", "no room"]
    assert Image.objects.filter(owner=owner).count() == 1
