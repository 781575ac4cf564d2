"""Notices: written, read, drawn so that they fit."""

import itertools
import subprocess
from pathlib import Path

import pygame
import pytest

from kiosk.channel.notice_file import (
    FALLBACK_NOTICE,
    LINES_SHOWN,
    Notice,
    NoticeWords,
    from_text,
    shortened,
    to_text,
)
from kiosk.commands.first_boot import UNWRITABLE, notice_of
from kiosk.config.settings import ConfigError
from kiosk.config.table import ConfigFault
from kiosk.provisioning.fault_lines import qr_text
from kiosk.provisioning.first_boot_steps import Faulty, NoCa, NotEnrolled, Outcome
from kiosk.screens.drawing.fonts import FontBook
from kiosk.screens.drawing.painter import Painter
from kiosk.screens.kit.look import Canvas
from kiosk.screens.kit.widgets import Qr, Text
from kiosk.screens.pages.notice_page import notice_picture
from tests.screens.proof.gallery import DISPLAYS

FAULTS = tuple(
    ConfigFault(
        line,
        "first_boot.enrolment_url",
        "must be the https:// address of the enrolment",
        "登録先を書いてください",
    )
    for line in range(1, 12)
)
NOTICES = Path(__file__).resolve().parents[3] / "deploy/appliance/usr/share/kiosk/notices"
#: What the image's scripts put on the screen (usr/lib/kiosk/tell), by name.
IMAGES_OWN = {path.stem: read for path in NOTICES.iterdir() if (read := from_text(path.read_text("utf-8")))}
OUTCOMES: tuple[Outcome, ...] = (
    Faulty(ConfigError(Path("kiosk.toml"), FAULTS)),
    Faulty(ConfigError(Path("kiosk.toml"), FAULTS[:1])),
    NoCa("service-ca.pem"),
    NotEnrolled("the activation code has expired (24 hours): ask for a new one"),
)


def test_a_notice_survives_its_file() -> None:
    notice = Notice(NoticeWords("題", ("一", "二")), NoticeWords("Title", ("one",)))
    assert from_text(to_text(notice)) == notice


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"ja": 1, "en": 2}'])
def test_what_is_no_notice_is_none(text: str) -> None:
    assert from_text(text) is None


def test_many_lines_are_counted() -> None:
    assert shortened(["a"] * LINES_SHOWN, "{}") == ("a",) * LINES_SHOWN
    assert shortened(["a"] * (LINES_SHOWN + 3), "and {} more") == (*["a"] * (LINES_SHOWN - 1), "and 4 more")


@pytest.mark.parametrize("size", [(800, 480, 5.36), (480, 800, 5.36), (1280, 720, 8.3)])
@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda each: type(each).__name__)
def test_every_notice_fits_the_screen(outcome: Outcome, lost: bool, size: tuple[int, int, float]) -> None:
    codes = codes_of_a_notice_that_fits(notice_of(outcome, lost), Canvas(*size))
    assert len(codes) == (isinstance(outcome, Faulty) and not lost)


@pytest.mark.parametrize("size", [(800, 480, 5.36), (480, 800, 5.36), (1280, 720, 8.3)])
@pytest.mark.parametrize(
    "notice", [FALLBACK_NOTICE, UNWRITABLE, *IMAGES_OWN.values()], ids=lambda each: each.en.lines[0]
)
def test_every_fixed_notice_fits_and_says_what_to_do(notice: Notice, size: tuple[int, int, float]) -> None:
    assert codes_of_a_notice_that_fits(notice, Canvas(*size)) == []
    assert any("職員" in line for line in notice.ja.lines)
    assert len(notice.ja.lines) <= LINES_SHOWN


def codes_of_a_notice_that_fits(notice: Notice, canvas: Canvas) -> list[Qr]:
    picture = notice_picture(notice, canvas, FontBook())
    lines = [line for widget in picture.widgets if isinstance(widget, Text) for line in widget.lines]
    assert lines
    for line in lines:
        assert canvas.rect.covers(line.rect), line.text
    for one, other in itertools.pairwise(lines):
        assert one.rect.bottom <= other.rect.y, (one.text, other.text)
    codes = [widget for widget in picture.widgets if isinstance(widget, Qr)]
    for code in codes:
        assert canvas.rect.covers(code.rect)
        assert code.rect.w / len(code.modules) >= 2.5  # pixels for each module
        assert not any(code.rect.overlaps(line.rect) for line in lines)
    return codes


def test_a_lost_partition_is_told_before_anything_else() -> None:
    notice = notice_of(NoCa("service-ca.pem"), data_lost=True)
    assert "失われています" in notice.ja.lines[0]
    assert "lost" in notice.en.lines[0]
    assert FALLBACK_NOTICE.ja.lines


@pytest.mark.parametrize("display", ["800x480", "720x1280"])
def test_a_phone_reads_the_same_lines_from_the_screen(tmp_path: Path, display: str) -> None:
    canvas, fonts = DISPLAYS[display], FontBook()
    error = ConfigError(Path("kiosk.toml"), FAULTS)
    surface = pygame.Surface((canvas.width, canvas.height))
    Painter(fonts).draw(surface, notice_picture(notice_of(Faulty(error), False), canvas, fonts))
    photo = tmp_path / "screen.png"
    pygame.image.save(surface, photo)
    read = subprocess.run(
        ["zbarimg", "--quiet", "--raw", str(photo)], capture_output=True, check=True, timeout=60
    )
    said = read.stdout.decode().rstrip("\n")
    assert said == qr_text(FAULTS, "ja")
    assert said.splitlines()[1] == FAULTS[0].in_japanese()


def test_the_image_s_own_notices_can_be_read() -> None:
    assert {"card", "screen"} == IMAGES_OWN.keys() == {path.stem for path in NOTICES.iterdir()}
