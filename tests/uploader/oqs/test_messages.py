"""Messages: read by name, in any order; what is not known is kept and shown; everything goes to and fro."""

import dataclasses
import random
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.simulator.service.invented_answers import PERSONS
from kiosk.simulator.terminal.people import result
from kiosk.uploader.oqs.code_tables import CharacterCode
from kiosk.uploader.oqs.document import write
from kiosk.uploader.oqs.element import Element, Node, from_json
from kiosk.uploader.oqs.messages import Body, FileHeader, SearchInfo, Unit, XmlMsg
from kiosk.uploader.oqs.results import QualificationResult
from tests.uploader.oqs.samples import answer, as_file, filled, must_read

E = TypeVar("E", bound=Element)

KINDS = [FileHeader, Body, SearchInfo, Unit, QualificationResult]


def texts() -> st.SearchStrategy[str]:
    """Texts that XML can hold. Not ¢, £, ¬: in Shift_JIS they are one with their full-width forms."""
    kept = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff¢£¬")
    return st.text(kept, min_size=1, max_size=12)


def elements(kind: type[E]) -> st.SearchStrategy[E]:
    """An element of a kind with a text in some of those that may stand in it."""
    plain = [spec.name for spec in kind.specs().values() if spec.inner is None and not spec.many]
    return st.dictionaries(st.sampled_from(plain), texts(), max_size=5).map(lambda found: kind(**found))  # type: ignore[arg-type]


def messages() -> st.SearchStrategy[XmlMsg]:
    """A message with a header and results."""
    results = st.lists(elements(QualificationResult), min_size=1, max_size=3).map(tuple)
    return st.builds(
        lambda header, results: XmlMsg(MessageHeader=header, MessageBody=Body(ResultList=results)),
        elements(FileHeader).filter(lambda header: header != FileHeader()),
        results.filter(lambda found: QualificationResult() not in found),
    )


def shuffled(nodes: list[Node], dice: random.Random) -> list[Node]:
    mixed = [(name, inside if isinstance(inside, str) else shuffled(inside, dice)) for name, inside in nodes]
    dice.shuffle(mixed)
    return mixed


@pytest.mark.parametrize("kind", KINDS)
def test_every_element_of_a_kind_is_read_as_it_was_written(kind: type[Element]) -> None:
    whole = filled(kind)
    assert kind.of(whole.nodes()) == whole
    assert not whole.others


@settings(max_examples=30)
@given(message=messages(), code=st.sampled_from(CharacterCode))
def test_whatever_can_be_said_survives_the_file(message: XmlMsg, code: CharacterCode) -> None:
    assert must_read(write(message, code)).message == message


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_elements_means_nothing(seed: int) -> None:
    whole = filled(QualificationResult)
    assert QualificationResult.of(shuffled(whole.nodes(), random.Random(seed))) == whole


def test_the_padding_of_the_insurer_number_is_kept() -> None:
    data = write(answer(result(PERSONS[2])), CharacterCode.UTF_8)
    assert b"<InsurerNumber>  999902</InsurerNumber>" in data
    assert must_read(data).message.body.ResultList[0].InsurerNumber == "  999902"


def test_unknown_elements_and_codes_are_kept_and_shown() -> None:
    inside = (
        "<MessageHeader><SegmentOfResult>7</SegmentOfResult><NewThing>あ</NewThing></MessageHeader>"
        "<MessageBody><ResultList><ResultOfQualificationConfirmation><Sex1>8</Sex1><Deep><Er>い</Er></Deep>"
        "</ResultOfQualificationConfirmation><Stray>う</Stray></ResultList></MessageBody><Loose>え</Loose>"
    )
    message = must_read(as_file(inside)).message
    assert message.header.SegmentOfResult == "7"
    assert message.header.others == (("NewThing", "あ"),)
    assert message.body.others == (("ResultList", [("Stray", "う")]),)
    assert message.body.ResultList[0].others == (("Deep", [("Er", "い")]),)
    assert message.others == (("Loose", "え"),)
    shown = dict(message.shown())
    assert shown["ヘッダー 処理結果区分"] == "7 （表にない値）"
    assert shown["ボディ 資格確認結果 性別1"] == "8 （表にない値）"
    assert shown["ボディ 資格確認結果 Deep/Er"] == "い"
    assert shown["Loose"] == "え"
    assert shown["ボディ ResultList/Stray"] == "う"
    assert must_read(write(message, CharacterCode.UTF_8)).message == message, "nothing is lost on the way"


def test_a_known_code_is_shown_with_its_meaning() -> None:
    shown = dict(result(PERSONS[0]).shown())
    assert shown["性別1"] == "1 男"
    assert shown["限度額適用認定証関連情報 限度額適用認定証適用区分"] == "A03 ウ"
    assert shown["氏名カナ"] == "ｼｹﾝ ﾀﾛｳ"


def test_an_element_that_comes_twice_is_not_lost() -> None:
    twice = QualificationResult.of([("Name", "試験 一"), ("Name", "試験 二")])
    assert (twice.Name, twice.others) == ("試験 一", (("Name", "試験 二"),))


def test_an_element_of_another_shape_than_known_is_kept_as_unknown() -> None:
    odd = QualificationResult.of([("Name", [("First", "太郎")]), ("ElderlyRecipientCertificateInfo", "なし")])
    assert odd.Name is None
    assert odd.ElderlyRecipientCertificateInfo is None
    assert odd.others == (("Name", [("First", "太郎")]), ("ElderlyRecipientCertificateInfo", "なし"))


def test_an_empty_element_is_not_a_missing_one() -> None:
    body = "<MessageBody><ResultList>{}</ResultList></MessageBody>"
    inside = "<ResultOfQualificationConfirmation><InsuredCardSymbol/></ResultOfQualificationConfirmation>"
    [there] = must_read(as_file(body.format(inside))).message.body.ResultList
    assert (there.InsuredCardSymbol, there.InsuredBranchNumber) == ("", None)
    assert must_read(as_file(body.format("\n  "))).message.body.ResultList == ()


def test_a_qualification_is_in_force_only_when_everything_says_so() -> None:
    one = result(PERSONS[0])
    good = answer(one)
    assert good.valid == one
    assert answer(one, validity="2").valid is None
    assert answer(one, one).valid is None
    assert answer().valid is None
    for header in ({"SegmentOfResult": "2"}, {"SegmentOfResult": "9"}, {"SegmentOfResult": None}):
        assert (
            dataclasses.replace(good, MessageHeader=dataclasses.replace(good.header, **header)).valid is None
        )
    body = dataclasses.replace(good.body, ProcessingResultStatus="2")
    assert dataclasses.replace(good, MessageBody=body).valid is None


def test_the_services_json_holds_the_same_elements() -> None:
    found = {
        "InsurerNumber": "  999902",
        "InsuredBranchNumber": None,
        "ElderlyRecipientCertificateInfo": {"ElderlyRecipientContributionRatio": "020"},
        "SpecificDiseasesCertificateList": [{"SpecificDiseasesDiseaseCategory": "1"}, {}],
        "Newer": {"Things": ["い", "ろ"]},
        "Count": 3,
    }
    person = QualificationResult.of(from_json(QualificationResult, found))
    assert person.InsurerNumber == "  999902"
    assert person.InsuredBranchNumber is None
    assert person.ElderlyRecipientCertificateInfo is not None
    assert person.ElderlyRecipientCertificateInfo.ElderlyRecipientContributionRatio == "020"
    assert len(person.SpecificDiseasesCertificateList) == 2
    assert person.others == (("Newer", [("Things", "い"), ("Things", "ろ")]), ("Count", "3"))


def anything() -> st.SearchStrategy[object]:
    """Any JSON, with the interface's names in it."""
    names = st.sampled_from([*QualificationResult.specs(), "MedicalTicketInfo", "X"])
    leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4)
    )


@settings(max_examples=150)
@given(found=st.dictionaries(st.sampled_from(list(QualificationResult.specs())), anything(), max_size=5))
def test_any_json_becomes_an_element_that_survives_its_file(found: dict[str, object]) -> None:
    person = QualificationResult.of(from_json(QualificationResult, found))
    assert QualificationResult.of(person.nodes()) == person
