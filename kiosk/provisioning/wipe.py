"""The settings file after the first boot: the same text with its secrets emptied, comments kept.

On flash memory the old bytes may survive in blocks that no file shows any more; only their use ends here: the
code is spent, the passcode is known as a hash, the Wi-Fi's password lies where the kiosk keeps its keys.
"""

import tomllib
from collections.abc import MutableMapping

import tomlkit

from kiosk.provisioning.sections import SECRETS


def without_secrets(text: str, staff_hash: str = "") -> str:
    """Empty what `SECRETS` names; the first member of staff with `staff_hash` becomes a `[[staff]]` section.

    Raises ValueError for what is not TOML. Applied twice it changes nothing more.
    """
    document = tomlkit.parse(text)
    number = _take(document, "first_boot", "staff_number") if staff_hash else ""
    for section, key in SECRETS:
        _take(document, section, key)
    wiped = tomlkit.dumps(document)
    if number:
        wiped = f'{wiped.rstrip()}\n\n[[staff]]\nnumber = "{number}"\npasscode = "{staff_hash}"\n'
    _assert_wiped(wiped)
    return wiped


def _assert_wiped(text: str) -> None:
    """TOML has many ways to write a table; whichever was used, no secret may stand there now."""
    data = tomllib.loads(text)
    assert not any(data.get(section, {}).get(key) for section, key in SECRETS), "a secret was left"


def _take(document: tomlkit.TOMLDocument, section: str, key: str) -> str:
    """The value of a key, which is "" from now on."""
    table = document.get(section)
    if not isinstance(table, MutableMapping) or key not in table:
        return ""
    value = str(table[key])
    table[key] = ""
    return value
