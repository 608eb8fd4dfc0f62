"""Look after tags."""

import sys
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from gallery import tag_decisions
from gallery.models import Tag, TagDecision
from gallery.models.tag import fold


class Command(BaseCommand):
    help = "Merge, rename and hide tags on everybody's pictures, those still to come included."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        for name, help in (
            ("rename", "give a tag another name"),
            ("merge", "make one tag of two: the surer machine and what people said stay"),
            ("synonym", "let people type another word for a tag"),
        ):
            own = actions.add_parser(name, help=help)
            own.add_argument("tag")
            own.add_argument("instead")
        for name, help in (("hide", "hide what machines call so"), ("forget", "undecide, and show it again")):
            actions.add_parser(name, help=help).add_argument("tag", nargs="+")
        own = actions.add_parser("threshold", help="hide a machine's tag where it is less sure than this")
        own.add_argument("tag")
        own.add_argument("confidence", type=float)
        actions.add_parser("list", help="list what is decided, as CSV")
        own = actions.add_parser("import", help="decide what a CSV file says, as `list` writes it")
        own.add_argument("file", help="- for standard input")
        actions.add_parser("unused", help="remove tags that no picture carries")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        try:
            self.stdout.write(getattr(self, f"_{action}")(**options))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except OSError as error:
            raise CommandError(str(error)) from error

    def _rename(self, tag: str, instead: str, **options: Any) -> str:
        decision = tag_decisions.decide(tag, instead)
        return f"{decision.name} is called {decision.instead} now; the worker changes the pictures."

    _merge = _synonym = _rename

    def _hide(self, tag: list[str], **options: Any) -> str:
        with transaction.atomic():
            for name in tag:
                tag_decisions.decide(name, is_hidden=True)
        return f"{len(tag)} tags are hidden where machines gave them."

    def _threshold(self, tag: str, confidence: float, **options: Any) -> str:
        decision = tag_decisions.decide(tag, threshold=confidence)
        return f"{decision.name} counts from a confidence of {confidence} on."

    def _forget(self, tag: list[str], **options: Any) -> str:
        names = [fold(name) for name in tag]
        if missing := set(names) - set(
            TagDecision.objects.filter(name__in=names).values_list("name", flat=True)
        ):
            raise CommandError(f"Nothing was decided about: {', '.join(sorted(missing))}")
        tag_decisions.forget(names)
        return "Undecided."

    def _list(self, **options: Any) -> str:
        return tag_decisions.to_csv().rstrip("\n")

    def _import(self, file: str, **options: Any) -> str:
        try:
            text = sys.stdin.read() if file == "-" else Path(file).read_text("utf-8-sig")
        except UnicodeDecodeError as error:
            raise CommandError(f"{file} is no text in UTF-8.") from error
        return f"{tag_decisions.from_csv(text)} decisions."

    def _unused(self, **options: Any) -> str:
        count, _kinds = Tag.objects.filter(pk__in=tag_decisions.unused()).delete()
        return f"{count} unused tags removed."
