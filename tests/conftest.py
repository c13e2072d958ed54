"""What every test may ask for, and what no test may do: leave an error in the log that it did not expect."""

from __future__ import annotations

pytest_plugins = ["tests.servers.fixtures", "tests.fakes.fixtures"]
