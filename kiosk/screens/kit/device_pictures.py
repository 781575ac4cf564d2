"""What the pages know of each device besides its words: mark, movement, and what the patient does. PURE."""

from dataclasses import dataclass

from kiosk.qualification.devices import Device, DeviceKind
from kiosk.screens.kit.widgets import Mark, SceneKind


@dataclass(frozen=True)
class DevicePicture:
    """One device. Its other words begin with its name: device.*, device.name.*, hold.*.title, reading.*."""

    mark: Mark
    scene: SceneKind  #: how it is held to the reader
    steps: tuple[str, ...]  #: keys of what the patient does, in order
    which: str | None = None  #: key of what tells it from its like, where devices are chosen


PICTURES: dict[Device, DevicePicture] = {
    Device.CARD: DevicePicture(Mark.CARD, SceneKind.CARD, ("hold.card.hint",)),
    Device.IPHONE: DevicePicture(
        Mark.IPHONE,
        SceneKind.IPHONE,
        ("hold.iphone.1", "hold.iphone.2", "hold.iphone.3"),
        "device.iphone.sub",
    ),
    Device.ANDROID: DevicePicture(
        Mark.ANDROID, SceneKind.ANDROID, ("hold.android.hint",), "device.android.sub"
    ),
}

#: How a thing of this kind is taken away.
REMOVED: dict[DeviceKind, SceneKind] = {
    DeviceKind.CARD: SceneKind.REMOVE_CARD,
    DeviceKind.PHONE: SceneKind.REMOVE_PHONE,
}
