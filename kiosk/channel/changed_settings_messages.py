"""Of a settings file on the card that differs from the settings in force: what staff decide about it.

Whoever may read the card (root) describes the file (`ChangedFile`) in `CHANGED_FILE`, beside the folder of
wishes; the uploader tells the screens (`CardSettings`); staff take it with their passcode, or leave it
(kiosk/provisioning/take.py).
"""

from kiosk.visit.staff_requests import LeaveSettings as LeaveSettings
from kiosk.visit.staff_requests import TakeSettings as TakeSettings
from kiosk.visit.views.changed_settings_view import CardSettings as CardSettings
from kiosk.visit.views.changed_settings_view import ChangedFile as ChangedFile
from kiosk.visit.views.changed_settings_view import SettingChange as SettingChange
from kiosk.visit.views.changed_settings_view import SettingFault as SettingFault

CHANGED_FILE = "changed.json"
MOST = 60  #: changes or faults in one message, which has its limit
LONGEST = 40  #: characters that are shown of a value

FromChanged = TakeSettings | LeaveSettings
