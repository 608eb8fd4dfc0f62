"""Who helps to run the site does much, but becomes no administrator and sees nobody's pictures."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command

from gallery import access, access_tokens, helpers
from gallery.models import AccessToken, Account, Image, ShareLink, Tag, TagDecision


@pytest.fixture
def helper(stranger):
    helpers.make(stranger)
    return stranger


@pytest.fixture
def desk(client, helper):
    """A browser signed in as the helper."""
    client.force_login(helper)
    return client


def form_of(person, **changed):
    """What the form of a person sends."""
    rows = {"TOTAL_FORMS": 1, "INITIAL_FORMS": 0, "MIN_NUM_FORMS": 0, "MAX_NUM_FORMS": 1}
    told = {f"account-{name}": value for name, value in rows.items()} | {"account-0-user": person.pk}
    joined = {"date_joined_0": "2026-01-01", "date_joined_1": "10:00:00"}
    return {"username": person.username, "is_active": "on"} | told | joined | changed


LISTS = {
    "auth/user": 200, "gallery/invitation": 200, "gallery/sharelink": 200, "gallery/accesstoken": 200,
    "gallery/tag": 200, "gallery/tagdecision": 200, "gallery/auditentry": 200,
    "gallery/image": 403, "gallery/album": 403, "search/savedsearch": 403, "auth/group": 403,
}  # fmt: skip


@pytest.mark.parametrize(("place", "status"), LISTS.items())
def test_what_helpers_look_after(desk, place, status):
    assert desk.get(f"/admin/{place}/").status_code == status


def test_the_front_page_leads_helpers_nowhere_they_may_not_go(desk, curator):
    Image.objects.update(status=Image.Status.FAILED, error=Image.Failure.MEMORY)
    page = desk.get("/admin/").content.decode()
    assert "failed" in page
    assert "/admin/gallery/image/" not in page


def test_helpers_see_nobodys_pictures(desk, photo):
    assert desk.get(f"/images/{photo('coffee').pk}/thumbnail/small").status_code == 404
    decision = TagDecision.objects.create(name="espresso", threshold=0.1)
    page = desk.get(f"/admin/gallery/tagdecision/{decision.pk}/change/")
    assert page.status_code == 200
    assert b"coffee" not in page.content


def test_helpers_set_quotas_but_cannot_sign_in_as_others(desk, curator):
    said = {"account-0-quota_mb": 7, "email": "helper@example.org"}
    answer = desk.post(f"/admin/auth/user/{curator.pk}/change/", form_of(curator, **said))
    assert answer.status_code == 302, answer.context["errors"]
    assert Account.objects.get(user=curator).quota_mb == 7
    chosen = {"password1": "another-password", "password2": "another-password", "usable_password": "true"}
    assert desk.post(f"/admin/auth/user/{curator.pk}/password/", chosen).status_code == 403
    assert desk.get("/admin/auth/user/add/").status_code == 403
    curator.refresh_from_db()
    assert (curator.email, curator.check_password("curator-password")) == ("", True)


def test_helpers_find_no_secret_out_by_filtering(desk, curator, photo):
    link = ShareLink(owner=curator, title="Holidays")
    link.set_password("sesame")
    link.new_token()
    link.save()
    token, _key = access_tokens.create(curator, "laptop")
    for place in (
        f"sharelink/?password__startswith={link.password[:9]}",
        f"sharelink/?token_hash__startswith={link.token_hash[:4]}",
        f"accesstoken/?digest__startswith={token.digest[:4]}",
        f"accesstoken/?user__password__startswith={curator.password[:6]}",
    ):
        answer = desk.get(f"/admin/gallery/{place}")
        assert answer.status_code in (302, 400), place


def test_helping_needs_no_group_that_is_there(db, capsys):
    Group.objects.all().delete()
    call_command("people", "add", "berta", "--helper")
    assert "The password" in capsys.readouterr().out
    assert User.objects.get(username="berta").groups.get().permissions.exists()


def test_helpers_make_nobody_an_administrator(desk, curator, helper):
    rights = {"is_staff": "on", "is_superuser": "on", "groups": [Group.objects.get().pk]}
    desk.post(f"/admin/auth/user/{curator.pk}/change/", form_of(curator, **rights))
    desk.post("/admin/auth/user/", {"action": "let_help", "_selected_action": [curator.pk]})
    curator.refresh_from_db()
    assert (curator.is_staff, curator.is_superuser, curator.groups.count()) == (False, False, 0)
    desk.post(f"/admin/auth/user/{helper.pk}/change/", form_of(helper, **rights))
    helper.refresh_from_db()
    assert not helper.is_superuser


@pytest.mark.parametrize("which", ["administrator", "another helper"])
def test_helpers_change_no_account_of_those_who_run_the_site(desk, administrator, which):
    person = administrator
    if which == "another helper":
        person = User.objects.create_user("bert", password="bert-password")
        helpers.make(person)
    before = person.password
    assert (
        desk.post(f"/admin/auth/user/{person.pk}/change/", form_of(person, email="me@x.org")).status_code
        == 403
    )
    chosen = {"password1": "another-password", "password2": "another-password", "usable_password": "true"}
    assert desk.post(f"/admin/auth/user/{person.pk}/password/", chosen).status_code == 403
    desk.post("/admin/auth/user/", {"action": "deactivate", "_selected_action": [person.pk]})
    person.refresh_from_db()
    assert (person.password, person.email, person.is_active) == (before, "", True)
    token, _key = access_tokens.create(person, "laptop")
    assert desk.post(f"/admin/gallery/accesstoken/{token.pk}/delete/", {"post": "yes"}).status_code in (
        302,
        404,
    )
    assert AccessToken.objects.filter(pk=token.pk).exists()


def test_whoever_may_delete_people_as_a_helper_deletes_no_helper(helper, administrator, curator):
    helper.user_permissions.add(Permission.objects.get(codename="delete_user"))
    helper = User.objects.get(pk=helper.pk)
    assert list(access.deletable_people(helper)) == [curator]


def test_a_list_to_be_looked_at_has_no_actions_that_change(client, stranger, curator):
    """Hiding or merging a tag takes the permission to change it."""
    stranger.is_staff = True
    stranger.save()
    stranger.user_permissions.add(Permission.objects.get(codename="view_tag"))
    client.force_login(stranger)
    tag = Tag.objects.get(name="espresso")
    client.post("/admin/gallery/tag/", {"action": "hide", "_selected_action": [tag.pk]})
    client.post("/admin/gallery/tag/", {"action": "merge", "_selected_action": [tag.pk], "instead": "tea"})
    assert not TagDecision.objects.exists()


def test_administrators_name_helpers(client, administrator, curator, capsys):
    client.force_login(administrator)
    client.post("/admin/auth/user/", {"action": "let_help", "_selected_action": [curator.pk]})
    curator.refresh_from_db()
    assert (curator.is_staff, curator.groups.get().name) == (True, helpers.GROUP)
    call_command("people", "add", "berta", "--helper")
    assert User.objects.get(username="berta").groups.get().name == helpers.GROUP


def test_a_group_that_an_administrator_changed_stays_so(db):
    group = Group.objects.get(name=helpers.GROUP)
    assert group.permissions.count() == sum(map(len, helpers.MAY.values()))
    group.permissions.clear()
    helpers.install_group()
    assert not group.permissions.exists()
