"""What is decided about a tag holds for everybody's pictures, and for those still to come."""

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django_q.models import OrmQ
from rest_framework.test import APIClient

from gallery import extractor_switch, tag_decisions, tagging, tasks
from gallery.extraction.pipeline import Reading
from gallery.models import Embedding, Image, ImageTag, Tag, TagDecision
from search import engine
from search.query.bar import parse_bar
from search.query.query import Query

pytestmark = pytest.mark.many

CATS = {"tabby": 0.9, "cat": 0.6, "sofa": 0.5}


@pytest.fixture
def read(db):
    """Have the machine read a picture, and find these tags."""

    def read(image, **tags):
        key = extractor_switch.current().key
        vector = Embedding.objects.get(image=image, extractor=key).as_array()
        extraction = type("Extraction", (), {"tags": tags, "embedding": vector, "log_sum": None})
        tasks.store({image.pk: Reading(extraction, 0, 0)}, key)

    return read


@pytest.fixture
def carry_out():
    """Do what the worker was asked for."""

    def carry_out():
        for row in OrmQ.objects.all():
            if row.task["func"] == "gallery.tag_decisions.carry_out":
                tag_decisions.carry_out(*row.task["args"])
            row.delete()

    return carry_out


@pytest.fixture
def decide(db, carry_out, django_capture_on_commit_callbacks):
    def decide(*args, **said):
        with django_capture_on_commit_callbacks(execute=True):
            tag_decisions.decide(*args, **said)
        carry_out()

    return decide


def shown(image):
    rows = image.image_tags.shown(extractor_switch.current().key)
    return {row.tag.name: (row.source, round(row.confidence, 2)) for row in rows.select_related("tag")}


def found(user, line):
    return {result.image.pk for result in engine.search(Query(**parse_bar(line)), user).results}


def test_a_merged_tag_stays_merged_when_pictures_are_read_again(read, decide, photo, curator):
    image, later = photo("chelsea"), photo("coffee")
    read(image, **CATS)
    decide("tabby", "cat")
    assert shown(image) == {"cat": ("extractor", 0.9), "sofa": ("extractor", 0.5)}  # the surer one's
    assert not ImageTag.objects.filter(tag__name="tabby").exists()
    for one in (image, later):
        read(one, **CATS)
        assert shown(one)["cat"] == ("extractor", 0.9)
        assert "tabby" not in shown(one)
    assert found(curator, "#tabby") == found(curator, "#cat") >= {image.pk, later.pk}


def test_what_people_said_goes_along(read, decide, photo):
    given, taken, both = photo("chelsea"), photo("coffee"), photo("rocket")
    for one in (given, taken, both):
        read(one, **CATS)
    tagging.add(given, "tabby")
    tagging.remove(taken, "tabby")
    tagging.add(both, "tabby")
    tagging.remove(both, "cat")
    decide("tabby", "cat")
    assert shown(given)["cat"] == ("person", 1.0)
    assert "cat" not in shown(taken)
    assert shown(both)["cat"] == ("person", 1.0)
    for one in (given, taken, both):
        assert one.image_tags.filter(tag__name="cat").count() == 1
        read(one, **CATS)
    assert "cat" not in shown(taken)
    assert shown(given)["cat"] == shown(both)["cat"] == ("person", 1.0)


def test_a_synonym_is_another_word_for_the_same(decide, photo, curator):
    image = photo("chelsea")
    tagging.add(image, "car")
    decide("Automobile", "car")
    assert found(curator, "#automobile") == {image.pk}
    client = APIClient()
    client.force_authenticate(curator)
    assert client.get("/api/v1/images/", {"tag": "automobile"}).json()["count"] == 1
    other = photo("coffee")
    tagging.add(other, "automobile")
    assert shown(other)["car"] == ("person", 1.0)
    tagging.remove(other, "automobile")
    assert "car" not in shown(other)
    assert not Tag.objects.filter(name="automobile").exists()


def test_hidden_tags_come_back_when_they_are_undecided(read, decide, carry_out, photo, curator):
    image, mine = photo("chelsea"), photo("coffee")
    read(image, **CATS)
    tagging.add(mine, "sofa")
    decide("sofa", is_hidden=True)
    assert "sofa" not in shown(image)
    assert shown(mine)["sofa"] == ("person", 1.0)  # which a person said
    assert image.pk not in found(curator, "#sofa")
    read(image, **CATS)
    assert "sofa" not in shown(image)
    tag_decisions.forget(["sofa"])
    tag_decisions.carry_out("sofa")
    assert shown(image)["sofa"] == ("extractor", 0.5)


def test_a_tag_has_a_threshold_of_its_own(read, decide, photo):
    sure, unsure = photo("chelsea"), photo("coffee")
    read(sure, cat=0.9)
    read(unsure, cat=0.4)
    decide("cat", threshold=0.5)
    assert ("cat" in shown(sure), "cat" in shown(unsure)) == (True, False)
    decide("cat", threshold=0.3)
    assert ("cat" in shown(sure), "cat" in shown(unsure)) == (True, True)
    decide("cat", threshold=0.95)
    read(sure, cat=0.94, tabby=0.97)
    assert ("cat" in shown(sure), "tabby" in shown(sure)) == (False, True)
    assert [row.image_id for row in tag_decisions.carriers("cat", extractor_switch.current().key, 0.4)] == [
        unsure.pk,
        sure.pk,
    ]


def test_names_follow_one_another_and_never_in_a_circle(decide):
    decide("auto", "automobile")
    decide("automobile", "car")
    assert dict(TagDecision.objects.values_list("name", "instead")) == {"auto": "car", "automobile": "car"}
    for wrong in (("car", "automobile"), ("cat", "cat"), ("cat", ""), ("", "cat"), ("x" * 101, "cat")):
        with pytest.raises(ValidationError):
            tag_decisions.decide(*wrong)


def test_the_command_and_csv(capsys, tmp_path, db):
    call_command("tags", "rename", "Tabby", "cat")
    call_command("tags", "hide", "sofa")
    call_command("tags", "threshold", "dog", "0.5")
    capsys.readouterr()
    call_command("tags", "list")
    lines = capsys.readouterr().out
    assert lines == "tag,instead,hidden,threshold\ndog,,,0.5\nsofa,,yes,\ntabby,cat,,\n"
    TagDecision.objects.all().delete()
    (tmp_path / "tags.csv").write_text(lines)
    call_command("tags", "import", str(tmp_path / "tags.csv"))
    assert tag_decisions.to_csv() == lines
    for wrong in (
        "nonsense\n1\n",
        "tag,instead,hidden,threshold\nnew,other,,\ncat,cat,,\n",
        "tag,threshold\nx,much\n",
        "tag,threshold\nx,nan\n",
        "tag,threshold\n" + "x" * 200_000 + ",0.5\n",
    ):
        (tmp_path / "wrong.csv").write_text(wrong)
        with pytest.raises(CommandError):
            call_command("tags", "import", str(tmp_path / "wrong.csv"))
    assert tag_decisions.to_csv() == lines  # nothing of a file that is wrong somewhere
    with pytest.raises(CommandError, match="Nothing was decided"):
        call_command("tags", "forget", "piano")
    (tmp_path / "wrong.csv").write_bytes(b"tag\n\xff\xfe\n")
    with pytest.raises(CommandError, match="no text in UTF-8"):
        call_command("tags", "import", str(tmp_path / "wrong.csv"))
    for number in ("nan", "inf"):
        with pytest.raises(CommandError, match="A confidence is a number"):
            call_command("tags", "threshold", "dog", number)
    with pytest.raises(CommandError):
        call_command("tags", "hide", "piano", "")
    assert tag_decisions.to_csv() == lines
    Tag.objects.create(name="on no picture")
    call_command("tags", "unused")
    assert not Tag.objects.filter(name="on no picture").exists()


def test_the_admin_site_decides(client, administrator, read, photo, django_assert_max_num_queries, carry_out):
    image = photo("chelsea")
    read(image, **CATS)
    tagging.remove(photo("coffee"), "tabby")
    client.force_login(administrator)
    with django_assert_max_num_queries(12):
        listed = client.get("/admin/gallery/tag/?q=tabby").content.decode()
    assert "50 %" in listed
    ids = list(Tag.objects.filter(name__in=["tabby", "sofa"]).values_list("pk", flat=True))
    asked = client.post("/admin/gallery/tag/", {"action": "merge", "_selected_action": ids})
    assert "will be one other tag" in asked.content.decode()
    said = {"action": "merge", "_selected_action": ids[:1], "instead": "cat"}
    assert client.post("/admin/gallery/tag/", said, follow=True).status_code == 200
    assert TagDecision.objects.get().instead == "cat"
    client.post("/admin/gallery/tag/", {"action": "hide", "_selected_action": ids[1:]})
    assert TagDecision.objects.filter(is_hidden=True).count() == 1
    csv = client.get("/admin/gallery/tagdecision/export/").content.decode()
    assert "cat" in csv
    address = "/admin/gallery/tagdecision/import/"
    wrong = client.post(address, {"file": SimpleUploadedFile("t.csv", b"\xff\xfe")})
    assert "no text in UTF-8" in wrong.content.decode()
    right = SimpleUploadedFile("t.csv", b"tag,threshold\ncat,0.7\n")
    client.post(address, {"file": right})
    page = client.get(f"/admin/gallery/tagdecision/{TagDecision.objects.get(name='cat').pk}/change/")
    assert "the least sure" in page.content.decode()
    deleted = {"action": "delete_selected", "_selected_action": ids}
    confirmation = client.post("/admin/gallery/tag/", deleted).content.decode()
    links = ImageTag.objects.filter(tag__in=ids).count()
    assert f"pictures: {links}" in confirmation  # counted, not listed
    assert client.get("/admin/gallery/tagdecision/").status_code == 200
    assert Image.objects.filter(pk=image.pk).exists()


def test_a_threshold_is_seen_before_it_is_saved(client, administrator):
    client.force_login(administrator)
    page = client.get("/admin/gallery/tagdecision/add/", {"name": "espresso", "threshold": "0.01"})
    assert "1 picture:<br>" in page.content.decode()
    page = client.get("/admin/gallery/tagdecision/add/", {"name": "espresso", "threshold": "1"})
    assert "0 pictures" in page.content.decode()
    decision = TagDecision.objects.create(name="espresso", threshold=0.01)
    address = f"/admin/gallery/tagdecision/{decision.pk}/change/"
    assert "0 pictures" in client.get(address, {"threshold": "1"}).content.decode()
    assert "csrfmiddlewaretoken" not in page.content.decode().rpartition('<form method="get"')[2]
    assert TagDecision.objects.get().threshold == 0.01


def test_the_tags_that_are_wrong_most_often_come_first(client, administrator, photo):
    for tag in ("espresso", "cat"):
        [name] = photo("coffee" if tag == "espresso" else "chelsea").image_tags.filter(tag__name=tag)[:1]
        tagging.remove(name.image, tag)
    other = Image.objects.exclude(pk=photo("chelsea").pk).first()
    ImageTag.objects.create(
        image=other, tag=Tag.objects.get(name="cat"), confidence=0.5, source="extractor", extractor="lite/2"
    )
    client.force_login(administrator)
    page = client.get("/admin/gallery/tag/", {"wrong": "most"})
    assert [tag.name for tag in page.context["cl"].result_list] == ["espresso", "cat"]
