"""Readers of the log of changes miss nothing, whoever writes at once, and it does not grow for ever."""

import pytest
from django.db import connection

from gallery import change_log
from gallery.models import Change, Image
from tests.conftest import one_machine

pytestmark = [pytest.mark.django_db, pytest.mark.many]


def changed(image: Image) -> None:
    Image.objects.filter(pk=image.pk).update(caption="changed")


def test_a_reader_gets_what_changed_since_it_asked_last_each_image_once(photo):
    coffee, moon = photo("coffee"), photo("moon")
    reader = change_log.Reader(change_log.position())
    reader.news()
    changed(coffee)
    changed(coffee)
    changed(moon)
    assert sorted(reader.news()) == sorted([coffee.pk, moon.pk])
    if connection.vendor == "sqlite":
        assert reader.news() == []
    changed(moon)
    assert moon.pk in reader.news()


@one_machine
def test_the_log_is_thinned_out_to_one_change_an_image(photo, monkeypatch):
    monkeypatch.setattr(change_log, "THINNED", 7)
    image, other = photo("coffee"), photo("moon")
    for caption in "abc":
        Image.objects.filter(pk__in=[image.pk, other.pk]).update(caption=caption)
    last = Change.objects.order_by("-seq").values_list("seq", flat=True)[0]
    change_log.thin_out()
    assert Change.objects.filter(image_id__in=[image.pk, other.pk]).count() == 2
    assert Change.objects.count() == Change.objects.values("image_id").distinct().count()
    assert Change.objects.filter(seq=last).exists()
    assert change_log.thin_out() == "0 changes removed"


def test_a_reader_from_before_reads_every_image_after_thinning_out(photo):
    coffee, moon = photo("coffee"), photo("moon")
    position = change_log.position()
    for image in (coffee, moon, coffee):
        changed(image)
    change_log.thin_out()
    assert {coffee.pk, moon.pk} <= set(change_log.images_since(position))


def test_a_reader_of_another_database_is_told(photo):
    reader = change_log.Reader(change_log.position() + 10_000_000)
    with pytest.raises(ValueError, match="than"):
        reader.news()
