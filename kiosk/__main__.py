"""`python -m kiosk`, the same as the console script."""

from kiosk.cli import main

if __name__ == "__main__":
    main()
