"""What a changed settings file would change, said without any secret.

The first boot took the secrets out of the card's file: an empty passcode there stands for the one in force,
and the first member of staff, who stood under `[first_boot]`, stands nowhere in it any more.
"""

import tomllib
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import tomlkit

from kiosk.channel.changed_settings_messages import LONGEST, SettingChange
from kiosk.config.first_boot_settings import SECRETS
from kiosk.provisioning.wipe import without_secrets

#: Who the kiosk is, whom it believes and where its records lie: `section` or `section.key`.
FIXED = frozenset(
    {"clinic.institution", "clinic.terminal", "first_boot.enrolment_url", "reader.trust", "outbox.path"}
    | {f"service.{key}" for key in ("name", "url", "ca", "certificate", "key")}
    | {"run", "update.flags"}
)


def completed(text: str, in_force: str, taken: str) -> str:
    """The card's text with the hashes of the passcodes that were taken out of it.

    `taken`: how the card's file read before it was changed. No line moves. Raises ValueError: not TOML.
    """
    document = tomlkit.parse(text)
    kept = _staff(tomllib.loads(in_force))
    here = list(_members(document))
    for member in here:
        if member.get("passcode") == "" and str(member.get("number")) in kept:
            member["passcode"] = kept[str(member["number"])]
    full = tomlkit.dumps(document)
    if _value(document, "first_boot", "staff_number"):
        return full
    named = {*_staff(tomllib.loads(taken)), *(str(member.get("number")) for member in here)}
    hidden = [number for number in kept if number not in named]
    sections = [f'[[staff]]\nnumber = "{number}"\npasscode = "{kept[number]}"\n' for number in hidden]
    return "\n".join([f"{full.rstrip()}\n", *sections]) if sections else full


def changes(in_force: str, full: str) -> tuple[SettingChange, ...]:
    """What differs between the settings in force and the completed text of the card, the fixed ones first."""
    old, new = tomllib.loads(in_force), tomllib.loads(without_secrets(full, _pretended))
    found = [*_settings(old, new), *_people(old, new)]
    written = tomllib.loads(full)
    for section, key in SECRETS:
        if section != "first_boot" and _value(written, section, key):
            found.append(SettingChange(section=section, key=key, secret=True))
    return tuple(sorted(found, key=lambda each: not each.fixed))


def _pretended(_: str) -> str:
    """Stands for a hash, and is none that is in force."""
    return "scrypt$"


def _settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[SettingChange]:
    before, after = dict(_flat(old)), dict(_flat(new))
    for section, key in [*before, *(each for each in after if each not in before)]:
        was, will = before.get((section, key)), after.get((section, key))
        if was != will and (was or None, will or None) != (None, None):
            fixed = section in FIXED or f"{section}.{key}" in FIXED
            yield SettingChange(section=section, key=key, old=_short(was), new=_short(will), fixed=fixed)


def _people(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[SettingChange]:
    before, after = _staff(old), _staff(new)
    for number in sorted({*before, *after}):
        if before.get(number) != after.get(number):
            was, will = (number if number in staff else None for staff in (before, after))
            yield SettingChange(section="staff", key=number, old=was, new=will, secret=True)


def _flat(data: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], str]]:
    for section, table in data.items():
        if isinstance(table, Mapping):
            yield from (((section, key), _text(value)) for key, value in table.items())


def _text(value: object) -> str:
    """A value as staff would write it."""
    match value:
        case bool():
            return "true" if value else "false"
        case list():
            return ", ".join(str(each) for each in value)
        case _:
            return str(value)


def _short(text: str | None) -> str | None:
    """Both ends of a value that is too long for a line."""
    if text is None or len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST // 2]}…{text[1 - LONGEST // 2 :]}"


def _members(data: Mapping[str, Any]) -> Iterator[MutableMapping[str, Any]]:
    staff = data.get("staff")
    for member in staff if isinstance(staff, list) else ():
        if isinstance(member, MutableMapping):
            yield member


def _staff(data: Mapping[str, Any]) -> dict[str, str]:
    """Number → what is kept of the passcode."""
    return {str(each.get("number")): str(each.get("passcode")) for each in _members(data)}


def _value(data: Mapping[str, Any], section: str, key: str) -> str:
    table = data.get(section)
    return str(table.get(key, "")) if isinstance(table, Mapping) else ""
