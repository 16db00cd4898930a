"""Measures the chat beside its peers: `bin/bench`. The results are in docs/performance.md and bench/results.json."""
