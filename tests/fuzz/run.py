"""Lets atheris look for inputs that break a target: `python -m tests.fuzz.run events --seconds 600`.

New inputs that reach new code are kept in `.cache/fuzz/<target>`, one that breaks the target as `crash-*` beside
them: put it into the corpus, where the replay holds it for good, and mend the code.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

CORPUS = Path(__file__).with_name("corpus")
KEPT = Path(__file__).parents[2] / ".cache" / "fuzz"
TARGETS = sorted(path.stem.removeprefix("fuzz_") for path in Path(__file__).parent.glob("fuzz_*.py"))
MOST_MEBIBYTES = 1024
LONGEST_SECONDS = 10


def main() -> None:
    """Run one target until the time or the executions are used up; the exit status is 0 if nothing broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--executions", type=int, default=1_000_000)
    chosen = parser.parse_args()
    try:
        import atheris
    except ImportError:
        sys.exit("atheris is missing: pip install --group fuzz (it has wheels for Linux on x86-64 only)")
    with atheris.instrument_imports(include=["service"]):
        target = import_module(f"tests.fuzz.fuzz_{chosen.target}")
    kept = KEPT / chosen.target
    kept.mkdir(parents=True, exist_ok=True)
    arguments = [
        sys.argv[0], f"-max_total_time={chosen.seconds}", f"-runs={chosen.executions}", f"-artifact_prefix={kept}/",
        f"-rss_limit_mb={MOST_MEBIBYTES}", f"-timeout={LONGEST_SECONDS}", "-print_final_stats=1", "-max_len=65536",
        str(kept), str(CORPUS / chosen.target),
    ]  # fmt: skip
    atheris.Setup(arguments, target.one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
