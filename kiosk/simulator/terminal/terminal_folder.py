"""The 資格確認端末's req and res folders, with the manners that such folders have in clinics."""

import contextlib
import io
import random
import threading
import time
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from kiosk.uploader.oqs.code_tables import CharacterCode
from kiosk.uploader.oqs.document import Read, read, write
from kiosk.uploader.oqs.element import Node
from kiosk.uploader.oqs.messages import Body, FileHeader, FileKind, Unit, XmlMsg

_LOOK_S = 0.01
_SUBMITS = (FileKind.ONLINE_SUBMIT, FileKind.HOME_SUBMIT)
_FETCHES = (FileKind.ONLINE_FETCH, FileKind.HOME_FETCH)
_ENCODINGS = {CharacterCode.UTF_8: b'encoding="UTF-8"', CharacterCode.SHIFT_JIS: b'encoding="Shift_JIS"'}
#: What other programs leave in such folders.
_FOREIGN = ("Thumbs.db", "~$OQSmuonq01res_.xml", "OQSsiquc01res_face_20261125090000.xml", "desktop.ini")


@dataclass
class Manners:
    """How it behaves; all of it may be changed while it runs."""

    delay_s: float = 0.0  #: before an answer
    at_work: int = 0  #: so often it says 処理中 before there is a result
    half_s: float = 0.0  #: so long half an answer lies there
    shut_s: float = 0.0  #: so long an answer cannot be opened
    impostor_s: float = 0.0  #: so long another institution's answer has the answer's name
    shuffled: bool = False
    code: CharacterCode = CharacterCode.SHIFT_JIS
    told: CharacterCode | None = None  #: the encoding that its files name, if not the true one
    zipped: bool = False
    silent: bool = False  #: takes requests and never answers
    error: str | None = None  #: ends with this code
    foreign: bool = False  #: other programs' files lie about


@dataclass
class TerminalFolder:
    """Answers what is put into `folder`/req, as a context manager. `consented`: consent date (yyyyMMdd) and
    result. `taken` tells the requests in order.
    """

    folder: Path
    institution: str
    manners: Manners = field(default_factory=Manners)
    consented: list[tuple[str, Unit]] = field(default_factory=list)
    taken: list[tuple[str, XmlMsg]] = field(default_factory=list)
    dice: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311  # a shuffle
    _asked: dict[str, tuple[str, str]] = field(default_factory=dict)  #: ReceptionNumber → days
    _at_work: dict[str, int] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def req(self) -> Path:
        return self.folder / "req"

    @property
    def res(self) -> Path:
        return self.folder / "res"

    def __enter__(self) -> "TerminalFolder":
        for folder in (self.req, self.res):
            folder.mkdir(parents=True, exist_ok=True)
        self._thread = threading.Thread(target=self._run, name="terminal", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_LOOK_S):
            for path in sorted(self.req.glob("*.xml")):
                self._take(path)

    def _take(self, path: Path) -> None:
        got = read(path.read_bytes())
        path.unlink()
        if not isinstance(got, Read) or got.message.header.MedicalInstitutionCode != self.institution:
            return
        self.taken.append((path.name, got.message))
        if self.manners.silent or self._stop.wait(self.manners.delay_s):
            return
        self.answer(path.name, got.message)

    def answer(self, name: str, request: XmlMsg) -> None:
        """Put the answer to a request into the folder; also to one that was passed over in silence."""
        answer = self._answer(name, request)
        if answer is not None:
            self._write(self.res / name.replace("req_", "res_", 1), answer)

    def _answer(self, name: str, request: XmlMsg) -> XmlMsg | None:
        header = FileHeader(
            ProcessExecutionTime=time.strftime("%Y%m%d%H%M%S"),
            MedicalInstitutionCode=self.institution,
            ArbitraryFileIdentifier=request.header.ArbitraryFileIdentifier,
            SegmentOfResult="1",
            CharacterCodeIdentifier=self.manners.code.value,
        )
        if self.manners.error is not None:
            return XmlMsg(
                MessageHeader=replace(
                    header, SegmentOfResult="9", ErrorCode=self.manners.error, ErrorMessage="異常終了"
                )
            )
        if name.startswith(tuple(message.value for message in _SUBMITS)):
            return self._received(header, request)
        if name.startswith(tuple(message.value for message in _FETCHES)):
            return self._fetched(header, request.body.ReceptionNumber or "")
        return None

    def _received(self, header: FileHeader, request: XmlMsg) -> XmlMsg:
        asked = request.body.QualificationConfirmSearchInfo
        number = f"R{len(self._asked) + 1:08}"
        self._asked[number] = (
            ("", "") if asked is None else (asked.ConsentDateFrom or "", asked.ConsentDateTo or "")
        )
        return XmlMsg(
            MessageHeader=replace(
                header, ReceptionNumber=number, ReceptionDateTime=header.ProcessExecutionTime
            ),
            MessageBody=Body(ProcessingResultStatus="1"),
        )

    def _fetched(self, header: FileHeader, number: str) -> XmlMsg:
        header = replace(header, ReceptionNumber=number)
        told = self._at_work.get(number, 0)
        if number not in self._asked:
            return XmlMsg(MessageHeader=replace(header, SegmentOfResult="9", ErrorCode="UNKNOWN"))
        if told < self.manners.at_work:
            self._at_work[number] = told + 1
            return XmlMsg(MessageHeader=replace(header, SegmentOfResult="2"))
        first, last = self._asked[number]
        units = tuple(unit for date, unit in self.consented if first <= date <= last)
        return XmlMsg(
            MessageHeader=replace(header, NumberOfProcessingResult=str(len(units))),
            MessageBody=Body(BulkConfirmUnit=units),
        )

    # ---- how it gets into the folder ---------------------------------------------------------------------

    def _write(self, path: Path, answer: XmlMsg) -> None:
        manners = self.manners
        if manners.foreign:
            self._litter()
        if manners.impostor_s:
            other = replace(answer.header, MedicalInstitutionCode="9999999999")
            path.write_bytes(write(replace(answer, MessageHeader=other), manners.code))
            self._stop.wait(manners.impostor_s)
        if manners.shut_s:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
            path.mkdir()  # no program opens it as a file, not even root
            self._stop.wait(manners.shut_s)
            path.rmdir()
        data = self._bytes(answer)
        if manners.zipped:
            path, data = path.with_suffix(".zip"), _packed(path.name, data)
        with path.open("wb") as file:
            half = len(data) // 2 if manners.half_s else len(data)
            file.write(data[:half])
            file.flush()
            if half < len(data):
                self._stop.wait(manners.half_s)
                file.write(data[half:])

    def _bytes(self, answer: XmlMsg) -> bytes:
        if self.manners.shuffled:
            answer = XmlMsg(others=tuple(_shuffled(answer.nodes(), self.dice)))
        data = write(answer, self.manners.code)
        if self.manners.told is not None:
            true, told = _ENCODINGS[self.manners.code], _ENCODINGS[self.manners.told]
            data = data.replace(true, told, 1)
        return data

    def _litter(self) -> None:
        for name in _FOREIGN:
            (self.res / name).write_bytes(b"\x00 not for the kiosk")
        stranger = XmlMsg(MessageHeader=FileHeader(MedicalInstitutionCode="9999999999", SegmentOfResult="1"))
        other = self.res / f"OQSmuonq02res_2026112509000000{self.dice.randrange(10)}.xml"
        other.write_bytes(write(stranger, CharacterCode.UTF_8))


def _shuffled(nodes: list[Node], dice: random.Random) -> list[Node]:
    mixed: list[Node] = [
        (name, inside if isinstance(inside, str) else _shuffled(inside, dice)) for name, inside in nodes
    ]
    dice.shuffle(mixed)
    return mixed


def _packed(name: str, data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return packed.getvalue()
