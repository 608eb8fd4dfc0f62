"""The kinds of thing that `lite` also gives as tags: words that people use, by WordNet's name for each."""

# WordNet's name -> the tag.
KINDS = {name: name for name in (
    "animal", "mammal", "dog", "terrier", "hound", "spaniel", "retriever", "poodle", "wolf", "fox",
    "bear", "cat", "big cat", "rabbit", "rodent", "squirrel", "monkey", "ape", "lemur", "elephant",
    "horse", "sheep", "goat", "camel", "antelope", "whale", "dolphin", "seal", "marsupial", "kangaroo",
    "bird", "bird of prey", "owl", "eagle", "parrot", "duck", "swan", "penguin", "wading bird",
    "seabird", "waterfowl", "finch", "reptile", "snake", "lizard", "turtle", "crocodile", "dinosaur",
    "amphibian", "frog", "salamander", "fish", "shark", "ray", "insect", "beetle", "butterfly",
    "spider", "crab", "lobster", "crustacean", "mollusk", "coral", "worm", "plant", "flower", "fruit",
    "vegetable", "squash", "seed", "bread", "dessert", "sandwich", "soup", "sauce", "vehicle", "car",
    "truck", "bus", "van", "train", "locomotive", "bicycle", "motorcycle", "boat", "ship", "sailboat",
    "warship", "aircraft", "airplane", "spacecraft", "rocket", "military vehicle", "sled", "cart",
    "clothing", "hat", "shoe", "footwear", "dress", "coat", "skirt", "swimsuit", "necktie", "scarf",
    "glove", "sweater", "shirt", "helmet", "mask", "armor", "jewelry", "spectacles", "bag", "building",
    "house", "church", "shop", "bridge", "fence", "roof", "tower", "door", "tent", "dwelling",
    "furniture", "chair", "table", "bed", "sofa", "lamp", "clock", "watch", "rug", "curtain", "cabinet",
    "mirror", "musical instrument", "guitar", "piano", "stringed instrument", "wind instrument",
    "percussion instrument", "computer", "telephone", "camera", "keyboard", "printer", "telescope",
    "microscope", "electronic equipment", "tool", "machine", "weapon", "gun", "knife", "ball",
    "sports equipment", "game equipment", "puzzle", "bottle", "glass", "mug", "bowl", "pot", "pan",
    "box", "basket", "plate", "jug", "kitchen utensil", "oven", "home appliance", "towel", "pen",
    "sign", "mountain", "geological formation", "shore", "person",
)} | {
    "food": "food", "domestic cat": "cat", "edible fruit": "fruit", "fungus": "mushroom",
    "beverage": "drink", "alcohol": "drink", "swine": "pig", "cattle": "cow",
    "place of worship": "church", "plaything": "toy", "timepiece": "clock", "footgear": "footwear",
    "vessel": "boat", "headdress": "hat", "motor vehicle": "vehicle", "watchdog": "dog",
    "sandglass": "clock", "telephone set": "telephone", "sailing vessel": "sailing ship",
    "public transport": "public transport", "elevation": "mountain", "natural elevation": "mountain",
    "digital computer": "computer", "personal computer": "computer", "equine": "horse",
    "leporid": "rabbit",
}  # fmt: skip

_NAMES = frozenset(KINDS.values())


def is_kind(tag: str) -> bool:
    """Whether a tag is a kind of thing, not one of a thousand classes."""
    return tag in _NAMES
