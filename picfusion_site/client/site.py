"""A site's API: requests that are tried again, and errors as sentences."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx

from picfusion_site.client.configuration import Configuration
from picfusion_site.client.errors import REFUSED, SOME_FAILED, UNREACHABLE, USAGE, FailedError

TRIES = 6  # of what takes long, and should not be begun again
FEW_TRIES = 3
LONGEST_WAIT = 60.0  # seconds
TRY_AGAIN = {429, 502, 503, 504}
TIMEOUT = httpx.Timeout(30.0, read=300.0, write=120.0)


class Site:
    """One site, for one person."""

    def __init__(self, configuration: Configuration, tries: int = FEW_TRIES) -> None:
        if not configuration.site:
            raise FailedError("Sign in first: picfusion login https://pictures.example.com", REFUSED)
        if not is_address(configuration.site):
            raise FailedError(f"{configuration.site} is no address like https://pictures.example.com.", USAGE)
        if not (configuration.token.isascii() and configuration.token.isprintable()):
            raise FailedError("This is no token: keys are made on the site's account page.", REFUSED)
        headers = {"Authorization": f"Token {configuration.token}"} if configuration.token else {}
        self.tries = tries
        self.http = httpx.Client(
            base_url=f"{configuration.site}/api/v1/", headers=headers, timeout=TIMEOUT, follow_redirects=True
        )

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Ask, and again while the site is busy or away; FailedError with the site's sentence."""
        for number in range(self.tries):
            is_last = number == self.tries - 1
            try:
                answer = self.http.request(method, path, **options)
            except httpx.TransportError as error:
                if is_last:
                    raise FailedError(
                        f"{self.http.base_url.host} does not answer: {error}", UNREACHABLE
                    ) from error
                time.sleep(pause(number))
                continue
            if answer.status_code not in TRY_AGAIN or is_last:
                return checked(answer)
            time.sleep(pause(number, answer))
        raise AssertionError("unreachable")

    def json(self, method: str, path: str, **options: Any) -> Any:
        """Ask, and return what the answer holds."""
        answer = self.ask(method, path, **options)
        try:
            return answer.json()
        except ValueError as error:
            raise FailedError(
                f"{answer.url.host} answered with a page: is this a Picfusion site?", UNREACHABLE
            ) from error

    def pages(self, path: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Go through a whole list."""
        answer = self.json("GET", path, params={"limit": 200, **parameters})
        yield from answer["results"]
        while answer["next"]:
            answer = self.json("GET", answer["next"])
            yield from answer["results"]


def is_address(text: str) -> bool:
    """Whether it is the address of a site."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, say
        return False


def pause(number: int, answer: httpx.Response | None = None) -> float:
    """Seconds before the next try: what the site asks for, or else twice as long each time."""
    asked = answer.headers.get("Retry-After", "") if answer is not None else ""
    return min(float(asked) if asked.isdigit() else 0.5 * 2**number, LONGEST_WAIT)


def checked(answer: httpx.Response) -> httpx.Response:
    """Return the answer, or raise FailedError with its sentence."""
    if answer.is_success:
        return answer
    try:
        problem = answer.json()
        sentence = str(problem.get("detail") or problem.get("title"))
    except (ValueError, AttributeError):
        sentence = f"{answer.url.host} answered {answer.status_code}: is this a Picfusion site?"
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        sentence = f"{sentence} Sign in with: picfusion login"
    is_refused = answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
    code = REFUSED if is_refused else UNREACHABLE if answer.is_server_error else SOME_FAILED
    raise FailedError(sentence, code)
