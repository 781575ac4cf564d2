"""Hostile tokens, sticks and callers: a coverage-guided harness (`make fuzz`), with seeds and found cases."""
