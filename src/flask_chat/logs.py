"""What is written down: JSON lines, or plain ones on a terminal. Never a message's text, a token or a cookie."""

from __future__ import annotations

import logging
import sys
import time
from contextvars import ContextVar
from functools import lru_cache

import msgspec
import structlog

LEVELS = {"requests": logging.INFO, "warnings": logging.WARNING, "debug": logging.DEBUG}
"""What can be asked for: every request, only what is wrong, or also each step on a message's way."""

request_ids: ContextVar[tuple[str, ...]] = ContextVar("request_ids", default=())
"""The requests for which something is done: one at the doors, in the writer all whose changes it keeps together."""


def configure(level: str, node: str) -> None:
    """Send every line of one of :data:`LEVELS` to standard error, each with the name of this process, ``node``."""
    terminal = sys.stderr.isatty()
    processors: list[structlog.typing.Processor] = [mark(node)]
    if terminal:
        processors.append(structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback))
        factory: object = structlog.PrintLoggerFactory(sys.stderr)
    else:
        processors += [structlog.processors.format_exc_info, _encode]
        factory = structlog.BytesLoggerFactory(sys.stderr.buffer)
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=factory,  # type: ignore[arg-type]
        cache_logger_on_first_use=True,
    )
    # The server's own lines repeat ours, and its access log would carry addresses with messages in them.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    logging.getLogger("uvicorn.access").disabled = True


@lru_cache(1)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def mark(node: str) -> structlog.typing.Processor:
    """Write down which process says a line, when and how loudly, and for which requests: one search finds all of them.

    There is a line for each request, so it must be cheap.
    """

    def with_marks(_logger: object, method: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
        milliseconds = time.time_ns() // 1_000_000
        line["node"] = node
        ids = request_ids.get()
        if len(ids) == 1:
            line["request_id"] = ids[0]
        elif ids:
            line["request_ids"] = ids
        line["level"] = method
        line["timestamp"] = f"{_second(milliseconds // 1000)}.{milliseconds % 1000:03}Z"
        return line

    return with_marks


def _encode(_logger: object, _method: str, line: structlog.typing.EventDict) -> bytes:
    return _ENCODER.encode(line)


_ENCODER = msgspec.json.Encoder(enc_hook=str)
