"""The power fails while changed settings are taken: they are in force, or those before them are."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kiosk.config.settings import load
from tests.provisioning.changed_card import GONE, NAME, SECRET, another


class PowerCutError(Exception):
    """The power fails here."""


@contextmanager
def cut_at(count: int) -> Iterator[Callable[[], int]]:
    """The power fails at the `count`-th change of the file system from here; tells how many there were."""
    seen = 0
    real = {name: getattr(Path, name) for name in ("rename", "unlink")}
    open_real = Path.open

    def cutting(name: str) -> Callable[..., object]:
        def call(self: Path, *words: object, **named: object) -> object:
            nonlocal seen
            seen += 1
            if seen == count:
                raise PowerCutError
            return real[name](self, *words, **named)

        return call

    def opening(self: Path, mode: str = "r", *words: object, **named: object) -> object:
        nonlocal seen
        if "+" in mode:  # the card is overwritten where it lies
            seen += 1
            if seen == count:
                raise PowerCutError
        return open_real(self, mode, *words, **named)  # type: ignore[call-overload]  # whatever was asked

    with pytest.MonkeyPatch.context() as patch:
        for name in real:
            patch.setattr(Path, name, cutting(name))
        patch.setattr(Path, "open", opening)
        yield lambda: seen


@pytest.mark.parametrize("changes", [(NAME, GONE), (NAME, GONE, SECRET)], ids=["plain", "secret"])
def test_a_power_cut_at_any_instant_leaves_the_old_settings_or_the_new(
    tmp_path: Path, first: Path, changes: tuple[tuple[str, str], ...]
) -> None:
    outcomes: list[str] = []
    for count in range(1, 100):
        card = another(first, tmp_path / str(count))
        card.change(*changes)
        card.start()
        try:
            with cut_at(count):
                card.take()
        except PowerCutError:
            told = card.start()
            name = load(card.places.in_force).clinic.name
            outcomes.append(name)
            if told is not None:  # it had not begun: it is offered again
                assert name == "架空クリニック"
                card.take()
            assert load(card.places.in_force).clinic.name == "架空クリニック 本院"
            assert sorted(card.staff) == ["1001", "1002"]
            assert not card.places.taking.exists()
            card.lines.clear()
            assert card.secrets() == []
            assert card.start() is None
        else:
            break
    assert outcomes[0] == "架空クリニック"
    assert outcomes[-1] == "架空クリニック 本院"
    assert len(outcomes) >= 8


def test_after_a_power_cut_another_file_on_the_card_is_not_taken(tmp_path: Path, first: Path) -> None:
    for count in range(1, 9):
        card = another(first, tmp_path / str(count))
        card.change(NAME)
        card.start()
        with cut_at(count), pytest.raises(PowerCutError):
            card.take()
        old = load(card.places.in_force).clinic.name
        card.change(("架空クリニック 本院", "盗人クリニック"))
        told = card.start()
        assert told is not None
        assert told.changes[0].new == "盗人クリニック"
        assert load(card.places.in_force).clinic.name == old
        assert sorted(card.staff) == ["1001", "1002", "1003"]
