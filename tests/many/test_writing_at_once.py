"""Two writers at once, each with a connection of its own, on the database that several machines share."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from gallery import change_log, tasks
from gallery.models import Change, Image
from gallery.models.change import install_triggers
from search.live_index import LiveIndex

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="on SQLite one writer waits for the other"),
]


@pytest.fixture
def pictures(django_user_model):
    owner = django_user_model.objects.create_user("owner", password="owner-password")
    return [
        Image.objects.create(
            owner=owner,
            filename=f"{number}.png",
            sha256=f"{number:064}",
            size_bytes=1,
            width=1,
            height=1,
            format="PNG",
        )
        for number in range(40)
    ]


class Other:
    """A transaction of another connection, which goes on step by step."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        self.error: BaseException | None = None
        self._go, self._done = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, args=steps)
        self._thread.start()

    def _run(self, *steps: Callable[[], object]) -> None:
        try:
            with transaction.atomic():
                for step in steps:
                    self._go.acquire()
                    step()
                    self._done.release()
                self._go.acquire()
        except BaseException as error:
            self.error = error
        finally:
            connection.close()
            self._done.release()

    def step(self) -> None:
        self._go.release()
        assert self._done.acquire(timeout=20)

    def end(self) -> None:
        self._go.release()
        self._thread.join(20)
        assert not self._thread.is_alive()
        if self.error:
            raise self.error


def caption(image: Image) -> Callable[[], object]:
    return lambda: Image.objects.filter(pk=image.pk).update(caption="changed")


def test_what_is_committed_late_is_not_missed(pictures):
    first, second = pictures[:2]
    reader = change_log.Reader(change_log.position())
    place = change_log.end()
    late = Other(caption(first))
    late.step()  # it has the lower number, and nobody sees it yet
    caption(second)()
    assert reader.news() == [second.pk]
    assert first.pk not in change_log.settled_after(place).values_list("image_id", flat=True)
    late.end()
    assert first.pk in reader.news()
    assert {first.pk, second.pk} <= set(change_log.settled_after(place).values_list("image_id", flat=True))
    assert reader.news() == []


def test_what_is_committed_late_is_not_thinned_out_before_it_was_read(pictures):
    image = pictures[0]
    reader = change_log.Reader(change_log.position())
    running = Other(caption(pictures[1]))
    running.step()  # the oldest transaction that runs
    late = Other(lambda: Change.objects.create(image_id=image.pk, transaction=xid()))
    late.step()
    Change.objects.create(image_id=image.pk, transaction=xid())
    reader.news()  # has read the later one
    late.end()
    change_log.thin_out()
    assert reader.news() == [image.pk]
    running.end()
    change_log.thin_out()
    assert image.pk in reader.news()


def xid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        return cursor.fetchone()[0]


def test_two_who_change_the_same_pictures_in_another_order_do_not_stand_in_each_others_way(pictures):
    """Their rows are different ones; only the log is the same."""
    one, two = pictures[:2]

    def tag(image: Image) -> Callable[[], object]:
        return lambda: Change.objects.create(image_id=image.pk, transaction=xid())

    there, back = Other(tag(one), tag(two)), Other(tag(two), tag(one))
    for writer in (there, back, there, back):
        writer.step()
    there.end()
    back.end()
    assert Change.objects.filter(image_id=one.pk).count() >= 3


def test_two_workers_claim_different_pictures(pictures):
    claimed: list[list[int]] = [[], []]

    def claim(worker: int) -> Callable[[], object]:
        return lambda: claimed[worker].extend(image.pk for image in tasks.claim(16))

    one, two = Other(claim(0)), Other(claim(1))
    one.step()
    two.step()
    one.end()
    two.end()
    assert len(claimed[0]) == len(claimed[1]) == 16
    assert not set(claimed[0]) & set(claimed[1])


def test_an_index_is_kept_up_while_a_long_transaction_runs(pictures):
    index = LiveIndex()
    long = Other(caption(pictures[5]))
    long.step()
    with index.open():
        pass
    caption(pictures[6])()
    with index.open():
        assert index.lag() == 1  # read already, and once more when the long one has ended
    long.end()
    with index.open():
        pass
    assert index.lag() == 0


def test_a_log_from_a_server_that_had_counted_further_is_not_read_again_and_again(pictures):
    Change.objects.create(image_id=pictures[0].pk, transaction=xid() + 10_000_000)
    reader = change_log.Reader(change_log.position())
    assert reader.news() == [pictures[0].pk]
    install_triggers("default")  # as `migrate` does, which a restoration ends with
    assert pictures[0].pk not in reader.news()
