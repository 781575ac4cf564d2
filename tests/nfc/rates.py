"""What our reader sends that tells its bit rates."""

from kiosk.nfc.transport import Transport, VirtualTransport
from kiosk.simulator.chip import frames as pn533_frames

MODE_REGISTERS = (b"\x63\x02", b"\x63\x03")  #: CIU_TxMode, CIU_RxMode


class Tape:
    """What our reader sent: frames to the token, and values of the registers that set the bit rate."""

    def __init__(self) -> None:
        self.thru: list[bytes] = []
        self.modes: list[int] = []

    def over(self, transport: Transport) -> Transport:
        tape, plain = self, transport.write

        class Seen(VirtualTransport):
            def __init__(self) -> None:
                self.__dict__.update(transport.__dict__)

            def write(self, frame: bytes | bytearray) -> None:
                tape.note(bytes(frame))
                plain(frame)

        return Seen()

    def note(self, frame: bytes) -> None:
        for entry in pn533_frames.FrameReader().feed(frame):
            if isinstance(entry, pn533_frames.Information):
                code, data = entry.payload[1], entry.payload[2:]
                if code == 0x42:
                    self.thru.append(data)
                elif code == 0x08:
                    triples = (data[at : at + 3] for at in range(0, len(data), 3))
                    self.modes += [entry[2] for entry in triples if entry[:2] in MODE_REGISTERS]
