"""A row for every route: who may, and what a request that is in order looks like.

The trials of :mod:`tests.security.test_routes` are made of it. A new route needs a row here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote, urlencode

from flask_chat.chat.people import GUEST, MEMBER, MODERATOR, OWNER

from . import things
from .things import text as _text
from .world import KEEPER, NOBODY, OUTSIDE, RANKS, Scene, Value, Who

JSON, FORM = "application/json", "application/x-www-form-urlencoded"

__all__ = ["GUEST", "MEMBER", "MODERATOR", "NOBODY", "OWNER", "ROWS", "Row"]


@dataclass(frozen=True)
class Row:
    """One method of one route, its path as the URL map writes it.

    ``needs`` is the lowest role that may. Where the path names a room, it is a private one, and only those inside
    may at all; its keeper may whatever their role, if ``keeper``. ``path`` gives the values of the path's variables,
    beside those of :data:`USUAL`; ``sends`` what goes into the query, for GET, or the body. ``answers`` are the
    statuses of a request that was in order, ``refuses`` of one that was not: sometimes a page that says so.
    ``foreign`` are values of the path that belong to somebody else: nobody may, unless their role is ``foreign_for`` or
    above. ``but`` is the one role that may not, though it is high enough.
    """

    method: str
    rule: str
    needs: str = GUEST
    keeper: bool = False
    path: Mapping[str, Value] = field(default_factory=dict)
    sends: Mapping[str, object | Value] = field(default_factory=dict)
    form: bool = False
    answers: frozenset[int] = frozenset({200, 201, 202, 204, 303})
    refuses: frozenset[int] = frozenset({303, 401, 403, 404})
    foreign: Mapping[str, Value] = field(default_factory=dict)
    foreign_for: str = ""
    but: str = ""
    endless: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"

    @property
    def of_a_room(self) -> bool:
        """Whether the path names a room."""
        return "<slug>" in self.rule

    @property
    def safe(self) -> bool:
        """Whether it only looks."""
        return self.method == "GET"

    def allows(self, who: Who) -> bool:
        """Whether somebody may."""
        if self.of_a_room and (who.standing == OUTSIDE and self.needs != NOBODY):
            return False
        if who.role == self.but:
            return False
        high = RANKS.index(who.role) >= RANKS.index(self.needs)
        return high or (self.keeper and who.standing == KEEPER)

    def address(self, scene: Scene, **instead: object) -> str:
        """The path, with a room, a person and whatever else it names; and the query."""
        values = {**USUAL, **self.path}
        pieces = []
        for piece in self.rule.split("/"):
            name = piece.strip("<>").rpartition(":")[2]
            if not piece.startswith("<"):
                pieces.append(piece)
                continue
            value = instead[name] if name in instead else values[name](scene)
            pieces.append(quote(str(value), safe="/" if "path:" in piece else ""))
        query = f"?{urlencode(self.contents(scene))}" if self.safe and self.sends else ""
        return "/".join(pieces) + query

    def contents(self, scene: Scene) -> dict[str, object]:
        """What it sends."""
        return {name: value(scene) if callable(value) else value for name, value in self.sends.items()}

    def sending(self, **instead: object) -> Row:
        """The same row with something else in it."""
        return replace(self, sends={**self.sends, **instead})

    def body(self, scene: Scene) -> tuple[dict[str, str], bytes]:
        """The headers and the body of what it sends."""
        if self.safe:
            return {}, b""
        if self.form:
            return {"content-type": FORM}, urlencode(self.contents(scene), doseq=True).encode()
        return {"content-type": JSON}, json.dumps(self.contents(scene)).encode()


USUAL: dict[str, Value] = {"slug": things.den, "username": things.cleo}

ROWS = [
    # For everybody.
    Row("GET", "/", NOBODY),
    Row("POST", "/", NOBODY, sends={"username": things.new_name}, form=True),
    Row("POST", "/sign-out", NOBODY, form=True),
    Row("POST", "/api/sessions", NOBODY, sends={"username": things.new_name}),
    Row("GET", "/sign-in", NOBODY),
    Row("POST", "/sign-in", NOBODY, sends={"username": things.cleo, "password": things.code_of_cleo}, form=True),
    Row("POST", "/sign-in/challenge", NOBODY, form=True),
    Row("GET", "/owner/<token>", NOBODY, path={"token": things.owner_token}),
    # In the trials there is an owner already.
    Row(
        *("POST", "/owner/<token>", NOBODY),
        path={"token": things.owner_token},
        sends={"username": things.new_name},
        form=True,
        answers=frozenset({403}),
    ),
    Row("GET", "/join/<token>", NOBODY, path={"token": things.invitation_token}),
    Row(
        *("POST", "/join/<token>", NOBODY),
        path={"token": things.invitation_token},
        sends={"username": things.new_name},
        form=True,
    ),
    Row("GET", "/link/<token>", NOBODY, path={"token": things.device_token}),
    Row("POST", "/link/<token>", NOBODY, path={"token": things.device_token}, form=True),
    Row("GET", "/account/deleted", NOBODY),
    Row("GET", "/up", NOBODY),
    Row("GET", "/metrics", NOBODY, answers=frozenset({404})),
    Row("GET", "/static/<version>/<path:name>", NOBODY, path={"version": _text("x"), "name": _text("css/base.css")}),
    # What happens.
    Row("GET", "/api/events"),
    Row("GET", "/rooms/<slug>/timeline", endless=True),
    # Messages.
    Row("GET", "/rooms/<slug>"),
    Row("POST", "/rooms/<slug>/messages", sends={"message": "Hello"}, form=True),
    Row("POST", "/api/rooms/<slug>/messages", sends={"text": "Hello"}),
    Row("GET", "/api/rooms/<slug>/messages"),
    Row("GET", "/<username>/<words:message>", NOBODY, path={"username": things.me, "message": _text("Hello")}),
    Row(
        *("PATCH", "/api/rooms/<slug>/messages/<long:id>", GUEST),
        path={"id": things.own_message},
        sends={"text": "Hullo"},
    ),
    Row(
        *("GET", "/rooms/<slug>/messages/<long:id>/edit", GUEST),
        path={"id": things.own_message},
    ),
    Row(
        *("POST", "/rooms/<slug>/messages/<long:id>/edit", GUEST),
        path={"id": things.own_message},
        sends={"message": "Hullo"},
        form=True,
    ),
    Row("DELETE", "/api/rooms/<slug>/messages/<long:id>", MODERATOR, keeper=True, path={"id": things.message}),
    Row(
        *("POST", "/rooms/<slug>/messages/<long:id>/delete", MODERATOR),
        keeper=True,
        path={"id": things.message},
        form=True,
    ),
    Row("GET", "/rooms/<slug>/messages/<long:id>/report", path={"id": things.message}),
    Row(
        *("POST", "/rooms/<slug>/messages/<long:id>/report", GUEST),
        path={"id": things.message},
        sends={"reason": "Rude"},
        form=True,
    ),
    Row(
        *("POST", "/api/rooms/<slug>/messages/<long:id>/report", GUEST),
        path={"id": things.message},
        sends={"reason": "Rude"},
    ),
    # Reading.
    Row("PUT", "/api/rooms/<slug>/read", sends={"through": things.message, "force": True}),
    Row("POST", "/rooms/<slug>/read", sends={"through": things.message, "force": "1"}, form=True),
    Row("PUT", "/api/rooms/<slug>/notifications", sends={"notify": "mentions", "mute_for": 60}),
    Row("POST", "/rooms/<slug>/notifications", sends={"notify": "mentions", "mute": "60"}, form=True),
    # Rooms.
    Row("GET", "/api/rooms"),
    Row("POST", "/api/rooms", sends={"name": "New room", "kind": "private", "topic": "New"}),
    Row("GET", "/api/rooms/<slug>"),
    Row(
        *("PATCH", "/api/rooms/<slug>", MODERATOR),
        keeper=True,
        sends={"name": "New", "topic": "New", "description": "New", "archived": False},
    ),
    Row("DELETE", "/api/rooms/<slug>/messages", OWNER, keeper=True, sends={"confirm": "Den"}),
    Row("PUT", "/api/rooms/<slug>/favourite"),
    Row("DELETE", "/api/rooms/<slug>/favourite"),
    Row("PUT", "/api/favourites", sends={"rooms": ["lobby"]}),
    Row("GET", "/api/directory", sends={"q": "lobby", "after": "0"}),
    Row("GET", "/rooms", sends={"q": "lobby", "after": "0"}),
    Row("POST", "/rooms", sends={"name": "New room", "kind": "private", "topic": "New"}, form=True),
    Row("GET", "/rooms/new"),
    Row("GET", "/rooms/<slug>/settings"),
    Row(
        *("POST", "/rooms/<slug>/settings", MODERATOR),
        keeper=True,
        sends={"name": "New", "topic": "New", "description": "New"},
        form=True,
    ),
    Row("POST", "/rooms/<slug>/clear", OWNER, keeper=True, sends={"name": "Den"}, form=True),
    Row("POST", "/rooms/<slug>/favourite", sends={"favourite": "1"}, form=True),
    # Conversations.
    Row("GET", "/chat/<username>"),
    Row("GET", "/conversations/new"),
    Row("POST", "/conversations", sends={"with": things.dora, "message": "Hello"}, form=True),
    Row("POST", "/api/conversations", sends={"with": things.only_dora}),
    # Members.
    Row("GET", "/api/rooms/<slug>/members"),
    Row("PUT", "/api/rooms/<slug>/members/<username>", path={"username": things.dora}),
    Row("PATCH", "/api/rooms/<slug>/members/<username>", OWNER, keeper=True, sends={"role": "owner"}),
    Row("DELETE", "/api/rooms/<slug>/members/<username>", MODERATOR, keeper=True),
    Row("GET", "/rooms/<slug>/members"),
    Row("POST", "/rooms/<slug>/members", sends={"username": things.dora}, form=True),
    Row("POST", "/rooms/<slug>/members/remove", MODERATOR, keeper=True, sends={"username": things.cleo}, form=True),
    Row("POST", "/rooms/<slug>/members/owner", OWNER, keeper=True, sends={"username": things.cleo}, form=True),
    Row("POST", "/rooms/<slug>/join", form=True),
    Row("POST", "/rooms/<slug>/leave", form=True),
    # Invitations.
    Row("GET", "/api/invitations"),
    Row("POST", "/api/invitations", MEMBER, sends={"uses": 3, "expires_in": 60}),
    Row(
        *("DELETE", "/api/invitations/<int:id>", GUEST),
        path={"id": things.invitation},
        foreign={"id": things.invitation_of_dora},
        foreign_for=MODERATOR,
    ),
    Row("GET", "/invitations"),
    Row("POST", "/invitations", MEMBER, sends={"uses": "3", "expires_in": "60"}, form=True),
    Row(
        *("POST", "/invitations/<int:id>/revoke", GUEST),
        path={"id": things.invitation},
        foreign={"id": things.invitation_of_dora},
        foreign_for=MODERATOR,
        form=True,
    ),
    Row("GET", "/rooms/<slug>/invite"),
    Row("POST", "/rooms/<slug>/invite", sends={"uses": "3", "expires_in": "60"}, form=True),
    # People.
    Row("GET", "/people/<username>"),
    Row("GET", "/api/people", sends={"q": "person", "after": "Ann"}),
    Row("GET", "/api/people/<username>"),
    Row(
        *("PATCH", "/api/people/<username>", GUEST),
        path={"username": things.me},
        sends={"bio": "New", "status": "New", "pronouns": "New", "display_name": "New", "time_zone": "Europe/Paris"},
        foreign={"username": things.cleo},
    ),
    Row("GET", "/api/blocks"),
    Row("PUT", "/api/blocks/<username>"),
    Row("DELETE", "/api/blocks/<username>"),
    Row("POST", "/people/<username>/block", form=True),
    Row("POST", "/people/<username>/unblock", form=True),
    # My account.
    Row("GET", "/account"),
    Row("GET", "/account/profile"),
    Row(
        *("POST", "/account/profile", GUEST),
        sends={"display_name": "New", "bio": "New", "status": "New", "ending": "1h", "time_zone": "Europe/Paris"},
        form=True,
    ),
    Row("GET", "/account/name"),
    Row("POST", "/account/name", sends={"username": things.new_name}, form=True),
    Row("GET", "/account/password"),
    Row("POST", "/account/password", sends={"password": "a long and winding road 42", "others": "1"}, form=True),
    Row("GET", "/account/codes"),
    Row("POST", "/account/codes", form=True),
    Row("GET", "/account/proof"),
    Row("POST", "/account/proof", sends={"password": things.code}, form=True),
    Row("GET", "/account/passkeys"),
    Row("POST", "/account/passkeys", sends={"answer": "{}"}, form=True, answers=frozenset({422})),
    Row("POST", "/account/passkeys/challenge", form=True),
    Row(
        *("POST", "/account/passkeys/<int:id>/removal", GUEST),
        path={"id": things.passkey},
        foreign={"id": things.passkey_of_dora},
        form=True,
    ),
    Row("GET", "/account/devices/new"),
    Row("POST", "/account/devices/new", form=True),
    Row("GET", "/account/sessions"),
    Row(
        *("POST", "/account/sessions/<int:id>/end", GUEST),
        path={"id": things.session},
        foreign={"id": things.session_of_dora},
        form=True,
    ),
    Row("POST", "/account/sessions/others/end", form=True),
    Row("GET", "/api/sessions"),
    Row(
        *("DELETE", "/api/sessions/<id>", GUEST),
        path={"id": things.session},
        foreign={"id": things.session_of_dora},
    ),
    Row("DELETE", "/api/sessions/current"),
    Row("GET", "/account/data"),
    Row("POST", "/account/data", form=True),
    Row("GET", "/account/delete"),
    Row("POST", "/account/delete", sends={"messages": "keep", "username": things.me}, form=True, but=OWNER),
    # Presence and typing.
    Row("GET", "/api/presence", sends={"people": things.cleo}),
    Row("PUT", "/api/presence", sends={"active": True}),
    Row("POST", "/api/rooms/<slug>/typing"),
    # Keeping order.
    Row("POST", "/rooms/<slug>/quiet", MODERATOR, keeper=True, sends={"slow": "0", "locked": "no"}, form=True),
    *(Row("GET", f"/admin{page}", MODERATOR) for page in ("", "/people", "/bans", "/reports", "/rooms", "/storage")),
    *(Row("GET", f"/admin{page}", OWNER) for page in ("/sessions", "/settings", "/audit")),
    Row("GET", "/admin/people/<username>", MODERATOR),
    *(
        Row(
            *("POST", "/admin/people/<username>/<act>", needs),
            path={"act": _text(act)},
            sends={"reason": "Rude", "lasts": "600", "confirm": things.cleo},
            form=True,
        )
        for act, needs in (
            *(("mute", MODERATOR), ("ban", MODERATOR), ("admit", MODERATOR)),
            *(("appoint", OWNER), ("dismiss", OWNER), ("hand-over", OWNER)),
        )
    ),
    Row(
        "POST", "/admin/bans", MODERATOR, sends={"network": "198.51.100.0/24", "lasts": "600", "reason": ""}, form=True
    ),
    Row("POST", "/admin/bans/<int:id>/lift", MODERATOR, path={"id": things.mute}, form=True),
    Row(
        *("POST", "/admin/reports/<long:message_id>", MODERATOR),
        path={"message_id": things.reported},
        sends={"outcome": "delete", "lasts": "600", "reason": "Rude"},
        form=True,
    ),
    Row(
        *("POST", "/admin/rooms/<int:id>", MODERATOR),
        path={"id": things.lobby},
        sends={"slow": "1", "locked": "no"},
        foreign={"id": things.den_id},
        foreign_for=OWNER,
        form=True,
    ),
    Row("POST", "/admin/rooms/<int:id>", OWNER, path={"id": things.lobby}, sends={"days": "30"}, form=True),
    Row("POST", "/admin/sessions/<int:id>/revoke", OWNER, path={"id": things.session_of_dora}, form=True),
    Row(
        *("POST", "/admin/settings", OWNER),
        sends={
            "name": "New",
            "accent": "teal",
            "joining": "open",
            "room_makers": "guest",
            "guests": "1",
            "lobby": "1",
            "retention_days": "",
            "name_days": "30",
            "edit_minutes": "60",
        },
        form=True,
    ),
    # Another proof of who one is: there is none where no provider is configured.
    *(Row("GET", f"/sign-in/openid{page}", NOBODY, answers=frozenset({404})) for page in ("", "/answer", "/name")),
    Row(*("POST", "/sign-in/openid/name", NOBODY), form=True, answers=frozenset({404})),
]
