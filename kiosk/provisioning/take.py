"""A settings file on the card that was changed: told to staff, and taken once they gave their passcode.

The kiosk goes on with the settings in force meanwhile. What was shown is what is taken: the offer holds for
one content of the file. A power cut in between is made good at the next start, for the passcode was given:
the mark `taking` names the file and the draft that comes into force. A file with a new code is first_boot's.
"""

import hmac
import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from kiosk.channel.changed_settings_messages import (
    CHANGED_FILE,
    MOST,
    ChangedFile,
    SettingChange,
    SettingFault,
)
from kiosk.config.fault_words import Mistake
from kiosk.config.settings import CardFile, ConfigError, card_of, load, load_card, read_text, rulebook
from kiosk.config.table import ConfigFault, fault, key_lines
from kiosk.provisioning.changes import changes, completed
from kiosk.provisioning.first_boot_steps import FirstBootPaths, PutLine, digest_of, put_in_force, write_draft
from kiosk.uploader.identity.keypairs import sync_folder, write_safely

log = logging.getLogger(__name__)

#: The offer and the digest of its file; for root alone, since a passcode may stand in that file.
OFFERED = "offered"
LONGEST_WISH = 64  #: bytes


@dataclass(frozen=True)
class Proposal:
    """A changed file that could be taken."""

    full: str  #: with the passcodes that the file no longer holds
    card: CardFile
    changes: tuple[SettingChange, ...]


class NotTakenError(Exception):
    """The wish does not fit what is there now; nothing was changed."""


def finish_or_describe(
    places: FirstBootPaths, changed: bool, offers: Path, put_line: PutLine, new_offer: Callable[[], str]
) -> None:
    """With settings in force: end a taking that was cut off, else put what changed into the folder `offers`.

    A file that changes nothing but its comments counts as taken. Raises OSError.
    """
    if places.taking.exists():
        changed = _finish(places, changed, put_line)
    if changed:
        found = _described(places, new_offer)
        if found.changes or found.faults:
            _offer(places, offers, found)
            return
        write_safely(places.taken, places.written.read_bytes(), 0o600)
    _forget(places, offers)


def take(places: FirstBootPaths, offers: Path, wish: Path, put_line: PutLine) -> None:
    """Do as staff wished: the wish names the offer. Raises NotTakenError, ConfigError, OSError."""
    wished = _read_wish(wish)
    offered = (offers / OFFERED).read_bytes() if (offers / OFFERED).exists() else b""
    offer, _, digest = offered.partition(b" ")
    if not offer or not hmac.compare_digest(wished, offer):
        raise NotTakenError("what was wished for is not what is offered now")
    if not hmac.compare_digest(digest, digest_of(places.written)):
        raise NotTakenError("the file on the card is not the one that was shown")
    proposal = propose(places)
    if any(change.fixed for change in proposal.changes):
        raise NotTakenError("who the kiosk is changes with a new activation code only")
    draft = write_draft(places, proposal.full)
    load(draft)
    write_safely(places.taking, digest + b" " + digest_of(draft), 0o600)
    put_line(proposal.card)
    put_in_force(places, draft)
    _forget(places, offers)


def propose(places: FirstBootPaths) -> Proposal:
    """Judge the file as the first boot does, without what only the first boot needs. Raises ConfigError."""
    text = read_text(places.written)
    in_force = places.in_force.read_text(encoding="utf-8")
    try:
        full = completed(text, in_force, read_text(places.taken))
    except (ValueError, RecursionError) as reason:
        raise _not_toml(places, reason) from None
    card = card_of(full, places.written, fresh=True, complete=False)
    if card.first_boot.activation_code:
        load_card(places.written)  # a file for enrolling anew, in which something is missing
    lacking = _lacking(card, key_lines(text), load_card(places.in_force, fresh=False))
    if lacking:
        raise ConfigError(places.written, lacking)
    try:
        return Proposal(full, card, changes(in_force, full))
    except ValueError as reason:  # such as a list of staff in one line, and a first member besides
        raise _not_toml(places, reason) from None


def _not_toml(places: FirstBootPaths, reason: Exception) -> ConfigError:
    """What the strict reader says, with its line; else what the one that keeps comments says."""
    try:
        load_card(places.written)
    except ConfigError as error:
        return error
    return ConfigError(places.written, (fault(None, "file", Mistake.NOT_TOML, str(reason)),))


def _lacking(card: CardFile, lines: dict[str, int], before: CardFile) -> tuple[ConfigFault, ...]:
    """The password of another Wi-Fi or share, and somebody who can come in."""
    wanted = []
    network, share = card.network, card.share
    if network.wifi_name not in ("", before.network.wifi_name) and not network.wifi_password:
        wanted.append(("network", "wifi_password"))
    another = (share.address, share.user) != (before.share.address, before.share.user)
    if share.address and another and not share.password:
        wanted.append(("share", "password"))
    if not card.settings.staff and not card.first_boot.staff_number:
        wanted.append(("first_boot", "staff_number"))
    rules = {(rule.section, rule.key): rule for rule in rulebook().rules}
    found = []
    for section, key in wanted:
        full, rule = f"{section}.{key}", rules[section, key]
        problem = Mistake.MUST_BE if full in lines else Mistake.MISSING
        found.append(fault(lines.get(full, lines.get(section)), full, problem, rule.what, rule.what_ja))
    return tuple(found)


def _finish(places: FirstBootPaths, changed: bool, put_line: PutLine) -> bool:
    """End the taking; returns whether the card's file is still another than the one in force."""
    digest = places.taking.read_bytes().partition(b" ")[2]
    if _resume(places, put_line):
        log.info("the changed settings, which were being taken when the power failed, are in force")
        return False
    if digest_of(places.in_force) == digest:
        return changed  # only the mark was left
    log.warning("settings were being taken when the power failed, and the card holds other ones by now")
    write_safely(places.taken, b"", 0o600)  # it may be that of the settings that did not come into force
    return True


def _resume(places: FirstBootPaths, put_line: PutLine) -> bool:
    """Go on where the power failed; False when the card holds another file by now."""
    card, _, digest = places.taking.read_bytes().partition(b" ")
    if not places.written.exists() or digest_of(places.written) != card:
        return False
    draft = places.draft
    if draft.exists() and digest_of(draft) == digest:
        put_line(propose(places).card)
        put_in_force(places, draft)
    return digest_of(places.in_force) == digest


def _described(places: FirstBootPaths, new_offer: Callable[[], str]) -> ChangedFile:
    try:
        found = propose(places).changes
    except ConfigError as error:
        lines = tuple(SettingFault(ja=each.in_japanese(), en=str(each)) for each in error.faults)
        return ChangedFile(offer="", faults=lines[:MOST], more=max(0, len(lines) - MOST))
    return ChangedFile(offer=new_offer(), changes=found[:MOST], more=max(0, len(found) - MOST))


def _offer(places: FirstBootPaths, offers: Path, found: ChangedFile) -> None:
    """What root offers, and what the uploader may read of it."""
    offered = f"{found.offer} ".encode() + digest_of(places.written) if found.offer else b""
    write_safely(offers / OFFERED, offered, 0o600)
    file = offers / CHANGED_FILE
    write_safely(file, msgspec.json.encode(found), 0o640)
    shutil.chown(file, group=places.kept.group())


def _forget(places: FirstBootPaths, offers: Path) -> None:
    """Nothing is changed, and nothing is being taken."""
    for name in (OFFERED, CHANGED_FILE):
        (offers / name).unlink(missing_ok=True)
    places.taking.unlink(missing_ok=True)
    sync_folder(places.kept)


def _read_wish(wish: Path) -> bytes:
    """What stands in it; it is gone then. Somebody else's folder: no link is followed, no pipe waited for."""
    try:
        handle = os.open(wish, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            return file.read(LONGEST_WISH) or b""
    except OSError as fault:
        log.warning("the wish cannot be read: %s", fault.strerror)
        return b""
    finally:
        wish.unlink(missing_ok=True)
