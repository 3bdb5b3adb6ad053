"""Benchmarks, each against its baseline in the same run: ``make bench`` or ``make bench-NAME``. See README.md."""
