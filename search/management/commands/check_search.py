"""Compare the search engine's answers with the exact ones, on one's own library."""

import statistics
import time
from typing import Any

import numpy as np
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count

from gallery import access, extractor_switch
from gallery.models import Image, Tag
from search import index_rows
from search.engines import engine as engine_in_use
from search.engines.base import Question, Wanted
from search.engines.scoring import Scoring
from search.errors import EngineAwayError, NotReadyError
from search.evidence import Frequencies
from search.index.index import Index
from search.query.query import Query
from search.query.resolve import resolve

BEST = 100  # results that are compared
GOOD_ENOUGH = 0.99  # of these that must be found, on average
WORST = 0.95  # and for any one query


class Command(BaseCommand):
    help = "Ask the search engine and the database the same questions, and say how much of the best is found."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", help="whose pictures are searched; left out, who has the most")
        parser.add_argument("--queries", type=int, default=20)

    def handle(self, *args: Any, user: str | None, queries: int, **options: Any) -> None:
        person = self.person(user)
        extractor = extractor_switch.current()
        self.stdout.write(f"{person.username}'s pictures, read by {extractor.key}:")
        recalls, milliseconds = [], []
        for query in questions(person, queries):
            question = Question.of(query, resolve(query, person), access.scope(person))
            began = time.perf_counter()
            try:
                found = engine_in_use().ask(question, lambda look: look.best(Wanted(0, BEST)))
            except (NotReadyError, EngineAwayError) as error:
                raise CommandError(str(error)) from error
            took = (time.perf_counter() - began) * 1000
            exact = exactly(question)
            # Of equal scores any may be among the best.
            least = exact[BEST - 1] if len(exact) >= BEST else -np.inf
            recall = sum(own.score >= least - 1e-9 for own in found) / max(1, min(BEST, len(exact)))
            recalls.append(recall)
            milliseconds.append(took)
            self.stdout.write(f"  {took:6.0f} ms  {recall:6.1%}  {described(query)}")
        if not recalls:
            raise CommandError("There are no pictures to ask for.")
        mean, worst = statistics.mean(recalls), min(recalls)
        self.stdout.write(
            f"Of the best {BEST} it found {mean:.2%} on average, {worst:.2%} at worst, "
            f"in {statistics.median(milliseconds):.0f} ms at the median."
        )
        if mean < GOOD_ENOUGH or worst < WORST:
            raise CommandError(f"{GOOD_ENOUGH:.0%} on average and {WORST:.0%} at worst are asked for.")

    def person(self, name: str | None) -> Any:
        """Return the person of this name, or who has the most pictures."""
        people = get_user_model().objects.all()
        if name:
            people = people.filter(username=name)
        found = people.annotate(own=Count("images")).order_by("-own").first()
        if found is None:
            raise CommandError(f"There is nobody called {name}." if name else "There is nobody.")
        return found


def questions(person: Any, count: int) -> list[Query]:
    """Make queries out of the library itself: common tags, as words and as tags, pictures, and mixes."""
    seen = access.visible_images(person).filter(status=Image.Status.READY)
    names = list(
        Tag.objects.filter(image_tags__image__in=seen)
        .annotate(own=Count("image_tags"))
        .order_by("-own", "name")
        .values_list("name", flat=True)[:count]
    )
    pictures = list(seen.order_by("-pk").values_list("pk", flat=True)[:count])
    found = []
    for i in range(count):
        name = names[i % len(names)] if names else "picture"
        image_ids = (pictures[i % len(pictures)],) if pictures else ()
        kinds = [
            Query(text=f"a {name}"),
            Query(image_ids=image_ids),
            Query(text=f"a photo of a {name} outside", tags=(name,)),
            Query(image_ids=image_ids, text=name),
        ]
        found.append(kinds[i % len(kinds)])
    return found if pictures else []


def exactly(question: Question) -> np.ndarray:
    """float64 (n,): the best scores of all that may be found, best first, from the database alone."""
    extractor = question.resolved.extractor
    counted = _counted(question)
    scores = [np.zeros(0)]
    for rows in index_rows.every_image(extractor.key, extractor.dim):
        index = Index(extractor.dim)
        index.append(rows)
        scoring = Scoring(index, question, counted)
        scores.append(scoring.rank(question.within.rows(index), BEST).scores)
    return np.sort(np.concatenate(scores))[::-1][:BEST]


def _counted(question: Question) -> Frequencies | None:
    """Count how many visible pictures have each word of the query."""
    if not question.resolved.asked.has_words:
        return None
    extractor, pictures = question.resolved.extractor, 0
    words = question.resolved.words.written
    having = np.zeros(len(words), np.int64)
    for rows in index_rows.every_image(extractor.key, extractor.dim):
        index = Index(extractor.dim)
        index.append(rows)
        scoring = Scoring(index, question)
        pictures += int(np.count_nonzero(scoring.seen))
        having += [int(np.count_nonzero(scoring.seen[own.rows])) for own in scoring.evidence.words]
    return Frequencies(pictures, having.tolist())


def described(query: Query) -> str:
    """Say in a few words what is asked."""
    parts = [query.text, *(f"#{name}" for name in query.tags), *(f"picture {pk}" for pk in query.image_ids)]
    return ", ".join(part for part in parts if part)
