"""Whether a visit goes on, as far as the uploader is told: from its challenge to its end."""

LONGEST_S = 600.0  #: a challenge lives no longer; a screen that died in the middle never tells the end


class Visits:
    """Belongs to the main loop; seconds are monotonic."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}

    def began(self, visit: str, now_s: float) -> None:
        """Its challenge was asked for."""
        self._began[visit] = now_s

    def ended(self, visit: str) -> None:
        """The screen told its outcome."""
        self._began.pop(visit, None)

    def under_way(self, now_s: float) -> bool:
        """Whether one goes on."""
        self._began = {visit: began for visit, began in self._began.items() if now_s - began < LONGEST_S}
        return bool(self._began)
