"""What one presentation may cost, whatever the token does: seconds, commands, bytes, computing."""

from dataclasses import dataclass

from kiosk.nfc.protocol.faults import BudgetSpent

MOST_APDUS = 64
MOST_BYTES = 256 * 1024
MOST_SECONDS = 10.0
MOST_CPU_S = 1.0  #: of this thread, unless the settings allow more: a token must not keep us computing


@dataclass(frozen=True)
class ClockValues:
    """What the clocks show; only differences mean something."""

    now_s: float  #: monotonic
    cpu_s: float  #: this thread's computing


class Budget:
    """Begins when the token is seen, so that finding it counts as well; raises BudgetSpent."""

    def __init__(self, began: ClockValues, most_cpu_s: float = MOST_CPU_S) -> None:
        self._began, self._most_cpu_s = began, most_cpu_s
        self._waited_s = 0.0
        self.apdus = self.bytes_to = self.bytes_from = 0

    def waited(self, seconds: float) -> None:
        """Do not count these: the screen was waited for, which is not the token's fault."""
        self._waited_s += seconds

    def admit_command(self, at: ClockValues) -> None:
        """See whether one more command may be sent."""
        if self.apdus >= MOST_APDUS:
            raise BudgetSpent(f"the token wants more than {MOST_APDUS} commands")
        self.left_s(at)

    def command(self, size: int) -> None:
        """A command of so many bytes is sent."""
        self.apdus += 1
        self.bytes_to += size

    def answer(self, size: int) -> None:
        """An answer of so many bytes came."""
        self.bytes_from += size
        if self.bytes_to + self.bytes_from > MOST_BYTES:
            raise BudgetSpent(f"the contact moves more than {MOST_BYTES} bytes")

    def left_s(self, at: ClockValues) -> float:
        """The seconds that are left; within one command too, which a token can draw out by S(WTX)."""
        left = MOST_SECONDS - (at.now_s - self._began.now_s - self._waited_s)
        if left <= 0:
            raise BudgetSpent(f"the contact takes longer than {MOST_SECONDS:g} s")
        if at.cpu_s - self._began.cpu_s > self._most_cpu_s:
            raise BudgetSpent(f"the contact costs more than {self._most_cpu_s:g} s of computing")
        return left
