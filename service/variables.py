"""Declares a variable beside the field that it fills, and fills frozen values from a mapping of variables."""

from __future__ import annotations

import dataclasses
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from service.parsers import nearest, shown

PREFIX = "DRIFTBELL_"
TEST_PREFIX = "DRIFTBELL_TEST_"  # the test suite's own variables, none of ours

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable, as documents and `driftbell settings` show it; an empty default means not set."""

    name: str
    default: str
    help: str
    is_secret: bool = False
    names_secret_file: bool = False


# Like `dataclasses.field`, these return a field under the type of its value.
def given(name: str, default: str, parse: Callable[[str], T], sentence: str) -> T:
    """Declare a field that always has a value."""
    return cast("T", _declare(Setting(PREFIX + name, default, sentence), parse, parse(default)))


def optional(name: str, parse: Callable[[str], T], sentence: str) -> T | None:
    """Declare a field that is None unless its variable is set."""
    return cast("T | None", _declare(Setting(PREFIX + name, "", sentence), parse, None))


def secret(name: str, parse: Callable[[str], T], sentence: str) -> T | None:
    """Declare a field that no message and no repr shows; `<name>_FILE` may name a file that holds it.

    `parse` returns a text, or several in a tuple.
    """
    return cast("T | None", _declare(Setting(PREFIX + name, "", sentence, is_secret=True), parse, None))


def secret_file(name: str, sentence: str) -> str | None:
    """Declare a field that names a file which nobody else should read."""
    return cast(
        "str | None", _declare(Setting(PREFIX + name, "", sentence, names_secret_file=True), str, None)
    )


def nested(kind: type[T]) -> T:
    """Declare a field that holds further settings."""
    return dataclasses.field(default_factory=kind)


def noted() -> tuple[str, ...]:
    """Declare a field that no variable fills: sentences that loading found worth saying."""
    return dataclasses.field(default=(), metadata={"setting": None})


def settings_of(kind: type) -> Iterator[Setting]:
    """All variables that fill the value and its groups, in the order of their fields."""
    for field in dataclasses.fields(kind):
        if not field.metadata:
            yield from settings_of(_group_of(field))
            continue
        setting: Setting | None = field.metadata["setting"]
        if setting is None:
            continue
        yield setting
        if setting.is_secret:
            sentence = f"A file that holds {setting.name}, instead of that variable."
            yield Setting(f"{setting.name}_FILE", "", sentence, names_secret_file=True)


def fill(kind: type[T], environ: Mapping[str, str], problems: list[str]) -> T:
    """The value and its groups; what is wrong is added to the problems, and the default stands in for it."""
    values = {
        field.name: (_value if field.metadata else _group)(field, environ, problems)
        for field in dataclasses.fields(kind)  # type: ignore[arg-type]
        if not field.metadata or field.metadata["setting"]
    }
    return kind(**values)


def secrets_in(value: object) -> Iterator[str]:
    """Every secret that a filled value and its groups hold."""
    for field in dataclasses.fields(value):  # type: ignore[arg-type]
        held = getattr(value, field.name)
        if not field.metadata:
            yield from secrets_in(held)
        elif held and field.metadata["setting"] and field.metadata["setting"].is_secret:
            yield from (held,) if isinstance(held, str) else held


def open_secrets(known: Iterable[Setting], environ: Mapping[str, str]) -> list[str]:
    """One sentence for each file with a secret that every user of this machine may read or change."""
    paths = [(one.name, environ.get(one.name, "").strip()) for one in known if one.names_secret_file]
    return [
        f"{name} is {shown(path)}, which every user of this machine may read or change; chmod o-rwx it"
        for name, path in paths
        if path and _is_open(Path(path))
    ]


def _is_open(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False  # whoever reads it says so
    return stat.S_ISREG(mode) and bool(mode & stat.S_IRWXO)


def unknown_variables(environ: Mapping[str, str], known: set[str]) -> list[str]:
    """One sentence for each variable of ours that no setting has."""
    ours = {name for name in environ if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX)}
    return [f"{name} is no setting; {_instead_of(name, known)}" for name in sorted(ours - known)]


def _instead_of(name: str, known: set[str]) -> str:
    # Without the prefix, which would make any two of them look alike.
    short_names = sorted(one.removeprefix(PREFIX) for one in known)
    near = nearest(name.removeprefix(PREFIX), short_names)
    return f"did you mean {PREFIX}{near}?" if near else "`driftbell settings` lists them all"


def _declare(setting: Setting, parse: Callable[[str], object], default: object) -> object:
    metadata = {"setting": setting, "parse": parse}
    return dataclasses.field(default=default, repr=not setting.is_secret, metadata=metadata)


def _value(field: dataclasses.Field[Any], environ: Mapping[str, str], problems: list[str]) -> object:
    setting: Setting = field.metadata["setting"]
    written = environ.get(setting.name, "")
    text = (_from_file(setting, environ, problems) or written) if setting.is_secret else written.strip()
    if not text:
        return field.default
    try:
        return field.metadata["parse"](text)
    except ValueError as advice:
        what = "cannot be used" if setting.is_secret else f"is {shown(text)}"
        problems.append(f"{setting.name} {what}; {advice}")
        return field.default


def _group(field: dataclasses.Field[Any], environ: Mapping[str, str], problems: list[str]) -> object:
    return fill(_group_of(field), environ, problems)


def _group_of(field: dataclasses.Field[Any]) -> type:
    return cast("type", field.default_factory)


def _from_file(setting: Setting, environ: Mapping[str, str], problems: list[str]) -> str:
    """The secret in the file that the variable names, or nothing."""
    name = f"{setting.name}_FILE"
    path = environ.get(name, "").strip()
    if not path:
        return ""
    if environ.get(setting.name):
        problems.append(f"{setting.name} and {name} are both set; keep one")
    try:
        text = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        problems.append(f"{name} is {shown(path)}, which cannot be read ({reason}); name a readable file")
        return ""
    if not text:
        problems.append(f"{name} is {shown(path)}, which is empty; write the secret into it")
    return text
