"""Updates: what is offered, fetching it, judging it, and having RAUC install it."""
