"""The virtual chip against what the author of nfcpy expected of a PN533."""

import pytest

from tests.peers import nfcpy_pairs
from tests.peers.nfcpy_pairs import MODELLED, Share

#: Byte for byte. What differs is listed in docs/field-test.md; a change for the better belongs here.
EQUAL = {
    "Diagnose": Share(6, 3, 3),
    "GetFirmwareVersion": Share(1, 1, 1),
    "GetGeneralStatus": Share(2, 0, 0),
    "InCommunicateThru": Share(10, 3, 3),
    "InListPassiveTarget": Share(14, 10, 11),
    "RFConfiguration": Share(11, 11, 11),
    "ReadRegister": Share(42, 7, 33),
    "SetParameters": Share(1, 1, 1),
    "WriteRegister": Share(83, 80, 80),
}

pytestmark = pytest.mark.peer


def test_the_virtual_chip_answers_as_many_of_nfcpys_pairs_as_is_said() -> None:
    table = nfcpy_pairs.share()
    assert {name: table[name] for name in MODELLED} == EQUAL
    assert sum(row.pairs for row in table.values()) == 251


def test_what_is_not_modelled_is_refused_and_not_invented() -> None:
    others = [pair for pair in nfcpy_pairs.pairs() if pair.name not in MODELLED]
    assert {nfcpy_pairs.answer(pair) for pair in others if pair.name != "InDataExchange"} == {None}
