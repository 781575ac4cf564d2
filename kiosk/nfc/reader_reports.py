"""What a presentation and the reader look like to others: to the screen, to a caller, in the counters."""

from typing import assert_never

from kiosk.channel import ArmReader, Evidence, ReaderHealth, ReaderState
from kiosk.nfc.protocol.token_contact import Authenticated, Failed, Learnt, Other, Outcome, Wrong
from kiosk.nfc.reader_counters import ReaderCounters


def counted_as(outcome: Outcome | None) -> str:
    """How a contact is counted."""
    match outcome:
        case None | Authenticated():
            return "authenticated"
        case Wrong():
            return "wrong_token"
        case Other():
            return "other_device"
        case Failed(failure=failure):
            return failure.value
        case _:
            assert_never(outcome)


def evidence(order: ArmReader, outcome: Authenticated, learnt: Learnt) -> Evidence:
    """What the token gave, for the screen to seal."""
    return Evidence(
        visit=order.visit,
        token=outcome.token.device,
        certificate=outcome.der,
        signature=outcome.signature,
        algorithm=None if outcome.signature is None else outcome.leaf.algorithm,
        not_after=outcome.leaf.not_after,
        stages=tuple(learnt.stages),
    )


def health(state: ReaderState, where: str, counters: ReaderCounters) -> ReaderHealth:
    """How the reader is and how it has fared."""
    return ReaderHealth(
        condition=state.condition,
        reason=state.reason,
        model=state.model,
        where=where,
        opened=counters.opened,
        lost=counters.lost,
        resets=counters.resets,
        stale_frames=counters.stale_frames,
        blocks=counters.traffic.blocks,
        blocks_repeated=counters.traffic.repeated,
        blocks_unanswered=counters.traffic.unanswered,
        blocks_damaged=counters.traffic.damaged,
        contacts=dict(counters.contacts),
        stages=counters.stages(),
    )
