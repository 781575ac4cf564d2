"""HTTP answers spoiled as peers, proxies and broken programs spoil them: each mutation is one named fault.

A mutation may break an answer or leave it as good as it was. It never makes another valid answer of it: what
a service that we have authenticated says in good form, about the record that was asked for, is its word.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

#: What may be between two values that mean the same; see RFC 9112, 5.1 (optional white space).
_SPACES = ("", " ", "  ", "\t")
#: Dates that `Retry-After` and `Date` were met with, or that break programs that read them.
_DATES = (
    "Mon, 20 Nov 9999999999 12:00:00 +0000",
    "Mon, 20 Nov 2026 12:00:00 +99999999999999999999",
    "Mon, 20 Nov 0000 12:00:00 GMT",
    "Mon, 32 Nov 2026 25:61:61 GMT",
    "Mon, 20 Nov 2026 12:00:00 -0000",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "yesterday",
    "\xff\xfe",
    "",
)
_STATUSES = (201, 202, 203, 204, 205, 206, 300, 302, 304, 401, 404, 408, 418, 425, 429, 500, 503)
_WAITS = ("0", "-1", "1.5", "1, 2", "9" * 40, "0x10", "１２", "NaN", "1e9", "+1", *_DATES)
_TIMES = (
    "20270101085960",
    "20270101240000",
    "20261131120000",
    "２０２６１１３０１２００００",
    "",
    "x" * 5000,
)


_ODD: tuple[object, ...] = (None, [], {}, True, -1, 10**400, 1e308, "", "\x00", "x" * 9000, "\ud800", "0189")


@dataclass(frozen=True)
class Reply:
    """One answer before it is written to a socket; `raw` goes before it, `after` behind it, as they are."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    version: str = "HTTP/1.1"
    raw: bytes = b""
    after: bytes = b""
    chunks: tuple[bytes, ...] | None = None  #: written as they are, in place of the body
    close: bool = False
    delay_s: float = 0.0
    cut: int | None = None  #: so many bytes are written, then the connection ends
    reset: bool = False

    def encode(self) -> bytes:
        lines = [f"{self.version} {self.status} {self.reason}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
        body = self.body if self.chunks is None else b"".join(self.chunks)
        data = self.raw + head + body + self.after
        return data if self.cut is None else data[: self.cut]

    def with_header(self, name: str, value: str) -> "Reply":
        """In place of every header of that name."""
        kept = tuple(each for each in self.headers if each[0].lower() != name.lower())
        return replace(self, headers=(*kept, (name, value)))

    def without(self, name: str) -> "Reply":
        return replace(self, headers=tuple(each for each in self.headers if each[0].lower() != name.lower()))


Mutation = Callable[[Reply, Random], Reply]


def reply(status: int, body: bytes, kind: str) -> Reply:
    """A whole answer in good form."""
    headers = (("Content-Type", kind), ("Content-Length", str(len(body))))
    return Reply(status, "OK" if status < 300 else "Refused", headers, body)


# ---- the status line and what comes before it -------------------------------------------------------------


def status_line(r: Reply, dice: Random) -> Reply:
    """A status line that is none, or another protocol's."""
    if dice.random() < 0.5:
        return replace(r, version=dice.choice(("HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "ICY", "HTTP/1.1.1", "")))
    junk = (b"\r\n", b"\x00" * 20, b"HTTP/1.1", b"HTTP/1.1 99999 X\r\n", b"SSH-2.0-x\r\n", b"\r\n\r\n\r\n")
    return replace(r, raw=dice.choice(junk))


def interim(r: Reply, dice: Random) -> Reply:
    """One or more interim answers (RFC 9110, 15.2), with and without headers."""
    words = {100: "Continue", 102: "Processing", 103: "Early Hints", 199: "X"}
    raw = b""
    for _ in range(dice.choice((1, 1, 2, 5))):
        status = dice.choice(tuple(words))
        raw += f"HTTP/1.1 {status} {words[status]}\r\n".encode()
        raw += dice.choice((b"", b"Link: </x>; rel=preload\r\n", b"Content-Length: 4\r\n")) + b"\r\n"
    return replace(r, raw=raw)


def interim_for_ever(r: Reply, dice: Random) -> Reply:
    """Interim answers without end, or the switch to another protocol."""
    one = dice.choice((b"HTTP/1.1 102 Processing\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\n\r\n"))
    return replace(r, raw=one * dice.choice((1, 200)), close=dice.random() < 0.5)


def other_status(r: Reply, dice: Random) -> Reply:
    """A status that says something else than the body; never a refusal that names a record."""
    status = dice.choice(
        (201, 202, 203, 204, 205, 206, 300, 302, 304, 401, 404, 408, 418, 425, 429, 500, 503)
    )
    html = b"<html>proxy</html>"
    spoiled = reply(status, dice.choice((b"", html, r.body[:7])), dice.choice(("text/html", "text/plain")))
    return spoiled.with_header("Location", "https://127.0.0.1:1/") if status in (300, 302) else spoiled


def refusal_of_nobody(r: Reply, dice: Random) -> Reply:
    """A refusal in good form that names no record, or another one."""
    status = dice.choice((400, 410, 422, 409, 404))
    code = dice.choice(("challenge_expired", "bad_signature", "no_such_thing", "in_progress", "x" * 60))
    problem = {"type": "about:blank", "title": "Refused", "status": status, "code": code}
    if dice.random() < 0.7:
        problem["instance"] = dice.choice(("", "/", "01890000-0000-7000-8000-000000000000", 7, None, "\x00"))
    return reply(status, json.dumps(problem).encode(), "application/problem+json")


# ---- headers ----------------------------------------------------------------------------------------------


def retry_after(r: Reply, dice: Random) -> Reply:
    """Not now, and a wait in every form that was ever written."""
    status = dice.choice((202, 429, 503, 500))
    spoiled = reply(status, b"", "text/plain").with_header("Retry-After", dice.choice(_WAITS))
    return spoiled.with_header("Date", dice.choice(_DATES)) if dice.random() < 0.5 else spoiled


def length(r: Reply, dice: Random) -> Reply:
    """A length that is wrong, doubled, negative or no number."""
    size = len(r.body)
    wrong: tuple[object, ...] = (
        size + 1,
        size + 5000,
        max(0, size - 1),
        -1,
        -size,
        "x",
        "",
        f"{size}, {size}",
        f"{size}, 7",
    )
    wrong += (f"+{size}", f"0{size}", "9" * 30, f"{size}\r\nContent-Length: {size + 3}")
    return r.with_header("Content-Length", f"{dice.choice(_SPACES)}{dice.choice(wrong)}")


def no_length(r: Reply, dice: Random) -> Reply:
    """An answer that ends with its connection (HTTP/1.0, `Connection: close`), or never."""
    bare = r.without("Content-Length")
    if dice.random() < 0.5:
        bare = replace(bare, version="HTTP/1.0")
    return replace(bare.with_header("Connection", "close"), close=dice.random() < 0.9)


def header_noise(r: Reply, dice: Random) -> Reply:
    """Many, long, broken or strange headers around good ones."""
    noise = {
        "many": tuple((f"X-{n}", "y") for n in range(dice.choice((90, 120)))),
        "long": (("X-Long", "y" * dice.choice((7000, 70_000))),),
        "bytes": (("X-Bytes", "\xff\x80\x01"),),
        "empty": (("", "y"), ("X Y", "z")),
        "folded": (("X-Folded", "a\r\n  b"),),
        "cookies": (("Set-Cookie", "a=b; Path=/"), ("Strict-Transport-Security", "max-age=1")),
    }
    return replace(r, headers=(*r.headers, *noise[dice.choice(tuple(noise))]))


def content_type(r: Reply, dice: Random) -> Reply:
    """A kind of content that was not agreed, or another way to write the agreed one."""
    kinds = ("text/html", "text/json", "application/json; charset=shift_jis", "APPLICATION/JSON", "", "x")
    return r.with_header("Content-Type", dice.choice(kinds))


def encoding(r: Reply, dice: Random) -> Reply:
    """Compression that nobody asked for, said or done."""
    return r.with_header("Content-Encoding", dice.choice(("identity", "gzip", "br", "x-gzip, identity", "")))


# ---- framing ----------------------------------------------------------------------------------------------


def chunked(r: Reply, dice: Random) -> Reply:
    """The body in chunks, each in good form or not."""
    size = dice.choice((1, 7, 4096))
    parts = [r.body[at : at + size] for at in range(0, len(r.body), size)] or [b""]
    heads = [f"{len(part):x}" for part in parts]
    if dice.random() < 0.6:
        spoiled = ("-5", "", "g", "0x5", "fffffffffffffffff", "5;a=b", " 5", "1_0", "+5", "0", "-0")
        heads[dice.randrange(len(heads))] = dice.choice(spoiled)
    chunks = [f"{head}\r\n".encode() + part + b"\r\n" for head, part in zip(heads, parts, strict=True)]
    ends = (b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"0\r\n", b"", b"0\r\n" + b"X: y\r\n" * 200 + b"\r\n")
    framed = r.without("Content-Length").with_header("Transfer-Encoding", dice.choice(("chunked", "Chunked")))
    return replace(framed, chunks=(*chunks, dice.choice(ends)))


def both_framings(r: Reply, dice: Random) -> Reply:
    """Chunks and a length at once (RFC 9112, 6.3: smuggling)."""
    framed = chunked(r, dice)
    return framed.with_header("Content-Length", str(dice.choice((0, 3, len(r.body)))))


def cut(r: Reply, dice: Random) -> Reply:
    """The connection ends after any byte."""
    return replace(r, cut=dice.randrange(len(r.encode()) + 1), close=True, reset=dice.random() < 0.5)


def more_than_asked(r: Reply, dice: Random) -> Reply:
    """Bytes behind the answer: the answer once more, a refusal, noise."""
    late = refusal_of_nobody(r, dice).encode()
    return replace(r, after=dice.choice((r.encode(), late, b"\r\n", b"\x00" * 30, b"HTTP/1.1 200 OK\r\n")))


def interim_then_late(r: Reply, dice: Random) -> Reply:
    """An interim answer at once, the final one when the next request is already under way."""
    return replace(interim(r, dice), delay_s=dice.choice((0.0, 0.05, 0.3)))


def slow(r: Reply, dice: Random) -> Reply:
    """Late, but within the time limit."""
    return replace(r, delay_s=dice.choice((0.02, 0.1)))


# ---- the body ---------------------------------------------------------------------------------------------


def bytes_of_body(r: Reply, dice: Random) -> Reply:
    """Bytes lost at the end, noise put in, another program's text: nothing that is still JSON."""
    body = r.body
    at = dice.randrange(len(body) + 1)
    spoiled = dice.choice(
        (
            body[:at] + b"\x00\xff" + body[at:],
            body[:-1],
            b"\xef\xbb\xbf" + body,
            b"<html>",
            b"",
            b"\x00" * 4096,
        )
    )
    return replace(r, body=spoiled).with_header("Content-Length", str(len(spoiled)))


def nested(r: Reply, dice: Random) -> Reply:
    """JSON nested deeper than a parser likes, as the whole or as one member."""
    deep = dice.choice((100, 1000, 20_000))
    nest = dice.choice((b"[" * deep + b"]" * deep, b'{"a":' * deep + b"1" + b"}" * deep, b"[" * deep))
    body = (
        nest if dice.random() < 0.5 or not r.body.endswith(b"}") else r.body[:-1] + b',"more":' + nest + b"}"
    )
    return replace(r, body=body).with_header("Content-Length", str(len(body)))


def members(r: Reply, dice: Random) -> Reply:
    """A member of the wrong type, too long, too large or not there; another record's id."""
    try:
        document = json.loads(r.body)
    except ValueError:
        return bytes_of_body(r, dice)
    names = [name for name in document if name != "result"]
    if names:
        name = dice.choice(names)
        if dice.random() < 0.3:
            del document[name]
        else:
            document[name] = dice.choice(_ODD)
    body = json.dumps(document).encode()
    return replace(r, body=body).with_header("Content-Length", str(len(body)))


def impossible_time(r: Reply, dice: Random) -> Reply:
    """A time of execution that no calendar has: it names a file where answers are handed over."""
    try:
        document = json.loads(r.body)
        document["result"]["ProcessingExecutionTime"] = dice.choice(_TIMES)
    except (ValueError, KeyError, TypeError):
        return retry_after(r, dice)
    body = json.dumps(document, ensure_ascii=False).encode()
    return replace(r, body=body).with_header("Content-Length", str(len(body)))


MUTATIONS: tuple[Mutation, ...] = (
    status_line,
    interim,
    interim_for_ever,
    other_status,
    refusal_of_nobody,
    retry_after,
    length,
    no_length,
    header_noise,
    content_type,
    encoding,
    chunked,
    both_framings,
    cut,
    more_than_asked,
    interim_then_late,
    slow,
    bytes_of_body,
    nested,
    members,
    impossible_time,
)
