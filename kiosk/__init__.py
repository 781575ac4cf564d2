"""The reception kiosk; `docs/architecture.md` tells how its rooms meet."""
