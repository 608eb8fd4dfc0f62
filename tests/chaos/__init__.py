"""Real processes, people at work, and everything that can go wrong: `python -m tests.chaos --minutes 30`."""
