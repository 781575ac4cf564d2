"""Builds the SD image: places what `firmware/`, `deploy/` and the package contain. Standard library only."""
