"""A page names every module that its script needs, and none that is not there."""

from __future__ import annotations

import re

import pytest

from service.web.modules import SCRIPTS, modules_of

PAGES = sorted(path.relative_to(SCRIPTS).as_posix() for path in SCRIPTS.glob("pages/*.js"))


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
