"""A box whose line is Wi-Fi: a virtual radio in the guest, and an access point on a second one.

mac80211_hwsim is a module of Debian's own kernel, loaded from the kernel's command line: the image is not
changed.
"""

import time

from tests.image.counter import Counter
from tests.image.machine import Machine
from tests.image.report import Report

RADIOS = "modules-load=mac80211_hwsim mac80211_hwsim.radios=2"
NAME, SECRET = "さくら通り 受付", 'a "quoted" secret'
UNIT = "wpa_supplicant@wlan0"
JOIN_S = 180.0
#: The access point, which wpa_supplicant can be too; as hexadecimal digits, as in the kiosk's own file.
POINT = f"""network={{
    ssid={NAME.encode().hex()}
    mode=2
    frequency=2412
    key_mgmt=WPA-PSK
    proto=RSN
    pairwise=CCMP
    psk="{SECRET}"
}}"""


def written(text: str) -> str:
    """The card's file with the line in it, as staff would write it."""
    lines = (
        ('wifi_name = ""', f'wifi_name = "{NAME}"'),
        ('wifi_password = ""', f"wifi_password = '{SECRET}'"),
    )
    for before, after in lines:
        assert before in text, f"{before} is no longer in the card's file"
        text = text.replace(before, after, 1)
    return text


def wifi(_: Counter, machine: Machine, report: Report) -> None:
    """The first boot has written the line's file while the radio waited for it; the box joins."""
    machine.shell(f"printf '%s\\n' '{POINT}' > /run/point.conf")
    machine.shell("wpa_supplicant -B -i wlan1 -c /run/point.conf -f /run/point.log")
    begun = time.monotonic()

    def joined() -> bool:
        return "CTRL-EVENT-CONNECTED" in machine.shell(f"journalctl -b -o cat -u {UNIT}")

    machine.wait("the Wi-Fi", joined, JOIN_S, every_s=3)
    took = f"{time.monotonic() - begun:.0f} s after the access point came"
    report.figure("Wi-Fi of the card's settings joined", took, True)
    state = machine.shell("cat /sys/class/net/wlan0/operstate")
    report.figure("  its line", state, state == "up")
    kept = machine.shell(f"grep -c -F '{SECRET}' /boot/firmware/kiosk.toml || true")
    report.figure("  its password left on the card", kept, kept == "0")
    failed = machine.shell("systemctl --failed --no-legend --plain | awk '{print $1}'").strip()
    report.figure("  failed units", failed or "none", not failed)
