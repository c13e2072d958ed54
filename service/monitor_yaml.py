"""Reads YAML into places, each of which knows its line and path, and gathers the mistakes found there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import yaml

from service.names import LONGEST_NAME, clean_name
from service.parsers import shown, suggestion

MAX_BYTES = 1_048_576
MAX_DEPTH = 12
MAX_ALIASES = 100

T = TypeVar("T")


class Mistake(NamedTuple):
    """One sentence about one line, counted from 1."""

    line: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Place:
    """A node of the file, the path that leads to it, and the list that mistakes about it go to.

    Each reading method tells what is wrong, if anything, and then goes on with what can be read.
    """

    node: yaml.Node
    path: str
    mistakes: list[Mistake]
    is_top: bool = False  # paths below it start anew

    @property
    def line(self) -> int:
        """Counted from 1."""
        return self.node.start_mark.line + 1

    @property
    def is_mapping(self) -> bool:
        """Whether it has keys and values."""
        return isinstance(self.node, yaml.MappingNode)

    def wrong(self, sentence: str) -> None:
        """Note a mistake; the sentence goes on after the path."""
        self.mistakes.append(Mistake(self.line, f"{self.path} {sentence}"))

    def named(self, path: str) -> Place:
        """The same place as the top of shorter paths."""
        return replace(self, path=path, is_top=True)

    def text(self) -> str | None:
        """The scalar as it is written, whatever YAML would make of it: `no` is a fine name of a country."""
        if not isinstance(self.node, yaml.ScalarNode):
            self.wrong(f"is {_shape(self.node)}; write a single value")
        elif _is_null(self.node):
            self.wrong("is empty; write a value or leave the key out")
        else:
            return _scalar(self.node)
        return None

    def read(self, parse: Callable[[str], T]) -> T | None:
        """The scalar as `parse` takes it, whose ValueError says what to write instead."""
        text = self.text()
        if text is None:
            return None
        try:
            return parse(text)
        except ValueError as advice:
            self.wrong(f"is {shown(text)}; {advice}")
            return None

    def name(self) -> str | None:
        """The scalar as a clean name."""
        return self.read(_name)

    def _word(self) -> str | None:
        """A key of ours as it is written: `null` is one of them."""
        if isinstance(self.node, yaml.ScalarNode) and self.node.value == "null":
            return "null"
        return self.text()

    def items(self, least: int, most: int, example: str) -> list[Place]:
        """The places of a list, which should have so many."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.wrong(f"is {_shape(self.node)}; write a list such as {example}")
            return []
        items = [self._below(item, f"{self.path}[{at}]") for at, item in enumerate(self.node.value)]
        if not least <= len(items) <= most:
            self.wrong(f"has {len(items)} items; write {least} to {most}")
        return items

    def fields(self, known: Collection[str]) -> dict[str, Place]:
        """The places of a mapping whose keys are ours, by key."""
        found = self._by_key(Place._word)
        for text, (key, _) in found.items():
            if text not in known:
                key.wrong(f"is not a known key; {suggestion(text, known)}")
        return {text: value for text, (_, value) in found.items() if text in known}

    def members(self) -> dict[str, Place]:
        """The places of a mapping whose keys are the user's names, by cleaned name."""
        return {name: value for name, (_, value) in self._by_key(Place.name).items()}

    def lines(self) -> dict[str, tuple[int, Place]]:
        """The lines on which the keys of a mapping stand, and the places of their values."""
        return {name: (key.line, value) for name, (key, value) in self._by_key(Place.name).items()}

    def _by_key(self, read: Callable[[Place], str | None]) -> dict[str, tuple[Place, Place]]:
        """The places of keys and their values; nothing written below a key is an empty mapping."""
        found: dict[str, tuple[Place, Place]] = {}
        for key, value in self._pairs():
            text = read(key)
            if text in found:
                key.wrong(f"is written twice, first on line {found[text][0].line}; keep one")
            elif text is not None:
                found[text] = key, value
        return found

    def _pairs(self) -> Iterator[tuple[Place, Place]]:
        if isinstance(self.node, yaml.MappingNode):
            for key, value in self.node.value:
                path = f"{self._prefix}{_as_path(key)}"
                yield self._below(key, path), self._below(value, path)
        elif not _is_null(self.node):
            self.wrong(f"is {_shape(self.node)}; write a mapping of keys to values")

    @property
    def _prefix(self) -> str:
        return "" if self.is_top else f"{self.path}."

    def _below(self, node: yaml.Node, path: str) -> Place:
        return Place(node, path, self.mistakes)


_ONE_MODEL = "write 'models:' and below it at least one model"


def read_yaml(text: str, mistakes: list[Mistake], advice: str = _ONE_MODEL) -> Place | None:
    """The top of one YAML document, or None with the mistake noted. Neither tags nor bombs get through.

    `advice` says what to write into a file that is empty.
    """
    if len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        mistakes.append(Mistake(1, f"the file is larger than {MAX_BYTES} bytes; write less or split it"))
        return None
    try:
        node = yaml.compose(text, Loader=_Composer)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        mistakes.append(_unreadable(error, text))
        return None
    if node is None:
        mistakes.append(Mistake(1, f"the file is empty; {advice}"))
        return None
    return Place(node, "the file", mistakes, is_top=True)


class _Composer(yaml.SafeLoader):
    """Refuses tags, deep nesting and many aliases while composing, before any of them can do harm."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._aliases = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        self._aliases += isinstance(event, yaml.AliasEvent)
        self._depth += 1
        if problem := self._problem(event):
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)  # type: ignore[arg-type]
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def _problem(self, event: yaml.Event) -> str | None:
        tag: str | None = getattr(event, "tag", None)
        if tag is not None:
            return f"tags such as {shown(tag)} are not allowed"
        if self._depth > MAX_DEPTH:
            return f"it is nested deeper than {MAX_DEPTH} levels"
        if self._aliases > MAX_ALIASES:
            return f"it has more than {MAX_ALIASES} aliases"
        return None


def _unreadable(error: Exception, text: str) -> Mistake:
    match error:
        case yaml.MarkedYAMLError(problem_mark=yaml.Mark(line=line)):
            reason = " ".join(part for part in (error.context, error.problem) if part)
            return Mistake(line + 1, f"the file cannot be read: {reason}; mend the YAML here")
        case yaml.reader.ReaderError(position=position, character=character):
            line = text.count("\n", 0, position) + 1
            return Mistake(line, f"the file cannot be read: remove the character {character:#06x}")
    return Mistake(1, f"the file cannot be read: {error}; mend the YAML")


def _as_path(key: yaml.Node) -> str:
    if not isinstance(key, yaml.ScalarNode):
        return "a key"
    return shown(key.value)[1:-1] or "''"


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _scalar(node: yaml.ScalarNode) -> str:
    # JSON writes an emoji as two escaped surrogates, which PyYAML leaves apart.
    text: str = node.value
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _shape(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return "empty" if _is_null(node) else "a single value"


def _name(text: str) -> str:
    name = clean_name(text)
    if name is None:
        raise ValueError(f"write a name of 1 to {LONGEST_NAME} visible characters")
    return name
