"""How the box reaches its line: files for systemd-networkd, wpa_supplicant and timesyncd, from `[network]`.
PURE.
"""

import re
from dataclasses import replace

from kiosk.config.first_boot_settings import Network

WIRED = "10-kiosk.network"
WIFI = "wpa_supplicant-wlan0.conf"
TIME = "timesyncd.conf"


def line_files(network: Network) -> dict[str, str]:
    """Name → text; "" where the system's usual way stays. systemd.network(5), wpa_supplicant.conf(5)."""
    return {WIRED: _wired(network), WIFI: _wifi(network), TIME: _time(network)}


def with_kept_password(network: Network, wifi: str) -> Network:
    """The same Wi-Fi's password out of its file `wifi`: on the card it is empty once it was taken."""
    ssid = re.search(r"^\tssid=([0-9a-f]+)$", wifi, re.MULTILINE)
    psk = re.search(r'^\tpsk=(?:"(.+)"|([0-9A-Fa-f]{64}))$', wifi, re.MULTILINE)
    if network.wifi_password or ssid is None or psk is None or ssid[1] != network.wifi_name.encode().hex():
        return network
    return replace(network, wifi_password=psk[1] or psk[2])


def _wired(network: Network) -> str:
    if not network.ethernet_address and not network.dns:
        return ""
    lines = ["[Match]", "Name=eth*" if network.ethernet_address else "Name=eth* wlan*", "", "[Network]"]
    lines += ["LLMNR=no", "MulticastDNS=no", "LLDP=no", "EmitLLDP=no"]
    lines += [f"DNS={server}" for server in network.dns]
    if network.ethernet_address:
        lines += [f"Address={network.ethernet_address}", f"Gateway={network.ethernet_gateway}"]
    else:
        lines += ["DHCP=yes", "", "[DHCPv4]", "UseDNS=no", "SendHostname=no", "ClientIdentifier=mac"]
    return "\n".join(lines) + "\n"


def _wifi(network: Network) -> str:
    if not network.wifi_name:
        return ""
    # Both as hexadecimal digits or in quotes: neither can end the line it stands in.
    secret = network.wifi_password
    psk = secret if len(secret) == 64 else f'"{secret}"'
    lines = [
        f"country={network.wifi_country}",
        "network={",
        f"\tssid={network.wifi_name.encode().hex()}",
    ]
    return "\n".join([*lines, "\tkey_mgmt=WPA-PSK SAE", f"\tpsk={psk}", "\tieee80211w=1", "}"]) + "\n"


def _time(network: Network) -> str:
    if not network.time_servers:
        return ""
    return f"[Time]\nNTP={' '.join(network.time_servers)}\n"
