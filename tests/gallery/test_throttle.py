"""Guessing is slowed down on every door, and nobody pays for another one's attempts."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.test import Client, RequestFactory
from django.utils import timezone

from gallery import throttle
from gallery.client_address import client_address
from gallery.models import FailedAttempts

HOME, ELSEWHERE = "203.0.113.7", "198.51.100.9"
DOORS = {
    "page": ("/accounts/login/", {}),
    "admin": ("/admin/login/", {}),
    "API": ("/api/v1/token/", {}),
}


@pytest.fixture
def ana(db):
    person = get_user_model().objects.create_user("ana", password="right", is_staff=True)
    person.save()
    return person


def knock(door: str, password: str, address: str = HOME, username: str = "ana", **headers) -> int:
    """The status that a sign-in from this address gets; 302 or 200 with a token is a success."""
    path, _ = DOORS[door]
    response = Client(REMOTE_ADDR=address).post(
        path, {"username": username, "password": password}, headers=headers
    )
    return 302 if response.status_code == 200 and b"token" in response.content[:20] else response.status_code


def refused(door: str) -> tuple:
    return (400, 200)  # Django's admin answers a wrong password with the form


@pytest.mark.parametrize("door", DOORS)
def test_the_right_password_opens_and_few_wrong_ones_cost_nothing(ana, door):
    for _ in range(4):
        assert knock(door, "wrong") in refused(door)
    assert knock(door, "right") == 302


@pytest.mark.parametrize("door", DOORS)
def test_guessing_is_stopped_even_when_it_becomes_right(ana, door):
    for _ in range(6):
        knock(door, "wrong")
    assert knock(door, "right") != 302
    assert knock(door, "right", address=ELSEWHERE) == 302  # the person themselves is somewhere else


def test_doors_share_their_counts(ana):
    for door in DOORS:
        for _ in range(2):
            knock(door, "wrong")
    assert knock("page", "right") == 429


def test_the_wait_grows_and_ends(ana):
    waits = []
    guards = throttle.sign_in_guards(request(), "ana")
    for _ in range(12):
        throttle.counted(guards)
        waits.append(throttle.wait(guards))
    assert waits[:4] == [0] * 4
    assert waits[5:9] == sorted(waits[5:9])
    assert waits[9] > 4 * waits[6]
    FailedAttempts.objects.update(blocked_until=timezone.now() - timedelta(seconds=1))
    assert knock("page", "right") == 302


def request(address: str = HOME, **headers):
    made = RequestFactory().get("/", REMOTE_ADDR=address, headers=headers)
    made.session = SimpleNamespace(session_key=None)
    return made


def test_whoever_signed_in_lately_is_not_locked_out_by_others(ana):
    assert knock("page", "right") == 302
    for number in range(40):  # from ever other addresses, all at ana's account
        throttle.counted(throttle.sign_in_guards(request(f"198.51.100.{number}"), "ana"))
    assert knock("page", "right", address="192.0.2.1") == 429
    assert knock("page", "right") == 302


def test_nobody_behind_one_proxy_pays_for_another(ana, settings):
    """A proxy on this machine that no setting names: everybody seems to come from it."""
    for number in range(100):
        throttle.counted(throttle.sign_in_guards(request("127.0.0.1"), f"someone {number}"))
    assert knock("page", "right", address="127.0.0.1") == 302


@pytest.mark.parametrize(
    ("trusted", "remote", "forwarded", "address"),
    [
        ([], HOME, "", HOME),
        ([], HOME, "10.0.0.1", HOME),
        (["127.0.0.1"], "127.0.0.1", HOME, HOME),
        (["127.0.0.1"], "127.0.0.1", f"10.9.9.9, {HOME}", HOME),  # the client wrote the first one
        (["127.0.0.1", "10.0.0.0/8"], "127.0.0.1", f"{HOME}, 10.1.2.3", HOME),
        (["127.0.0.1"], HOME, "10.0.0.1", HOME),
        (["127.0.0.1"], "127.0.0.1", "nonsense", "nonsense"),
    ],
)
def test_only_trusted_proxies_are_believed(settings, trusted, remote, forwarded, address):
    settings.TRUSTED_PROXIES = trusted
    assert client_address(request(remote, **{"X-Forwarded-For": forwarded})) == address


def test_a_client_cannot_write_itself_another_address(ana):
    for number in range(8):
        knock("API", "wrong", **{"X-Forwarded-For": f"10.0.0.{number}"})
    assert knock("API", "right", **{"X-Forwarded-For": "10.0.0.99"}) == 429


def test_each_failure_is_a_line_in_the_log(ana, caplog):
    knock("page", "wrong")
    assert f"Failed sign-in from {HOME}" in caplog.text
    assert "wrong" not in caplog.text


def test_a_refused_sign_in_says_when_to_try_again(ana):
    for _ in range(6):
        knock("page", "wrong")
    response = Client(REMOTE_ADDR=HOME).post("/accounts/login/", {"username": "ana", "password": "right"})
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert b"Too many attempts" in response.content


def test_nobodys_mailbox_is_flooded(ana, mailoutbox):
    get_user_model().objects.filter(pk=ana.pk).update(email="ana@example.org")
    answers = [
        Client(REMOTE_ADDR=f"198.51.100.{number}").post("/accounts/reset/", {"email": "Ana@example.org"})
        for number in range(10)
    ]
    assert [answer.status_code for answer in answers] == [302] * 3 + [429] * 7
    assert len(mailoutbox) == 3


def test_counters_that_do_not_count_any_more_go(ana):
    knock("page", "wrong")
    assert throttle.forget() == "0 counters removed"
    FailedAttempts.objects.update(failed_at=timezone.now() - timedelta(hours=2))
    assert throttle.forget() == "3 counters removed"


def test_names_are_not_stored(ana):
    knock("page", "wrong", username="my-password-by-mistake")
    assert all(len(row.key) == 64 for row in FailedAttempts.objects.all())


def test_pages_of_signed_in_people_are_not_kept(page, api, client):
    assert page.get("/")["Cache-Control"] == "private, no-store"
    assert api.get("/api/v1/images/")["Cache-Control"] == "private, no-store"
    assert "no-store" not in page.get("/images/1/thumbnail/small").get("Cache-Control", "")


@pytest.mark.parametrize("door", DOORS)
def test_of_many_guesses_at_once_each_sees_those_before_it(ana, door, monkeypatch):
    """Every request has begun before the first password was looked at."""
    looked = []

    def guess(number: int):
        def authenticate(*args, **kwargs):
            looked.append(number)
            if number < 30:
                guess(number + 1)

        with monkeypatch.context() as patch:
            for module in ("django.contrib.auth.forms", "rest_framework.authtoken.serializers"):
                patch.setattr(f"{module}.authenticate", authenticate)
            knock(door, "wrong")

    guess(0)
    assert len(looked) == 5
    assert throttle.wait(throttle.sign_in_guards(request(), "ana")) > 0


def test_a_success_takes_back_what_it_counted(ana):
    for _ in range(70):
        assert knock("page", "right") == 302
    counts = FailedAttempts.objects.values_list("failures", "blocked_until")
    assert set(counts) == {(0, None)}
