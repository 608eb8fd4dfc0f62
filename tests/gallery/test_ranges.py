"""A download that was cut off goes on at its byte."""

import pytest


@pytest.fixture
def whole(photo):
    with photo("coffee").original.open() as original:
        return original.read()


@pytest.fixture(params=["/api/v1/images/{}/original/", "/images/{}/original"])
def address(request, photo):
    return request.param.format(photo("coffee").pk)


def body(answer) -> bytes:
    return b"".join(answer.streaming_content)


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, None),
        ("bytes=-10", -10, None),
        ("bytes=5-999999999", 5, None),
    ],
)
def test_a_part_comes_alone(page, address, whole, asked, start, stop):
    answer = page.get(address, headers={"Range": asked})
    assert answer.status_code == 206
    assert body(answer) == whole[start:stop]
    first = start if start >= 0 else len(whole) + start
    last = (stop or len(whole)) - 1
    assert answer["Content-Range"] == f"bytes {first}-{last}/{len(whole)}"
    assert answer["Content-Length"] == str(last - first + 1)


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "bytes=9-3", "pages=1-2", "bytes=-", "x"])
def test_what_is_no_single_part_gets_the_whole(page, address, whole, asked):
    answer = page.get(address, headers={"Range": asked})
    assert (answer.status_code, answer["Accept-Ranges"]) == (200, "bytes")
    assert body(answer) == whole


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=-0"])
def test_what_is_beyond_the_end_is_a_416(page, address, whole, asked):
    answer = page.get(address, headers={"Range": asked})
    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{len(whole)}")


def test_of_another_version_comes_the_whole(page, address, whole):
    etag = page.get(address)["ETag"]
    for condition, status in ((etag, 206), ('"another"', 200)):
        assert page.get(address, headers={"Range": "bytes=0-9", "If-Range": condition}).status_code == status
    assert page.head(address).status_code == 200
    assert page.get(address, headers={"Range": "bytes=0-9", "If-None-Match": etag}).status_code == 304


def test_thumbnails_have_parts_too(page, photo):
    thumbnail = f"/images/{photo('coffee').pk}/thumbnail/small"
    answer = page.get(thumbnail, headers={"Range": "bytes=0-1"})
    assert (answer.status_code, body(answer)) == (206, b"\xff\xd8")
