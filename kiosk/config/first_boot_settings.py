"""The sections that make a written card a clinic's kiosk: `[network]`, `[share]` and `[first_boot]`.

The processes of the kiosk never see their values; the first boot uses them, then takes the secrets out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kiosk.config.table import ConfigFault, Table

_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
IPV4 = rf"(?:{_BYTE}\.){{3}}{_BYTE}"
HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?"
#: IEEE 802.11 (the passphrase of WPA2/WPA3 personal): 8 to 63 printable ASCII characters, or the key in hex.
SSID_OCTETS = 32  #: IEEE 802.11-2020, 9.4.2.2
WPA = r"[\x20-\x7e]{8,63}|[0-9A-Fa-f]{64}"
_NAME = r'[^\x00-\x1f\x7f\u2028\u2029"*,/:;<>?\[\\\]|]{1,80}'  #: of a share or a folder: what Windows takes
SHARE = rf"//{HOST}(?:/{_NAME})+"
#: What mount.cifs(8) does not take for the end of the name; it is written into a file of lines.
SHARE_USER = r'[^\x00-\x1f\x7f\u2028\u2029"%*+,/:;<=>?@\[\\\]|]{1,64}'
ACTIVATION_CODE = r"[0-9](?:[ -]?[0-9]){11}"
_UP = "".join(f"{d}(?={(d + 1) % 10}|$)|" for d in range(10)).rstrip("|")
_DOWN = "".join(f"{d}(?={(d - 1) % 10}|$)|" for d in range(10)).rstrip("|")
#: The screen's pad has digits only; six hold off guessing between two alarms. One digit repeated and runs
#: such as 123456 are what anybody tries first (JC-STAR ★1: no passwords that are easily guessed).
PASSCODE = rf"(?!([0-9])\1+$)(?!(?:{_UP})+$)(?!(?:{_DOWN})+$)[0-9]{{6,12}}"
PASSCODE_WHAT = "6 to 12 digits, not all alike and not in a row"
STAFF_NUMBER = r"[0-9]{3,6}"
STORED_PASSCODE = "scrypt$"  #: how a hash begins (kiosk/config/passcodes.py)
STORED = r"scrypt\$[A-Za-z0-9$+/=]+"


@dataclass(frozen=True)
class Network:
    """How the kiosk reaches the line. Ethernet is always on; without an address it asks DHCP."""

    wifi_name: str  #: "": no Wi-Fi
    wifi_password: str = field(repr=False)
    wifi_country: str  #: ISO 3166-1, for the radio's legal channels
    ethernet_address: str  #: "192.0.2.5/24"; "": DHCP
    ethernet_gateway: str
    dns: tuple[str, ...]
    time_servers: tuple[str, ...]  #: NTP; none: those of the system


@dataclass(frozen=True)
class Share:
    """The clinic's shared folder (SMB), which the kiosk sees as /mnt/oqs: docs/clinic-folders.md."""

    address: str  #: "//192.0.2.10/OQS"; "": none
    user: str
    password: str = field(repr=False)
    domain: str  #: "": the computer's own users


@dataclass(frozen=True)
class FirstBoot:
    """What is used once; "" when it is no longer there."""

    enrolment_url: str
    activation_code: str = field(repr=False)  #: the digits alone
    staff_number: str
    staff_passcode: str = field(repr=False)


@dataclass(frozen=True)
class Need:
    """A key that only a kiosk that was never started needs; "" counts as none."""

    section: str
    key: str
    unless: str = ""  #: not when there is a [[section]] of this name
    when: str = ""  #: only when this `section.key` is there

    def missing(self, data: Mapping[str, Any]) -> bool:
        """Whether the file lacks it."""
        section, _, key = self.when.partition(".")
        there = data.get(self.unless) if self.unless else None
        wants = _section(data, section).get(key) if self.when else "always"
        if (isinstance(there, list) and there) or not (isinstance(wants, str) and wants):
            return False
        return bool(_section(data, self.section).get(self.key, "") == "")


NEEDS = (
    Need("first_boot", "enrolment_url"),
    Need("first_boot", "activation_code"),
    Need("first_boot", "staff_number", unless="staff"),
    Need("first_boot", "staff_passcode", unless="staff"),
    Need("network", "wifi_password", when="network.wifi_name"),
    Need("share", "password", when="share.address"),
)
#: What the first boot takes out of the file.
SECRETS = (
    ("first_boot", "activation_code"),
    ("first_boot", "staff_number"),
    ("first_boot", "staff_passcode"),
    ("network", "wifi_password"),
    ("share", "password"),
)


def _section(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = data.get(name)
    return found if isinstance(found, dict) else {}


def network(table: Table) -> Network:
    """Read `[network]`."""
    found = Network(
        wifi_name=table.text(
            "wifi_name",
            "the name of the Wi-Fi, 32 letters or 10 Japanese ones at most",
            "",
            octets=SSID_OCTETS,
        ),
        wifi_password=table.text("wifi_password", "the password of the Wi-Fi, 8 to 63 characters", "", WPA),
        wifi_country=table.text("wifi_country", 'the country as two letters, such as "JP"', "JP", "[A-Z]{2}"),
        ethernet_address=table.text(
            "ethernet_address",
            'an address with its prefix, such as "192.168.1.50/24"',
            "",
            rf"{IPV4}/(?:[12][0-9]|3[0-2]|[1-9])",
        ),
        ethernet_gateway=table.text("ethernet_gateway", 'an address such as "192.168.1.1"', "", IPV4),
        dns=table.words("dns", 'a list of addresses, such as ["192.168.1.1"]', IPV4),
        time_servers=table.words("time_servers", 'a list of servers, such as ["ntp.nict.jp"]', HOST),
    )
    table.together("ethernet_address", "ethernet_gateway")
    return found


def share(table: Table) -> Share:
    """Read `[share]`."""
    found = Share(
        address=table.text("address", 'the shared folder, such as "//192.168.1.10/OQS"', "", SHARE),
        user=table.text("user", "the name of the share's user", "", SHARE_USER),
        password=table.text("password", "the password of the share's user", "", octets=127),
        domain=table.text(
            "domain", "the domain or workgroup of the share's user", "", r"[A-Za-z0-9._-]{1,64}"
        ),
    )
    table.together("address", "user")
    return found


def first_boot(table: Table) -> FirstBoot:
    """Read `[first_boot]`."""
    found = FirstBoot(
        enrolment_url=table.text(
            "enrolment_url", "the https:// address of the enrolment", "", rf"https://{HOST}(?::[0-9]{{1,5}})?"
        ),
        activation_code=digits_of(
            table.text("activation_code", "the 12 digits of the activation code", "", ACTIVATION_CODE)
        ),
        staff_number=table.text("staff_number", "a personal staff number of 3 to 6 digits", "", STAFF_NUMBER),
        staff_passcode=table.text("staff_passcode", PASSCODE_WHAT, "", PASSCODE),
    )
    table.together("staff_number", "staff_passcode")
    return found


def digits_of(code: str) -> str:
    """The activation code as it is sent: people write it in groups."""
    return code.replace("-", "").replace(" ", "")


def check_digit_fits(institution: str) -> bool:
    """Whether the last of the ten digits is the check digit of the others.

    The code is prefecture (2), 点数表 (1), district and number (6) and the 検証番号 over all nine: weights
    2 and 1 from the right, digits of the products added (the method of 保険者番号設定要領).
    """
    total = 0
    for place, digit in enumerate(reversed(institution)):
        product = int(digit) * (2 if place % 2 else 1)
        total += product // 10 + product % 10
    return total % 10 == 0


INSTITUTION_DOUBT = (
    "the check digit does not fit; is a digit mistyped?",
    "検証番号 (最後の 1 桁) が合いません。打ち間違いがないか、保険医療機関の指定通知書と見くらべてください",
)


def doubts(institution: str, line: int | None = None) -> tuple[ConfigFault, ...]:
    """What looks wrong and is taken all the same: not every facility's code need follow the rule."""
    if check_digit_fits(institution):
        return ()
    return (ConfigFault(line, "clinic.institution", *INSTITUTION_DOUBT),)
