"""The first boot: the settings on the card become a kiosk's, its key is made, it enrols, the secrets are
wiped.

Survives a power cut at any instant, because each step may be done again and one rename decides:

1. the settings are checked, the CA and the line's settings are put in place (again, if that was done before);
2. the key is made and the activation code sent; the same code with the same key gets the same certificate;
3. what the card's file shall read afterwards is written down (`taken.toml`, with a mark that it is to be
done); 4. the settings come into force: `kiosk.toml` is renamed into place. From here on the kiosk starts; 5.
the file on the card is overwritten where it lies and the mark goes; a mark that is still there at the next
start means that this was cut off.

The card's file is overwritten in place and keeps its length: FAT has no rename that survives a power cut.
What staff change in it later is taken by take.py.
"""

import hashlib
import logging
import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kiosk.config.passcodes import SALT_BYTES, hash_passcode
from kiosk.config.settings import CardFile, ConfigError, Settings, load, load_card, read_text
from kiosk.provisioning.wipe import without_secrets
from kiosk.uploader.identity.enrolment import EnrolmentError
from kiosk.uploader.identity.keypairs import sync_folder, write_safely

log = logging.getLogger(__name__)

#: Settings, the file that they were read from, activation code, address; raises EnrolmentError, SecretError.
Enrol = Callable[[Settings, Path, str, str], object]
PutLine = Callable[[CardFile], None]  #: sets up Wi-Fi, addresses and time servers


@dataclass(frozen=True)
class FirstBootPaths:
    """Where the first boot reads and writes."""

    card: Path  #: the FAT partition
    kept: Path  #: survives updates; readable for the three processes

    @property
    def written(self) -> Path:
        """What staff wrote."""
        return self.card / "kiosk.toml"

    @property
    def in_force(self) -> Path:
        return self.kept / "kiosk.toml"

    @property
    def draft(self) -> Path:
        """Settings that are about to come into force."""
        return self.kept / "kiosk.toml.draft"

    @property
    def taken(self) -> Path:
        """What the card's file reads once its secrets are out."""
        return self.kept / "taken.toml"

    @property
    def to_wipe(self) -> Path:
        """There while the card's file still has to be overwritten."""
        return self.kept / "to-wipe"

    @property
    def taking(self) -> Path:
        """There while a changed file is taken for which staff gave their passcode (take.py)."""
        return self.kept / "taking"


@dataclass(frozen=True)
class Ready:
    """The settings are in force; `changed`: the card's file differs from them, and was not taken."""

    changed: bool = False


@dataclass(frozen=True)
class Faulty:
    """The settings on the card cannot be used."""

    error: ConfigError


@dataclass(frozen=True)
class NoCa:
    """The file with the service's CA certificate is not where the settings say."""

    name: str


@dataclass(frozen=True)
class NotEnrolled:
    """The service did not give a certificate, or was not reached."""

    reason: str


@dataclass(frozen=True)
class NoSecret:
    """This device has nothing to seal its key with."""


class SecretError(Exception):
    """The same, from who was to enrol."""


Outcome = Ready | Faulty | NoCa | NoSecret | NotEnrolled


def first_boot(places: FirstBootPaths, enrol: Enrol, put_line: PutLine) -> Outcome:
    """Bring the card's settings into force, or go on from where a power cut ended this. Raises OSError."""
    if places.to_wipe.exists():
        if places.in_force.exists() and digest_of(places.in_force) == places.to_wipe.read_bytes():
            _wipe_card(places)
        else:
            places.to_wipe.unlink()  # cut off before the settings came into force: all is done again
    if places.in_force.exists():
        if places.written.exists() and places.written.read_bytes() == places.taken.read_bytes():
            return Ready()
        if not _has_new_code(places.written):
            log.warning("the settings on the card were changed; they are taken with a passcode on the screen")
            return Ready(changed=True)
    try:
        card = load_card(places.written)
    except ConfigError as fault:
        return Faulty(fault)
    if not _keep_ca(places, card):
        return NoCa(card.settings.service.ca.name)
    put_line(card)
    draft = write_draft(places, read_text(places.written))
    try:
        enrol(load(draft), draft, card.first_boot.activation_code, card.first_boot.enrolment_url)
    except SecretError:
        return NoSecret()
    except EnrolmentError as fault:
        return NotEnrolled(str(fault))
    put_in_force(places, draft)
    places.taking.unlink(missing_ok=True)  # what was being taken before is no longer on the card
    return Ready()


def put_in_force(places: FirstBootPaths, draft: Path) -> None:
    """From the draft to the settings in force, and from the card's file to one without secrets."""
    write_safely(places.taken, _padded(places.written.read_bytes()), 0o600)
    write_safely(places.to_wipe, digest_of(draft), 0o600)
    draft.rename(places.in_force)
    sync_folder(places.kept)
    _wipe_card(places)


def digest_of(path: Path) -> bytes:
    """Names a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest().encode()


def _has_new_code(path: Path) -> bool:
    """Whether somebody wrote a file for enrolling anew: that code is the service's word that they may."""
    try:
        return bool(load_card(path).first_boot.activation_code)
    except ConfigError:
        return False


def _keep_ca(places: FirstBootPaths, card: CardFile) -> bool:
    """Copy the service's CA, and the trust folder if it is on the card, beside the settings in force."""
    source = card.settings.service.ca
    if not source.is_relative_to(places.card):
        return source.is_file()
    if not source.is_file():
        return False
    _keep(places, source)
    trust = card.settings.reader.trust
    if trust.is_relative_to(places.card):
        for file in sorted(trust.glob("*")):
            _keep(places, file)
    return True


def _keep(places: FirstBootPaths, file: Path) -> None:
    """Copy a file of the card to the same place beside the settings in force; no secret, for all to read."""
    goal = places.kept / file.relative_to(places.card)
    if goal.parent != places.kept:
        goal.parent.mkdir(exist_ok=True)
        goal.parent.chmod(0o755)  # whatever the umask is: the reader's user looks in
    write_safely(goal, file.read_bytes(), 0o644)


def _hashed(typed: str) -> str:
    return hash_passcode(bytearray(typed.encode()), secrets.token_bytes(SALT_BYTES))


def write_draft(places: FirstBootPaths, text: str) -> Path:
    """The settings without secrets, each member of staff with a hash, beside the place where they go."""
    text = without_secrets(text, _hashed)
    draft = places.draft
    write_safely(draft, text.encode(), 0o640)
    shutil.chown(draft, group=places.kept.group())
    return draft


def _padded(written: bytes) -> bytes:
    """The card's file without its secrets, as long as it was."""
    wiped = without_secrets(written.decode("utf-8-sig")).encode()
    return wiped + b"\n" * (len(written) - len(wiped))


def _wipe_card(places: FirstBootPaths) -> None:
    """Overwrite the file where it lies, then forget that it was to be done."""
    wiped = places.taken.read_bytes()
    with places.written.open("r+b" if places.written.exists() else "w+b", buffering=0) as file:
        file.write(wiped)
        file.truncate(len(wiped))
        os.fsync(file.fileno())
    places.to_wipe.unlink()
    sync_folder(places.kept)
