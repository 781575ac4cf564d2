"""The named scenarios of the story. Each is played by hands, through every real part."""

from collections.abc import Callable
from dataclasses import dataclass

from kiosk.qualification.terms import Mode
from kiosk.simulator.demo.hand import Hand
from kiosk.simulator.demo.screen_hand import StoryError
from kiosk.uploader.oqs.document import Read, read

BOTH = (Mode.HOME_CONSENT, Mode.QUALIFICATION_ONLY)
HOME = (Mode.HOME_CONSENT,)


@dataclass(frozen=True)
class Scenario:
    """`play` returns the outcome; anything but `outcome` is a failure."""

    name: str
    modes: tuple[Mode, ...]
    token: str
    authentication: str
    outcome: str
    play: Callable[[Hand], str]


def card_pin(hand: Hand) -> str:
    """The plastic card and its PIN."""
    hand.begin()
    hand.read("card")
    return hand.ends()


def iphone(hand: Hand) -> str:
    """Face ID on the phone, then held to the reader; nothing is typed."""
    hand.begin()
    hand.read("iphone", state="normal", forgets="both")
    return hand.ends()


def android_pin(hand: Hand) -> str:
    """Android: its own PIN typed on the kiosk."""
    hand.begin()
    hand.read("android")
    return hand.ends()


def consent_refused(hand: Hand) -> str:
    """Refusing every consent does not stop the qualification."""
    hand.begin("none")
    hand.read("card")
    outcome = hand.ends()
    told = hand.service.transcript(hand.last_record().visit)
    hand.claim(
        "the request holds no consent", told is not None and told["consent"] == {"form": "none", "agreed": []}
    )
    return outcome


def consent_item_by_item(hand: Hand) -> str:
    """Yes to medicines and check-ups, no to the rest."""
    hand.begin("each")
    for answer in ("refuse", "agree", "agree", "refuse"):
        hand.screen.touch(answer, on="consent_items", changes_picture=True)
    hand.read("card")
    outcome = hand.ends()
    told = hand.service.transcript(hand.last_record().visit)
    hand.claim(
        "the signed consent names medicines and check-ups only",
        told is not None and told["consent"] == {"form": "items", "agreed": ["YZK", "TKK"]},
    )
    return outcome


def consent_as_registered(hand: Hand) -> str:
    """前回と同じ: what is registered stays in force."""
    hand.begin("as_registered")
    hand.read("iphone", state="normal")
    outcome = hand.ends()
    told = hand.service.transcript(hand.last_record().visit)
    hand.claim(
        "the consent is as registered", told is not None and told["consent"]["form"] == "as_registered"
    )
    return outcome


def wrong_pin_then_right(hand: Hand) -> str:
    """One wrong PIN, told with the tries left; the second is right."""
    hand.begin()
    hand.read("card", pin="9999", state="normal")
    hand.screen.wait_for("pin_wrong")
    hand.remove()
    hand.screen.touch("retry", on="pin_wrong")
    hand.pin()
    hand.screen.wait_for("hold")
    hand.tap("card")
    return hand.ends()


def pin_one_left(hand: Hand) -> str:
    """The kiosk never spends the last try."""
    before = hand.field.verifies("card")
    hand.begin()
    hand.read("card", state="one-left")
    outcome = hand.ends()
    hand.claim("VERIFY was never sent", hand.field.verifies("card") == before)
    hand.claim("the last try is still there", hand.field.tries_left("card") == 1)
    return outcome


def pin_blocked(hand: Hand) -> str:
    """A blocked PIN: staff help."""
    hand.begin()
    hand.read("card", state="blocked")
    return hand.ends()


def removed_mid_read(hand: Hand) -> str:
    """Moved too soon, before VERIFY: held once more, nothing typed again."""
    hand.begin()
    hand.read("card", remove_after_apdu=2)
    hand.screen.wait_for("again")
    hand.tap("card")
    return hand.ends()


def wrong_token(hand: Hand) -> str:
    """A payment card first; it is named, not called an error."""
    hand.begin()
    hand.choose("card")
    hand.pin()
    hand.screen.wait_for("hold")
    hand.tap("payment")
    hand.screen.wait_for("wrong_token")
    hand.remove()
    hand.tap("card")
    return hand.ends()


def iphone_not_authenticated(hand: Hand) -> str:
    """Held before Face ID: asked to authenticate on the phone, then held again."""
    hand.begin()
    hand.read("iphone", state="not-authenticated")
    hand.screen.wait_for("authenticate_on_phone")
    hand.remove()
    hand.tap("iphone", state="normal")
    return hand.ends()


def visual_check(hand: Hand) -> str:
    """目視確認: staff vouch with number and passcode; possession of the key stays unproven."""
    if hand.mode is Mode.HOME_CONSENT:
        hand.begin()
        hand.choose("card")
        hand.screen.touch("no_pin", on="pin")
    else:
        hand.screen.touch("start", on="start")
        hand.screen.touch("visual", on="method")
    hand.visual_check()
    hand.tap("card")
    outcome = hand.ends()
    told = hand.service.transcript(hand.last_record().visit)
    hand.claim(
        "the service was told: visual, unproven, by whom",
        told is not None
        and (told["authentication"], told["possession"], told["staff"]) == ("visual", "unproven", "1001"),
    )
    return outcome


def other_device(hand: Hand) -> str:
    """Android chosen, card laid: VERIFY is not sent, the right one is asked for."""
    before = hand.field.verifies("card")
    hand.begin()
    hand.choose("android")
    hand.pin()
    hand.screen.wait_for("hold")
    hand.tap("card")
    hand.screen.wait_for("other_device")
    hand.claim("VERIFY was not sent to the card", hand.field.verifies("card") == before)
    hand.remove()
    hand.tap("android")
    return hand.ends()


def validity(code: str) -> Callable[[Hand], str]:
    """The service answers this QualificationValidity."""

    def play(hand: Hand) -> str:
        hand.service.next_validity(code)
        hand.begin()
        hand.read("iphone", state="normal")
        return hand.ends()

    return play


def certificate_expired(hand: Hand) -> str:
    """The token's certificate has ended."""
    hand.begin()
    hand.read("card", state="expired")
    return hand.ends()


def service_down(hand: Hand) -> str:
    """The service is away: recorded, not verified."""
    hand.service.close()
    hand.begin()
    hand.read("card")
    return hand.ends()


def service_back(hand: Hand) -> str:
    """The same record is delivered when the service is back, with exactly one effect."""
    waiting = hand.last_record()
    hand.claim("the record of the outage still waits", waiting.state in ("pending", "sending"))
    hand.service.open()
    hand.wait_until("the record is answered", lambda: hand.last_record().state == "answered")
    hand.claim("it is the same record", hand.last_record().visit == waiting.visit)
    hand.claim("it had exactly one effect", hand.service.effects(waiting.visit) == 1)
    hand.screen.wait_for("start")
    return "answered"


def answer_lost(hand: Hand) -> str:
    """The service commits, the connection dies: recorded first, answered later, one effect."""
    hand.service.lose_answer()
    hand.begin()
    hand.read("card")
    outcome = hand.ends()
    visit = hand.last_record().visit
    hand.wait_until("the record is answered", lambda: hand.last_record().state == "answered")
    hand.claim("it had exactly one effect", hand.service.effects(visit) == 1)
    return outcome


def idle_timeout(hand: Hand) -> str:
    """Somebody goes away in the middle: a warning, then the start screen, and nothing is kept."""
    before = hand.records()
    hand.begin()
    hand.screen.wait_for("device")
    hand.screen.wait_for("still_there")
    hand.screen.wait_for("start")
    hand.claim("nothing was recorded", hand.records() == before)
    return "abandoned"


def reader_unplugged(hand: Hand) -> str:
    """The stick is pulled: out of service by itself, and back by itself."""
    hand.field.unplug()
    hand.screen.wait_for("out_of_service")
    hand.field.plug()
    hand.screen.wait_for("start")
    return "out_of_service"


def leftover_card(hand: Hand) -> str:
    """Somebody's card has been left lying: the next visit asks to take it away, and never reads it."""
    hand.begin()
    hand.read("card")
    hand.screen.wait_for("verified")
    hand.screen.touch("finish", on="verified")
    hand.screen.wait_for("start")
    before = hand.field.counters()["activations"]
    hand.screen.touch("start", on="start")
    hand.screen.wait_for("laid_too_early")
    hand.claim("nothing was asked of what lay there", hand.field.counters()["activations"] == before)
    hand.remove()
    hand.screen.touch("all", on="consent")
    hand.read("card")
    return hand.ends()


def handed_over(hand: Hand) -> str:
    """The verified answer lies in the receipt computer's folder, whole, as a face reader's result."""
    folder = hand.place.handover
    if folder is None:
        raise StoryError("no folder for the hand-over was given")
    before = set(folder.iterdir())
    hand.begin()
    hand.read("card")
    outcome = hand.ends()
    visit = hand.last_record().visit
    hand.wait_until(
        "the file is there", lambda: any(path.is_file() for path in set(folder.iterdir()) - before)
    )
    [file] = [path for path in set(folder.iterdir()) - before if path.is_file()]
    got = read(file.read_bytes())
    hand.claim("it is a message of the public shape", isinstance(got, Read) and got.as_named)
    if isinstance(got, Read):
        hand.claim("it is about this visit", got.message.header.ArbitraryFileIdentifier == visit)
        hand.claim("it holds one qualification in force", got.message.valid is not None)
    work = [path for path in folder.rglob("*") if path.is_file() and path.parent != folder]
    hand.claim("nothing is left in the work folder", work == [])
    return outcome


STORY: tuple[Scenario, ...] = (
    Scenario("card-pin", BOTH, "card", "pin", "verified", card_pin),
    Scenario("iphone", BOTH, "iphone", "phone", "verified", iphone),
    Scenario("android-pin", BOTH, "android", "pin", "verified", android_pin),
    Scenario("consent-refused", HOME, "card", "pin", "verified", consent_refused),
    Scenario("consent-item-by-item", HOME, "card", "pin", "verified", consent_item_by_item),
    Scenario("consent-as-registered", HOME, "iphone", "phone", "verified", consent_as_registered),
    Scenario("wrong-pin-then-right", HOME, "card", "pin", "verified", wrong_pin_then_right),
    Scenario("pin-one-left", HOME, "card", "pin", "staff_called", pin_one_left),
    Scenario("pin-blocked", HOME, "card", "pin", "staff_called", pin_blocked),
    Scenario("removed-mid-read-then-again", HOME, "card", "pin", "verified", removed_mid_read),
    Scenario("wrong-token", HOME, "card", "pin", "verified", wrong_token),
    Scenario("iphone-not-authenticated", HOME, "iphone", "phone", "verified", iphone_not_authenticated),
    Scenario("visual-check", BOTH, "card", "visual", "verified", visual_check),
    Scenario("other-device", HOME, "android", "pin", "verified", other_device),
    Scenario("validity-1", HOME, "iphone", "phone", "verified", validity("1")),
    *(
        Scenario(f"validity-{code}", HOME, "iphone", "phone", "not_confirmed", validity(code))
        for code in "23456"
    ),
    Scenario("certificate-expired", HOME, "card", "pin", "staff_called", certificate_expired),
    Scenario("service-down", HOME, "card", "pin", "recorded", service_down),
    Scenario("service-back", HOME, "card", "pin", "answered", service_back),
    Scenario("answer-lost", HOME, "card", "pin", "recorded", answer_lost),
    Scenario("idle-timeout", HOME, "none", "none", "abandoned", idle_timeout),
    Scenario("reader-unplugged", HOME, "none", "none", "out_of_service", reader_unplugged),
    Scenario("leftover-card", HOME, "card", "pin", "verified", leftover_card),
)

#: Only where the demo has a folder to hand over to.
HANDED_OVER = Scenario("handed-over", BOTH, "card", "pin", "verified", handed_over)
