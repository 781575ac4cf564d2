"""The one table of what a patient may hold to the reader. PURE.

A new device is one row here and one row in each room that has to know more of it:

    kiosk/nfc/protocol/tokens.py (TOKENS)                its name in EF 0006, when its certificate can be read
    kiosk/screens/kit/device_pictures.py (PICTURES)      its mark, its movement, what the patient does
    kiosk/report/report_words.py (device)                its name in the report
    the catalogues and kiosk/screens/words/voices/sentences.toml    its words

`tests/qualification/test_devices.py` names the row or the words that were forgotten, and plays a visit with a
device that it adds to a copy of these tables.
"""

from enum import StrEnum
from typing import Literal, Self

from kiosk.qualification.terms import Authentication


class DeviceKind(StrEnum):
    """What kind of thing it is, which decides how it is laid down and taken away. Also a stem of words."""

    CARD = "card"
    PHONE = "phone"


#: How a device proves its owner without staff: by the PIN, which is typed on the kiosk; or on the phone
#: itself before it is held, and then no PIN is ever asked for or sent.
OwnersProof = Literal[Authentication.PIN, Authentication.PHONE]


class Device(StrEnum):
    """What the patient says they will hold to the reader: name, kind, proof.

    The name stands in transcripts, records and messages, and is the stem of the device's words.
    """

    kind: DeviceKind
    proof: OwnersProof

    def __new__(cls, name: str, kind: DeviceKind | None = None, proof: OwnersProof | None = None) -> Self:
        # The defaults are for mypy, which takes the look-up Device("card") for a call of this.
        if kind is None or proof is None:
            raise TypeError(f"{name}: a row has a name, a kind and a proof")
        row = str.__new__(cls, name)
        row._value_ = name
        row.kind, row.proof = kind, proof
        return row

    CARD = "card", DeviceKind.CARD, Authentication.PIN
    IPHONE = "iphone", DeviceKind.PHONE, Authentication.PHONE
    ANDROID = "android", DeviceKind.PHONE, Authentication.PIN

    @property
    def shows_its_owner(self) -> bool:
        """Whether staff can compare it with the person (目視確認): it bears a photograph."""
        return self.kind is DeviceKind.CARD
