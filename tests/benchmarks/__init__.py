"""Everything that only measures: run as `python -m tests.benchmarks.NAME`. The product never imports it."""
