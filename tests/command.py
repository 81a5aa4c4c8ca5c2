"""What a command leaves behind, for the tests that run one in their own process: the fixture `command` of conftest.py."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple


class Ended(NamedTuple):
    """What a command left: its status, stdout, stderr."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.out)


Command = Callable[..., Ended]
