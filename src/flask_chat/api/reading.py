"""What somebody has read, and wants to be told of, for programs.

In a busy room everybody reads what everybody says: marks are kept on the event loop, many with one commit.
"""

from __future__ import annotations

from flask import Blueprint
from starlette.types import Receive, Scope, Send

from .. import config
from ..chat import reading
from ..http import asgi
from ..http.bodies import contents
from ..http.services import Services
from ..http.visitor import member, services

blueprint = Blueprint("api_reading", __name__)


@blueprint.put("/api/rooms/<slug>/notifications")
def notify(slug: str) -> tuple[str, int]:
    """Set what counts as new in a room of mine, and for how many seconds nothing does; 204."""
    person = member()
    sent = contents('{"notify": "mentions", "mute_for": 3600}')
    services().limits.arranging(person.id)
    services().db.write(
        lambda transaction: reading.notify(transaction, person, slug, sent.get("notify"), sent.get("mute_for"))
    )
    return "", 204


class PutMark:
    """The gateway's endpoint ``PUT /api/rooms/<room>/read``."""

    def __init__(self, chat: Services) -> None:
        self._chat = chat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """204 once the mark is kept, whether or not that moved it."""
        headers = dict(scope["headers"])
        try:
            session = await asgi.session(self._chat.identity, headers)
            sent = asgi.contents(headers, await asgi.body(headers, receive, config.MAX_BODY), '{"through": 17}')
            mark = reading.check(
                session.person, scope["path_params"]["room"], sent.get("through"), sent.get("force", False)
            )
            self._chat.limits.marking(session.person.id)
            await self._chat.db.submit_from_loop(reading.mark_together, mark)
        except asgi.Gone:
            raise
        except Exception as error:
            await asgi.refuse(send, error)
            return
        await asgi.nothing(send)
