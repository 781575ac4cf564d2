"""From a written card to a kiosk in order: what only the first boot needs, and what is left of it."""
