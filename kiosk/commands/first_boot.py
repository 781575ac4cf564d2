"""`kiosk first-boot`: from a written card to a kiosk that runs; what is missing goes on the screen."""

import logging
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

import click

from kiosk.channel.notice_file import FALLBACK_NOTICE, Notice, NoticeWords, shortened, to_text
from kiosk.config.settings import CardFile, ConfigError, Settings
from kiosk.provisioning.fault_lines import lines, qr_text
from kiosk.provisioning.first_boot_steps import (
    Faulty,
    FirstBootPaths,
    NoCa,
    NoSecret,
    NotEnrolled,
    Outcome,
    PutLine,
    Ready,
    SecretError,
    first_boot,
)
from kiosk.provisioning.network_files import TIME, WIFI, WIRED, line_files, with_kept_password
from kiosk.provisioning.share import CREDENTIALS, WHERE, share_files, with_kept_secret
from kiosk.provisioning.take import NotTakenError, finish_or_describe, take
from kiosk.uploader.identity.enrolment import EnrolmentError
from kiosk.uploader.identity.keypairs import write_safely
from kiosk.uploader.service.custody import CREDENTIAL

log = logging.getLogger(__name__)

UPLOADER = "kiosk-uploader"  #: user and group of the process that speaks to the service
SEALED = Path("/var/lib/kiosk-secret/device.sealed")  #: the device's secret on the card
OPENED = Path("/run/credstore") / CREDENTIAL  #: and in memory, once it could be opened
OPEN = ("systemctl", "start", "kiosk-secret.service")  #: opens it; makes one where there is none
LINE = Path("/var/lib/kiosk-line")  #: where the files of line and share lie
FOLDER = click.Path(path_type=Path, file_okay=False)
#: The share is let go and taken again; without its file that is left at letting go.
SHARE = ("systemctl", "--no-block", "restart", "kiosk-share.service")
#: Who has to look again when a file of the line, or of the share, changed.
RELOAD = {
    WIRED: ("networkctl", "reload"),
    # Not try-restart: without its file it has not started yet. A box without a radio is not waited for.
    WIFI: ("systemctl", "--no-block", "restart", "wpa_supplicant@wlan0.service"),
    TIME: ("systemctl", "try-restart", "systemd-timesyncd.service"),
    WHERE: SHARE,
    CREDENTIALS: SHARE,
}
SECRET_FILES = {WIFI, CREDENTIALS}
#: The settings cannot be kept: the card is full, read-only or worn.
UNWRITABLE = Notice(
    NoticeWords(
        "ただいま使えません",
        (
            "受付窓口へお願いします。",
            "SD カードに設定を書き込めません。自動でくり返し試みます。",
            "職員の方へ：電源を入れ直しても変わらなければ、新しいカードに取りかえてください。",
        ),
    ),
    NoticeWords(
        "Out of service", ("The SD card does not take the settings. If a restart does not help, replace it.",)
    ),
)


@click.command("first-boot")
@click.option("--card", type=FOLDER, default=Path("/boot/firmware"), help="The card's FAT partition.")
@click.option("--kept", type=FOLDER, default=Path("/var/lib/kiosk"), help="Where settings in force lie.")
@click.option("--line", type=FOLDER, default=LINE, help="Where the line's files go.")
@click.option("--notice", type=FOLDER, default=Path("/run/kiosk-notice"), help="Where the notice goes.")
@click.option("--lost", type=click.Path(path_type=Path), default=Path("/var/made-anew"), hidden=True)
@click.option("--told", type=FOLDER, default=Path("/run/kiosk-update"), help="Where changes are told.")
@click.option("--wish", type=click.Path(path_type=Path), help="Take changed settings: who wished for which.")
def command(
    card: Path, kept: Path, line: Path, notice: Path, lost: Path, told: Path, wish: Path | None
) -> None:
    """Take the settings from the card, make the key, enrol, wipe the secrets. Run at every start, and when
    staff wish that changed settings be taken."""
    places = FirstBootPaths(card, kept)

    def put_line(read: CardFile) -> None:
        _put_line(read, line)

    if wish is not None:
        _take(places, told, wish, put_line)
        return
    mark = notice / "settings"  # tells mark-good that the box waits for its settings, and for nothing else
    try:
        outcome = first_boot(places, _enrol, put_line)
        if isinstance(outcome, Ready):
            _forget_loss(lost)
    except OSError as fault:
        mark.unlink(missing_ok=True)
        write_safely(notice / "notice.json", to_text(UNWRITABLE).encode(), 0o644)
        raise click.ClickException(f"the card does not take the settings: {fault.strerror}") from None
    if isinstance(outcome, Ready):
        _finish_or_describe(places, outcome.changed, told, put_line)
        mark.unlink(missing_ok=True)
        (notice / "notice.json").unlink(missing_ok=True)
        return
    text = to_text(notice_of(outcome, lost.exists()))
    write_safely(notice / "notice.json", text.encode(), 0o644)  # the screen's user reads it
    mark.touch()
    raise click.ClickException(_in_journal(outcome))


def _forget_loss(lost: Path) -> None:
    """Staff were told, for they have written a new activation code since; the log tells support."""
    if lost.exists():
        log.warning("the data partition was made anew before this: records that waited on it are lost")
        lost.unlink()


def _finish_or_describe(places: FirstBootPaths, changed: bool, told: Path, put_line: PutLine) -> None:
    """Whatever this meets, the kiosk starts with the settings in force."""
    try:
        finish_or_describe(places, changed, told, put_line, lambda: secrets.token_hex(16))
    except OSError as fault:
        log.error("what changed on the card cannot be told: %s", fault.strerror)


def _take(places: FirstBootPaths, told: Path, wish: Path, put_line: PutLine) -> None:
    try:
        take(places, told, wish, put_line)
    except (NotTakenError, ConfigError) as why:
        _finish_or_describe(places, True, told, put_line)  # staff see how things stand now
        raise click.ClickException(str(why)) from None
    except OSError as fault:
        raise click.ClickException(f"the settings cannot be taken: {fault.strerror}") from None


def notice_of(outcome: Outcome, data_lost: bool) -> Notice:
    """What the screen says to whoever stands before the box with the card in hand."""
    match outcome:
        case Faulty(error):
            ja, en = lines(error.faults, "ja"), lines(error.faults, "en")
            told = Notice(
                NoticeWords(
                    "設定を待っています",
                    (
                        "SD カードの kiosk.toml を直します。続きは QR コードで見られます。",
                        *shortened(ja, "ほか {} 件"),
                    ),
                ),
                NoticeWords(
                    "Waiting for the settings: mend kiosk.toml on the SD card.", shortened(en, "and {} more")
                ),
                qr_text(error.faults, "ja"),
            )
        case NoCa(name):
            told = Notice(
                NoticeWords(
                    "設定を待っています",
                    (f"照会先の CA 証明書 {name} を、SD カードの kiosk.toml の隣に置いてください。",),
                ),
                NoticeWords(
                    "Waiting for the settings",
                    (f"Put the service's CA certificate, {name}, beside kiosk.toml.",),
                ),
            )
        case NoSecret():
            told = Notice(
                NoticeWords(
                    "設定を待っています",
                    (
                        "この端末の鍵を SD カードにしまえません。自動でくり返し試みます。",
                        "変わらなければ、SD カードを新しいものに取りかえてください。",
                    ),
                ),
                NoticeWords(
                    "Waiting: this device cannot keep its key.",
                    ("It is tried again by itself; if that does not help, put in a new SD card.",),
                ),
            )
        case NotEnrolled(reason):
            told = Notice(
                NoticeWords(
                    "登録を待っています",
                    (
                        "照会先への登録ができていません。自動でくり返し試みます。",
                        "LAN ケーブルと、kiosk.toml の医療機関コード、"
                        "アクティベーションコード、登録先を確かめてください。",
                    ),
                ),
                NoticeWords("Waiting for the enrolment; it is tried again by itself.", (reason,)),
            )
        case Ready():
            return FALLBACK_NOTICE
    return _after_loss(told) if data_lost else told


def _after_loss(told: Notice) -> Notice:
    """The data partition was destroyed: records that waited are gone, and nobody may think otherwise."""
    ja = (
        "SD カードの記録領域がこわれたため、作り直しました。送信待ちの記録は失われています。",
        "新しいアクティベーションコードが必要です。",
    )
    en = "The card's data were destroyed and made anew; waiting records are lost. A new code is needed."
    # Without the code: the loss needs its room, and stands before everything else.
    return Notice(
        NoticeWords(told.ja.title, (*ja, *told.ja.lines)), NoticeWords(told.en.title, (en, *told.en.lines))
    )


def _in_journal(outcome: Outcome) -> str:
    match outcome:
        case Faulty(error):
            return str(error)
        case NoCa(name):
            return f"{name}: the service's CA certificate is not beside kiosk.toml"
        case NoSecret():
            return "the device's secret is neither there nor can it be made: see kiosk-secret.service"
        case NotEnrolled(reason):
            return reason
        case Ready():
            return ""


def _enrol(settings: Settings, path: Path, code: str, url: str) -> None:
    """As the uploader's user, whose the key shall be and who alone speaks to the service."""
    folder = settings.service.key.parent
    folder.mkdir(mode=0o700, exist_ok=True)
    shutil.chown(folder, UPLOADER, UPLOADER)
    command = [sys.argv[0], "provision", "enrol", "--sealed"]
    command += ["--config", str(path), "--code", "-", "--enrolment-url", url]
    done = subprocess.run(
        command,
        input=f"{code}\n{_secret(SEALED, OPENED)}\n",
        capture_output=True,
        text=True,
        check=False,
        user=UPLOADER,
        group=UPLOADER,
        extra_groups=["kiosk"],
    )
    if done.returncode != 0:
        raise EnrolmentError(done.stderr.strip().removeprefix("Error: ") or "enrolment ended without a word")


def _secret(sealed: Path, opened: Path) -> str:
    """What the key is sealed with. One that cannot be opened is made anew: what it sealed is lost already,
    and whoever wrote an activation code onto the card wants a new key. Raises SecretError.
    """
    if not opened.exists():
        sealed.unlink(missing_ok=True)
        subprocess.run(OPEN, check=False)
    try:
        return opened.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise SecretError from None


def _put_line(card: CardFile, folder: Path) -> None:
    """Write what changed, and have it looked at."""
    folder.mkdir(mode=0o755, exist_ok=True)
    folder.chmod(0o755)  # systemd-networkd has a user of its own
    before = {
        name: path.read_text(encoding="utf-8") if (path := folder / name).exists() else "" for name in RELOAD
    }
    network = with_kept_password(card.network, before[WIFI])
    share = with_kept_secret(card.share, before[WHERE], before[CREDENTIALS])
    wanted = line_files(network) | share_files(share)
    changed = [name for name, text in wanted.items() if text != before[name]]
    for name in changed:
        if text := wanted[name]:
            write_safely(folder / name, text.encode(), 0o600 if name in SECRET_FILES else 0o644)
        else:
            (folder / name).unlink()
    for command in dict.fromkeys(RELOAD[name] for name in changed):
        subprocess.run(command, check=False, timeout=60)
