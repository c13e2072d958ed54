"""Files of others are what was published, and their licences are beside them."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

VENDOR = Path(__file__).parents[2] / "service" / "web" / "static" / "vendor"


def test_every_file_of_others_has_the_digest_that_is_written_down() -> None:
    written = dict(re.findall(r"^([0-9a-f]{64})  (\S+)$", (VENDOR / "README.md").read_text(), re.MULTILINE))
    found = {
        sha256(path.read_bytes()).hexdigest(): path.relative_to(VENDOR).as_posix()
        for path in VENDOR.glob("*/*")
    }
    assert found == written
    assert {path.parent.name for path in VENDOR.glob("*/LICENSE")} == {
        path.name for path in VENDOR.iterdir() if path.is_dir()
    }
