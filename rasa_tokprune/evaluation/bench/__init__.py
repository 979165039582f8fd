"""Benchmark against what people use today: `rasa-tokprune bench`, see docs/benchmarks.md.

Importing this loads nothing: its parts also run in processes, and interpreters, of their own.
"""
