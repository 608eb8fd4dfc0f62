"""CLIP and RAM at full size on random weights: the fast path beside the same networks in plain float32."""

from tests.benchmarks import setup

# isort: split
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.table import Table

BATCH = 4


class Command(BaseCommand):
    help = "Pictures a second and peak memory of CLIP, RAM and both at full size. Takes a few minutes."

    def add_arguments(self, parser):
        parser.add_argument("--rounds", type=int, default=2)
        # What one process of the benchmark does; each way has its own, so that peaks and memory settings are
        # its own.
        parser.add_argument("--step", nargs="+", default=[], help="for the benchmark's own use")

    def handle(self, *args, rounds: int, step: list[str], **options):
        if step:
            self.stdout.write(json.dumps(STEPS[step[0]](*step[1:], rounds)))
            return
        console = Console(file=self.stdout._out)
        table = Table(title=f"full size, random weights, batches of {BATCH}, median of {2 * rounds}")
        for column in (
            "network",
            "plain, a second",
            "fast, a second",
            "ratio",
            "plain peak, MB",
            "fast peak, MB",
        ):
            table.add_column(column, justify="right")
        for network in ("clip", "ram", "both"):
            # Ways alternate, for the machine's own speed drifts over minutes.
            runs = [self.run("speed", way, network, rounds=rounds) for way in ("plain", "fast") * 2]
            ways = runs[0::2], runs[1::2]
            rates = [
                BATCH / statistics.median(time for run in way for time in run["seconds"]) for way in ways
            ]
            peaks = [f"{max(run['peak'] for run in way) / 1e6:,.0f}" for way in ways]
            table.add_row(network, *(f"{rate:.2f}" for rate in rates), f"{rates[1] / rates[0]:.2f}", *peaks)
        console.print(table)
        agreement = self.run("agreement", rounds=rounds)
        console.print(f"Tags of the fast path and of float32: mean Jaccard index {agreement['jaccard']:.4f}")
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "ram.pth")
            self.run("save", path, rounds=rounds)
            for dtype in ("float32", "bfloat16"):
                load = self.run("load", path, dtype, rounds=rounds)
                console.print(
                    f"Loading RAM as {dtype}: peak {load['peak'] / load['size']:.2f} times the network's own "
                    f"{load['size'] / 1e6:,.0f} MB, {load['seconds']:.1f} s"
                )

    @staticmethod
    def run(*step: str, rounds: int) -> dict:
        """One step in a process of its own."""
        command = [sys.executable, "-m", "tests.benchmarks.full", "--rounds", str(rounds), "--step", *step]
        return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def peak_bytes() -> int:
    """The most memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def resident_bytes() -> int:
    """The memory that this process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def random_ram(dtype):
    """RAM at full size; the same random weights each time."""
    import torch

    from gallery.extraction import ram

    torch.manual_seed(5)
    network = ram.Ram(ram.Config())
    torch.nn.init.normal_(network.label_embed)
    if dtype != torch.float32:
        short = ram.Ram(network.config, dtype)
        short.load_state_dict(network.state_dict())
        network = short
    return network.requires_grad_(False).prepare()


def random_clip():
    """CLIP ViT-B/32 as LAION trained it, on random weights."""
    from transformers import CLIPConfig, CLIPModel

    sizes = {
        "text_config": {"hidden_size": 512, "num_attention_heads": 8},
        "vision_config": {"patch_size": 32},
    }
    return CLIPModel(CLIPConfig(projection_dim=512, **sizes)).eval().requires_grad_(False)


def speed(way: str, network: str, rounds: int) -> dict:
    """Seconds of each batch, and this process's peak.

    Only the fast way keeps freed memory and shortens RAM.
    """
    import torch

    from gallery.extraction.full import best_device
    from gallery.extraction.memory import keep_freed_memory

    dtype = torch.float32
    if way == "fast":
        keep_freed_memory()
        dtype = best_device(torch)[1]
    tagger = random_ram(dtype) if network != "clip" else None
    clip = random_clip() if network != "ram" else None
    large, small = torch.randn(BATCH, 3, 384, 384), torch.randn(BATCH, 3, 224, 224)
    times = []
    with torch.inference_mode():
        for _ in range(rounds + 1):
            began = time.perf_counter()
            if tagger:
                tagger(large)
            if clip:
                clip.get_image_features(pixel_values=small)
            times.append(time.perf_counter() - began)
    return {"seconds": times[1:], "peak": peak_bytes()}


def agreement(rounds: int) -> dict:
    """How far the fast path's tags are float32's, on random pictures."""
    import torch

    from gallery.extraction.full import best_device

    torch.manual_seed(6)
    pixels = torch.randn(BATCH, 3, 384, 384)
    tags = []
    for dtype in (torch.float32, best_device(torch)[1]):
        with torch.inference_mode():
            # Random weights know no thresholds: 0.65 is what most of RAM's tags have.
            tags.append(random_ram(dtype)(pixels).sigmoid() > 0.65)
    both, either = (tags[0] & tags[1]).sum(1), (tags[0] | tags[1]).sum(1)
    return {"jaccard": float((both / either.clamp(min=1)).mean())}


def save(path: str, rounds: int) -> dict:
    """Write random weights as a checkpoint."""
    import torch

    torch.save({"model": random_ram_state()}, path)
    return {}


def random_ram_state() -> dict:
    """The weights of a full-size RAM before `prepare`, under our own names, which `read_checkpoint` lets
    pass."""
    import torch

    from gallery.extraction import ram

    network = ram.Ram(ram.Config())
    torch.nn.init.normal_(network.label_embed)
    return network.state_dict()


def load(path: str, dtype: str, rounds: int) -> dict:
    """Seconds and peak of loading a checkpoint, beside the network's own size."""
    import torch

    from gallery.extraction import ram

    before = resident_bytes()
    began = time.perf_counter()
    network = ram.load(Path(path), dtype=getattr(torch, dtype))
    seconds = time.perf_counter() - began
    tensors = {tensor.data_ptr(): tensor for tensor in (*network.parameters(), *network.buffers())}
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    return {"seconds": seconds, "peak": peak_bytes() - before, "size": size}


STEPS = {"speed": speed, "agreement": agreement, "save": save, "load": load}


if __name__ == "__main__":
    setup.run(Command)
