"""The demo pictures: real photos that ship inside Python packages, used from where pip put them."""

from importlib.util import find_spec
from pathlib import Path

# package -> (folder inside it, files)
PHOTOS = {
    "skimage": (
        "data",
        [
            "astronaut.png",
            "brick.png",
            "camera.png",
            "cell.png",
            "chelsea.png",
            "clock_motion.png",
            "coffee.png",
            "coins.png",
            "grass.png",
            "gravel.png",
            "hubble_deep_field.jpg",
            "ihc.png",
            "moon.png",
            "motorcycle_left.png",
            "page.png",
            "retina.jpg",
            "rocket.jpg",
            "text.png",
        ],
    ),
    "sklearn": ("datasets/images", ["china.jpg", "flower.jpg"]),
    "matplotlib": ("mpl-data/sample_data", ["grace_hopper.jpg"]),
}


def photos() -> list[Path]:
    """Return the demo photos that are installed here; packages are looked up, not imported."""
    found = []
    for package, (folder, names) in PHOTOS.items():
        spec = find_spec(package)
        if spec and spec.submodule_search_locations:
            root = Path(spec.submodule_search_locations[0]) / folder
            found += [root / name for name in names if (root / name).is_file()]
    return found
