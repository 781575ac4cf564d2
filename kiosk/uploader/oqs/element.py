"""How the messages' elements are described, once, for reading and writing alike. PURE.

A class is an element, its fields are the elements within, under their own names (InsurerNumber stays
InsurerNumber). None: the element is not there; "": it is there and empty. Order means nothing when reading
(real files are shuffled) and is the order of the fields when writing.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from kiosk.uploader.oqs.code_tables import Code, meaning

#: An element as it was read: its name with its text, or with what is in it.
Node = tuple[str, "str | list[Node]"]

MAX_OTHERS = 200  #: unknown elements that are kept of one element


@dataclass(frozen=True)
class Spec:
    """What is known of an element. `item` and `inner`: it holds elements called `item` of the class `inner`
    (`item` is "" where it occurs itself, without a list around it).
    """

    name: str
    ja: str
    codes: type[Code] | None = None
    inner: "type[Element] | None" = None
    item: str = ""
    many: bool = False
    plain: bool = field(init=False)  #: holds a text, once

    def __post_init__(self) -> None:
        object.__setattr__(self, "plain", self.inner is None and not self.many)


def text(ja: str, codes: type[Code] | None = None) -> Any:
    """A field that holds an element's text."""
    return field(default=None, metadata={"ja": ja, "codes": codes})


def texts(ja: str) -> Any:
    """A field that holds the texts of an element that may occur more than once."""
    return field(default=(), metadata={"ja": ja, "many": True})


def inside(ja: str, inner: "type[Element]") -> Any:
    """A field that holds an element with elements in it."""
    return field(default=None, metadata={"ja": ja, "inner": inner})


def each(ja: str, inner: "type[Element]", item: str = "") -> Any:
    """A field that holds elements of a kind; `item`: they stand within this one, under that name."""
    return field(default=(), metadata={"ja": ja, "inner": inner, "item": item, "many": True})


@dataclass(frozen=True)
class Element:
    """What every element has. `others`: what is in it and not known here, as it came."""

    others: tuple[Node, ...] = field(default=(), kw_only=True)
    _specs: ClassVar[Mapping[str, Spec] | None] = None

    @classmethod
    def specs(cls) -> Mapping[str, Spec]:
        """The elements that may stand in one of this kind, by name."""
        known = cls.__dict__.get("_specs")
        if known is None:
            fields = [each for each in dataclasses.fields(cls) if each.name != "others"]
            known = cls._specs = {each.name: Spec(each.name, **each.metadata) for each in fields}
        return known

    @classmethod
    def of(cls, nodes: list[Node]) -> Self:
        """Read what is in an element. Of an element that occurs twice where once is meant, the first counts;
        the second is kept among `others`.
        """
        known = cls.specs()
        values: dict[str, Any] = {}
        others: list[Node] = []
        for name, content in nodes:
            spec = known.get(name)
            if (
                spec is not None
                and spec.inner is not None
                and isinstance(content, str)
                and not content.strip()
            ):
                content = []  # an empty element, where elements are meant
            if spec is None or isinstance(content, str) is not (spec.inner is None):
                others.append((name, content))
                continue
            if spec.many:
                values[name] = values.get(name, ()) + tuple(_several(spec, content, others))
            elif name in values:
                others.append((name, content))
            elif spec.inner is not None and isinstance(content, list):
                values[name] = spec.inner.of(content)
            else:
                values[name] = content
        if others:
            values["others"] = tuple(others[:MAX_OTHERS])
        return cls(**values)

    def nodes(self) -> list[Node]:
        """The same for writing; unknown elements come last."""
        found: list[Node] = []
        for spec in self.specs().values():
            value = getattr(self, spec.name)
            if spec.inner is None:
                found += [(spec.name, each) for each in (value if spec.many else [value]) if each is not None]
            elif not spec.many:
                found += [] if value is None else [(spec.name, value.nodes())]
            elif not spec.item:
                found += [(spec.name, inner.nodes()) for inner in value]
            elif value:
                found.append((spec.name, [(spec.item, inner.nodes()) for inner in value]))
        return [*found, *self.others]

    def shown(self) -> list[tuple[str, str]]:
        """All that is there as lines for people: the Japanese name with the text, codes with their meaning
        (unknown ones say so), unknown elements under their own names.
        """
        lines: list[tuple[str, str]] = []
        for spec in self.specs().values():
            value = getattr(self, spec.name)
            for one in value if spec.many else [value]:
                if isinstance(one, Element):
                    lines += [(f"{spec.ja} {name}", said) for name, said in one.shown()]
                elif one is not None:
                    lines.append((spec.ja, _said(spec, one)))
        return lines + [line for name, content in self.others for line in _lines(name, content)]


def from_json(kind: type[Element], found: Mapping[str, Any]) -> list[Node]:
    """What is in an element, from JSON with the elements' names as keys; arrays hold what occurs often."""
    nodes: list[Node] = []
    for name, value in found.items():
        spec = kind.specs().get(name)
        inner = spec.inner if spec is not None and spec.inner is not None else Element
        many = [
            _from_json(inner, one)
            for one in (value if isinstance(value, list) else [value])
            if one is not None
        ]
        if spec is not None and spec.item and isinstance(value, list):
            nodes.append((name, [(spec.item, one) for one in many]))
        else:
            nodes += [(name, one) for one in many]
    return nodes


def _from_json(kind: type[Element], value: Any) -> "str | list[Node]":
    return from_json(kind, value) if isinstance(value, Mapping) else str(value)


def _several(spec: Spec, content: "str | list[Node]", others: list[Node]) -> list[Any]:
    if isinstance(content, str) or spec.inner is None:
        return [content]
    if not spec.item:
        return [spec.inner.of(content)]
    inner = [node for name, node in content if name == spec.item and isinstance(node, list)]
    for name, node in content:
        if name != spec.item or not isinstance(node, list):
            others.append((spec.name, [(name, node)]))
    return [spec.inner.of(node) for node in inner]


def _lines(path: str, content: "str | list[Node]") -> list[tuple[str, str]]:
    """An unknown element as lines: its path and its text."""
    if isinstance(content, str):
        return [(path, content)]
    return [line for name, node in content for line in _lines(f"{path}/{name}", node)]


def _said(spec: Spec, code: str) -> str:
    if spec.codes is None or not code:
        return code
    return f"{code} {meaning(spec.codes, code) or '（表にない値）'}"
