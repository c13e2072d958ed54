"""A page names every module that its script needs, and none that is not there."""

from __future__ import annotations

import re

import pytest

from service.web.modules import SCRIPTS, modules_of

PAGES = sorted(path.relative_to(SCRIPTS).as_posix() for path in SCRIPTS.glob("pages/*.js"))
ALL = sorted(path.relative_to(SCRIPTS).as_posix() for path in SCRIPTS.glob("**/*.js"))
EXPORTED = re.compile(r"^export (?:async )?(?:function|class|const) (\w+)", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES)
def test_every_module_that_is_imported_is_named_and_exists(page: str) -> None:
    named = modules_of(page)
    for module in (page, *named):
        text = (SCRIPTS / module).read_text()
        imported = {name.rpartition("/")[2] for name in re.findall(r'from "([^"]+)"', text)}
        assert imported <= {name.rpartition("/")[2] for name in named}
    assert page not in named


def test_the_way_to_a_module_is_told_without_dots() -> None:
    assert "charts.js" in modules_of("pages/model.js")
    assert not [name for name in modules_of("pages/model.js") if "." in name.removesuffix(".js")]


@pytest.mark.parametrize("module", ALL)
def test_a_module_says_what_it_is_and_imports_what_it_uses(module: str) -> None:
    text = (SCRIPTS / module).read_text()
    assert re.match(r"// [A-Z].*[.:,]", text)
    for name in _imported(text):
        assert len(re.findall(rf"\b{name}\b", text)) > 1, name


def test_what_is_exported_is_imported_somewhere() -> None:
    texts = [(SCRIPTS / module).read_text() for module in ALL]
    exported = {name for text in texts for name in EXPORTED.findall(text)}
    assert exported
    assert exported == {name for text in texts for name in _imported(text)}


def _imported(text: str) -> list[str]:
    return [
        name.strip()
        for names in re.findall(r"^import \{(.*?)\} from", text, re.MULTILINE | re.DOTALL)
        for name in names.split(",")
    ]
