"""What the person who runs the site does by manage.py, and what the admin site's front page tells them."""

import contextlib
import re
import time

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from gallery import trash
from gallery.models import Account, Image, WorkerState
from picfusion_site import overview
from tests.gallery.test_pages import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def manage(capsys):
    def run(*arguments: str) -> str:
        call_command(*arguments)
        return capsys.readouterr().out

    return run


def test_people_are_added_and_sign_in(manage):
    said = manage("people", "add", "ana", "--email", "ana@example.org")
    password = said.split()[-1]
    assert Client().login(username="ana", password=password)
    assert not User.objects.get(username="ana").is_staff
    with pytest.raises(CommandError, match="already"):
        manage("people", "add", "ana")
    with pytest.raises(CommandError, match="valid username"):
        manage("people", "add", "a b/c")
    with pytest.raises(CommandError, match="email: "):
        manage("people", "add", "carla", "--email", "nonsense")
    with pytest.raises(CommandError, match="username: "):
        manage("people", "add", "c" * 151)
    assert not User.objects.filter(username__startswith="c", email="nonsense").exists()
    with pytest.raises(CommandError, match="ana is no administrator"):
        manage("people", "invite", "--by", "ana")
    manage("people", "add", "boss", "--admin")
    assert User.objects.get(username="boss").is_superuser


def test_people_are_invited(manage, administrator):
    address = manage("people", "invite", "--by", administrator.username, "--site", "https://pics.example")
    path = address.strip().removeprefix("https://pics.example")
    assert Client().get(path).status_code == 200
    for wrong in (("--by", "nobody"), ("--by", administrator.username, "--days", "0")):
        with pytest.raises(CommandError):
            manage("people", "invite", *wrong)


def test_quotas_are_set_shown_and_taken_back(manage, curator):
    assert "500 MB, 20 pictures" in manage("people", "quota", "curator", "--mb", "500", "--pictures", "20")
    assert "as the setting says MB, 20" in manage("people", "quota", "curator", "--mb", "default")
    assert manage("people", "quota", "curator").startswith("curator: as the setting says")
    account = Account.objects.get(user=curator)
    assert (account.quota_mb, account.quota_pictures) == (None, 20)
    for wrong in ("-1", "x", "9" * 12):
        with pytest.raises(CommandError):
            manage("people", "quota", "curator", f"--mb={wrong}")


def test_accounts_are_switched_off_but_not_the_last_administrators(manage, curator):
    User.objects.filter(is_superuser=True).delete()
    boss = User.objects.create_superuser("boss", password="olives-and-bread")
    manage("people", "deactivate", "curator")
    curator.refresh_from_db()
    assert not curator.is_active
    with pytest.raises(CommandError, match="last administrator"):
        manage("people", "deactivate", boss.username)


def test_failed_pictures_are_read_again(manage, curator, photo):
    Image.objects.filter(pk=photo("coffee").pk).update(status="failed", error="crashed", attempts=3)
    assert manage("images", "retry", "--owner", "curator").startswith("1 pictures")
    assert Image.objects.get(pk=photo("coffee").pk).status == "pending"


def test_pictures_change_hands(manage, curator, stranger, photo):
    pk = photo("coffee").pk
    assert "1 pictures are stranger's now" in manage(
        "images", "reassign", "--from", "curator", "--to", "stranger", str(pk)
    )
    assert Image.objects.get(pk=pk).owner == stranger
    rest = Image.objects.filter(owner=curator).count()
    for missing in (str(pk), str(10**30), "-1"):  # it is the stranger's already; no number of a picture's
        with pytest.raises(CommandError, match="has no picture"):
            call_command("images", "reassign", "--from", "curator", "--to", "stranger", "--", missing)
    assert f"{rest} pictures are" in manage("images", "reassign", "--from", "curator", "--to", "stranger")


def test_the_trash_is_emptied(manage, curator, photo):
    pk = photo("coffee").pk
    trash.move(Image.objects.filter(pk=pk))
    assert manage("trash", "empty", "--older-than", "1").startswith("0 ")
    assert manage("trash", "empty", "--owner", "curator").startswith("1 ")
    assert not Image.objects.filter(pk=pk).exists()


def test_the_doctor_says_what_is_wrong_and_what_to_do(manage, capsys):
    WorkerState.objects.all().delete()
    with pytest.raises(CommandError, match="does not work"):
        manage("doctor")
    said = capsys.readouterr().out
    assert "WRONG  worker: no worker runs" in said
    assert "manage.py worker" in said
    assert "good   database" in said
    assert "set HTTPS=on" in said


def test_the_doctor_looks_at_the_watched_folders(manage, settings, capsys, tmp_path, curator):
    settings.WATCH_FOLDERS = [(tmp_path / "gone", "curator"), (tmp_path, "nobody")]
    with contextlib.suppress(CommandError):
        manage("doctor")
    said = capsys.readouterr().out
    assert f"{tmp_path / 'gone'} is not there" in said
    assert f"{tmp_path} is not there" not in said
    assert "WATCH_FOLDERS names nobody's account: nobody\n" in said


def test_what_is_in_the_trash_is_not_called_searchable(client, administrator, photo):
    Image.objects.all().update(status="ready")
    trash.move(Image.objects.filter(pk=photo("coffee").pk))
    left = Image.objects.filter(trashed_at__isnull=True).count()
    client.force_login(administrator)
    assert f"{left} searchable" in text_of(client.get("/admin/"))


def test_the_front_page_of_the_admin_site_tells_all(
    client, administrator, photo, django_assert_max_num_queries
):
    Image.objects.filter(pk=photo("coffee").pk).update(status="failed", error="crashed")
    client.force_login(administrator)
    with django_assert_max_num_queries(30):
        said = text_of(client.get("/admin/"))
    assert "1 failed" in said
    assert "no worker runs" in said
    assert re.search(r"version \d+\.\d+", said)
    assert "Processing this picture crashed repeatedly. 1 Retry" in said
    assert re.search(r"curator [\d.]+\sMB in 21 pictures", said)


@pytest.mark.parametrize("language", ["de", "pt-br"])
def test_the_front_page_speaks_the_persons_language(language, client, administrator, curator, photo):
    """Every text of its own: what is the same in both languages is a name or a number."""
    client.force_login(administrator)
    Image.objects.filter(pk=photo("coffee").pk).update(status="failed", error="missing")
    Image.objects.filter(pk=photo("rocket").pk).update(status="pending")

    def texts(language: str) -> set[str]:
        answer = client.get("/admin/", headers={"Accept-Language": language})
        front = answer.content.decode().split('<div class="module">', 1)[1].split('id="content-related"')[0]
        own, _applications = front.split("</div>\n\n", 1)
        return {text.strip(" \n✓⚠") for text in re.split(r"<[^>]+>", own) if re.search("[a-z]{3}", text)}

    names = {"curator", "https", "lite/2", "worker", "backup"}  # the last two are Portuguese, too
    assert texts("en") & texts(language) <= names


def test_the_front_page_tells_quotas(client, administrator, curator):
    Account.objects.update_or_create(user=curator, defaults={"quota_mb": 500})
    client.force_login(administrator)
    assert re.search(r"curator [\d.]+\sMB of [\d.]+\sMB in 21 pictures", text_of(client.get("/admin/")))


def test_the_front_page_retries_what_failed_for_one_reason(client, administrator, photo):
    Image.objects.filter(pk=photo("coffee").pk).update(status="failed", error="crashed")
    Image.objects.filter(pk=photo("rocket").pk).update(status="failed", error="missing")
    client.force_login(administrator)
    front = client.get("/admin/").content.decode()
    [address] = re.findall(r'action="(/admin/gallery/image/\?[^"]*crashed)"', front)
    names = dict(
        re.findall(
            r'<input type="hidden" name="(action|select_across|index|_selected_action)" value="(.*?)">', front
        )
    )
    client.post(address.replace("&amp;", "&"), names)
    assert Image.objects.get(pk=photo("coffee").pk).status == "pending"
    assert Image.objects.get(pk=photo("rocket").pk).status == "failed"


def test_the_front_page_tells_the_rate_and_what_is_left(client, administrator, photo, monkeypatch):
    waiting = Image.objects.exclude(pk=photo("coffee").pk)
    waiting.update(status="pending")
    now = time.time()
    monkeypatch.setattr(overview.time, "time", lambda: now)
    client.force_login(administrator)
    assert "a minute" not in text_of(client.get("/admin/"))
    Image.objects.filter(pk__in=list(waiting.values_list("pk", flat=True)[:10])).update(status="ready")
    now += 30
    assert "20 a minute, about 1 minute more" in text_of(client.get("/admin/"))
