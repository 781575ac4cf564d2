"""Between those who update (staff pages, command line) and the uploader, which fetches, judges and installs.

The flow, as the official notice describes it: a version is published; from one hour on it may be installed by
hand, from a later hour on it is offered when the kiosk starts. Never during a visit.

    AskUpdate            -> UpdateStatus (and again at every change, to everybody who is connected)
    StartUpdate          -> fetching -> checking -> installing -> installed, with `percent`; or a fault
    RestartKiosk         -> the kiosk starts again, with what was installed
"""

from kiosk.channel.base import Message
from kiosk.visit.staff_requests import CloseUpdate as CloseUpdate
from kiosk.visit.staff_requests import RestartKiosk as RestartKiosk
from kiosk.visit.staff_requests import StartUpdate as StartUpdate
from kiosk.visit.staff_requests import StopUpdate as StopUpdate
from kiosk.visit.views.update_view import UpdateFault as UpdateFault
from kiosk.visit.views.update_view import UpdateOffer as UpdateOffer
from kiosk.visit.views.update_view import UpdatePhase as UpdatePhase
from kiosk.visit.views.update_view import UpdateSource as UpdateSource
from kiosk.visit.views.update_view import UpdateStatus as UpdateStatus


class AskUpdate(Message, frozen=True, tag="ask_update"):
    """Look anew, at channel and stick. While staff's page is open it is sent every few seconds: USB storage
    is let in for 30 s from each one, and the channel is asked again only after a minute.
    """

    staff: str


FromUpdater = AskUpdate | CloseUpdate | StartUpdate | StopUpdate | RestartKiosk
