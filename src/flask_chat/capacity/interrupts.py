"""Being told to end: once, so that what puts things in order is not interrupted in its turn."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interrupted_once() -> Iterator[Callable[[], None]]:
    """The first signal to end raises KeyboardInterrupt, and no other is heard after it, nor once ``yield`` is called.

    What is yielded is for the moment at which putting in order begins by itself. Use it in the main thread.
    """
    before = {number: signal.getsignal(number) for number in _ENDINGS}
    # Who runs this with nohup does not want it to end with the terminal.
    ours = [number for number, handler in before.items() if handler is not signal.SIG_IGN]

    def hear_no_more() -> None:
        for number in ours:
            signal.signal(number, signal.SIG_IGN)

    def end(_number: int, _frame: FrameType | None) -> None:
        hear_no_more()
        raise KeyboardInterrupt

    for number in ours:
        signal.signal(number, end)
    try:
        yield hear_no_more
    finally:
        for number in ours:
            signal.signal(number, before[number])
