"""The few calls of Xlib that the window's tests need, through ctypes: libX11 comes with Xvfb and xdotool."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import pygame

CLIENT_MESSAGE, Z_PIXMAP, ALL_PLANES = 33, 2, 0xFFFFFFFF  #: X.h


class ClientMessage(ctypes.Structure):
    """XClientMessageEvent (Xlib.h), padded to the size of XEvent."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("pad", ctypes.c_long * 24),
    )


class Image(ctypes.Structure):
    """The head of XImage (Xlib.h)."""

    _fields_ = (
        ("width", ctypes.c_int),
        ("height", ctypes.c_int),
        ("xoffset", ctypes.c_int),
        ("format", ctypes.c_int),
        ("data", ctypes.c_void_p),
        ("byte_order", ctypes.c_int),
        ("bitmap_unit", ctypes.c_int),
        ("bitmap_bit_order", ctypes.c_int),
        ("bitmap_pad", ctypes.c_int),
        ("depth", ctypes.c_int),
        ("bytes_per_line", ctypes.c_int),
        ("bits_per_pixel", ctypes.c_int),
    )


def _library() -> ctypes.CDLL:
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XInternAtom.restype = x11.XDefaultRootWindow.restype = ctypes.c_ulong
    x11.XGetImage.restype = ctypes.POINTER(Image)
    return x11


@contextmanager
def _opened(x11: ctypes.CDLL, display: str) -> Iterator[ctypes.c_void_p]:
    address = x11.XOpenDisplay(display.encode())
    assert address, f"no X server at {display}"
    opened = ctypes.c_void_p(address)
    yield opened
    x11.XCloseDisplay(opened)


def send_delete(display: str, window: int) -> None:
    """Send WM_DELETE_WINDOW (ICCCM 4.2.8.1), as a window manager does when the cross is clicked."""
    x11 = _library()
    with _opened(x11, display) as opened:
        protocols, delete = (
            x11.XInternAtom(opened, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW")
        )
        message = ClientMessage(
            type=CLIENT_MESSAGE, window=window, message_type=protocols, format=ctypes.sizeof(ctypes.c_int) * 8
        )
        message.data[0] = delete
        x11.XSendEvent(opened, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(message))


def photograph(display: str, width: int, height: int) -> pygame.Surface:
    """What the X server's screen shows in its upper left corner, 24 bits deep."""
    x11 = _library()
    with _opened(x11, display) as opened:
        root = ctypes.c_ulong(x11.XDefaultRootWindow(opened))
        taken = x11.XGetImage(opened, root, 0, 0, width, height, ctypes.c_ulong(ALL_PLANES), Z_PIXMAP)
        image = taken.contents
        assert (image.bits_per_pixel, image.byte_order, image.bytes_per_line) == (32, 0, 4 * width)
        pixels = ctypes.string_at(image.data, 4 * width * height)
        x11.XFree(ctypes.c_void_p(image.data))
        x11.XFree(taken)
    rgb = bytearray(3 * width * height)
    rgb[0::3], rgb[1::3], rgb[2::3] = pixels[2::4], pixels[1::4], pixels[0::4]
    return pygame.image.frombuffer(bytes(rgb), (width, height), "RGB")
