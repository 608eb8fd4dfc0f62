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
# Names of types, and whether 8-bit integers are used besides.
WAYS = {"float32": ("float32", False), "bf16": ("bfloat16", False), "int8": ("bfloat16", True)}


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
        for column in ("network", "in", "pictures a second", "ratio", "peak, MB"):
            table.add_column(column, justify="right")
        for network in ("clip", "ram", "both"):
            ways = list(WAYS)[: 1 if network == "clip" else None]
            # Ways alternate, for the machine's own speed drifts over minutes.
            runs = [(way, self.run("speed", way, network, rounds=rounds)) for way in ["plain", *ways] * 2]
            rates = {
                way: BATCH
                / statistics.median(time for own, run in runs if own == way for time in run["seconds"])
                for way in ["plain", *ways]
            }
            for way, rate in rates.items():
                peak = max(run["peak"] for own, run in runs if own == way) / 1e6
                table.add_row(network, way, f"{rate:.2f}", f"{rate / rates['plain']:.2f}", f"{peak:,.0f}")
        console.print(table)
        for way in WAYS:
            agreement = self.run("agreement", way, rounds=rounds)
            console.print(f"Tags of {way} and of plain: mean Jaccard index {agreement['jaccard']:.4f}")
        console.print(f"Chosen here by measuring: {self.run('chosen', rounds=rounds)['types']}")
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "ram.pth")
            self.run("save", path, rounds=rounds)
            for way in WAYS:
                load = self.run("load", path, way, rounds=rounds)
                console.print(
                    f"Loading RAM as {way}: peak {load['peak'] / load['size']:.2f} times the network's own "
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


def types_of(way: str):
    """What a way multiplies in."""
    import torch

    from gallery.extraction import short_layers

    return (
        short_layers.Types(getattr(torch, WAYS[way][0]), WAYS[way][1])
        if way in WAYS
        else short_layers.FLOAT32
    )


def random_ram(way: str):
    """RAM at full size; the same random weights each time."""
    import torch

    from gallery.extraction import eight_bits, ram, short_layers

    types = types_of(way)
    torch.manual_seed(5)
    network = ram.Ram(ram.Config())
    torch.nn.init.normal_(network.label_embed)
    if types != short_layers.FLOAT32:
        short = ram.Ram(network.config, types.dtype)
        short.load_state_dict(network.state_dict())
        if types.in_8_bits:  # from the exact weights, as `load` does
            for name, module in network.named_modules():
                if short_layers.IN_8_BITS.search(name):
                    owner, _, own = name.rpartition(".")
                    setattr(short.get_submodule(owner), own, module)
            eight_bits.convert(short)
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

    from gallery.extraction.memory import keep_freed_memory

    if way != "plain":
        keep_freed_memory()
    tagger = random_ram(way) if network != "clip" else None
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


def agreement(way: str, rounds: int) -> dict:
    """How far this way's tags are float32's, on random pictures."""
    import torch

    torch.manual_seed(6)
    pixels = torch.randn(BATCH, 3, 384, 384)
    tags = []
    for own in ("plain", way):
        with torch.inference_mode():
            # Random weights know no thresholds: 0.65 is what most of RAM's tags have.
            tags.append(random_ram(own)(pixels).sigmoid() > 0.65)
    both, either = (tags[0] & tags[1]).sum(1), (tags[0] | tags[1]).sum(1)
    return {"jaccard": float((both / either.clamp(min=1)).mean())}


def chosen(rounds: int) -> dict:
    """What the extractor takes on this machine."""
    from gallery.extraction.short_layers import fastest

    return {"types": str(fastest())}


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


def load(path: str, way: str, rounds: int) -> dict:
    """Seconds and peak of loading a checkpoint, beside the network's own size."""
    from gallery.extraction import eight_bits, ram

    before = resident_bytes()
    began = time.perf_counter()
    network = ram.load(Path(path), types=types_of(way))
    seconds = time.perf_counter() - began
    tensors = {tensor.data_ptr(): tensor for tensor in (*network.parameters(), *network.buffers())}
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    for module in network.modules():
        packed = (own for own in vars(module).values() if isinstance(own, eight_bits.Packed))
        size += sum(own.weight.numel() for own in packed)
    return {"seconds": seconds, "peak": peak_bytes() - before, "size": size}


STEPS = {"speed": speed, "agreement": agreement, "save": save, "load": load, "chosen": chosen}


if __name__ == "__main__":
    setup.run(Command)
