"""Whole numbers as addresses, forms and programs write them: the one place that reads them."""

LARGEST = 2**53  # beyond it JavaScript and JSON lose digits; no row has a larger number


def whole_number(text: str, least: int = 0, most: int = LARGEST) -> int | None:
    """Read a whole number from `least` to `most`; None for anything else, of any length."""
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        return None
    number = int(text)
    return number if least <= number <= most else None


def whole_numbers(texts: list[str], most: int) -> set[int] | None:
    """Read the numbers of from one to `most` rows; None for none, for more, or where one is not a number."""
    numbers = {whole_number(text) for text in texts[: most + 1]}
    if not texts or len(texts) > most or None in numbers:
        return None
    return {number for number in numbers if number is not None}
