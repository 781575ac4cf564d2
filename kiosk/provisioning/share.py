"""How the box reaches the clinic's shared folder: files for kiosk-share.service, from `[share]`."""

import re
from dataclasses import replace

from kiosk.config.first_boot_settings import Share

WHERE = "share.env"
CREDENTIALS = "share.credentials"


def share_files(share: Share) -> dict[str, str]:
    """Name → text; "" where there is no share. EnvironmentFile= of systemd.exec(5), credentials= of
    mount.cifs(8).
    """
    if not share.address:
        return {WHERE: "", CREDENTIALS: ""}
    lines = [f"username={share.user}", f"password={share.password}"]
    lines += [f"domain={share.domain}"] if share.domain else []
    return {WHERE: f'KIOSK_SHARE="{share.address}"\n', CREDENTIALS: "\n".join(lines) + "\n"}


def with_kept_secret(share: Share, where: str, credentials: str) -> Share:
    """The same share's and user's password out of their files: on the card it is empty once it was taken."""
    kept = re.search(r"^password=(.*)$", credentials, re.MULTILINE)
    if share.password or kept is None:
        return share
    before = share_files(replace(share, password=kept[1]))
    same_user = f"username={share.user}\n" in credentials
    return replace(share, password=kept[1]) if before[WHERE] == where and same_user else share
