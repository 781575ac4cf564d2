"""The settings file after the first boot: the same text with its secrets emptied, comments kept.

On flash memory the old bytes may survive in blocks that no file shows any more; only their use ends here: the
code is spent, the passcode is known as a hash, the Wi-Fi's password lies where the kiosk keeps its keys.
"""

import tomllib
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

import tomlkit

from kiosk.config.first_boot_settings import SECRETS, STORED_PASSCODE

Hash = Callable[[str], str]  #: a typed passcode → the text that is kept


def without_secrets(text: str, hashed: Hash | None = None) -> str:
    """Empty what `SECRETS` names, and each passcode that is written in digits.

    With `hashed` the passcodes are kept as that, and the first member of staff becomes a `[[staff]]` section.
    Raises ValueError for what is not TOML. Applied twice it changes nothing more.
    """
    document = tomlkit.parse(text)
    number, passcode = (_take(document, "first_boot", key) for key in ("staff_number", "staff_passcode"))
    for section, key in SECRETS:
        _take(document, section, key)
    for member in _typed(document):
        member["passcode"] = hashed(str(member["passcode"])) if hashed else ""
    wiped = tomlkit.dumps(document)
    if number and passcode and hashed:
        section = f'[[staff]]\nnumber = "{number}"\npasscode = "{hashed(passcode)}"\n'
        wiped = f"{wiped.rstrip()}\n\n{section}"
    _assert_wiped(wiped)
    return wiped


def _assert_wiped(text: str) -> None:
    """TOML has many ways to write a table; whichever was used, no secret may stand there now."""
    data = tomllib.loads(text)
    assert not any(data.get(section, {}).get(key) for section, key in SECRETS), "a secret was left"
    assert not list(_typed(data)), "a passcode was left"


def _typed(data: MutableMapping[str, Any]) -> Iterator[MutableMapping[str, Any]]:
    """The members of staff whose passcode is neither empty nor a hash."""
    staff = data.get("staff")
    for member in staff if isinstance(staff, list) else ():
        passcode = member.get("passcode", "") if isinstance(member, MutableMapping) else ""
        if passcode and not (isinstance(passcode, str) and passcode.startswith(STORED_PASSCODE)):
            yield member


def _take(document: tomlkit.TOMLDocument, section: str, key: str) -> str:
    """The value of a key, which is "" from now on."""
    table = document.get(section)
    if not isinstance(table, MutableMapping) or key not in table:
        return ""
    value = str(table[key])
    table[key] = ""
    return value
