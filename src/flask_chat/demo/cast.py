"""Who is in the demonstration: the people of Mill Lane, and which rooms they are in."""

from __future__ import annotations

from dataclasses import dataclass

from ..chat.people import GUEST, MEMBER, MODERATOR, OWNER

NAME = "Mill Lane Workshop"
"""What the chat is called."""

YOU = "Robin"
"""Whom a newcomer is."""


@dataclass(frozen=True)
class Character:
    """Somebody. ``days`` ago they came; ``rooms`` are the keys of the rooms that they are in beside the lobby."""

    name: str
    role: str
    days: int
    rooms: tuple[str, ...] = ()
    pronouns: str = ""
    bio: str = ""
    status: str = ""
    time_zone: str = ""


@dataclass(frozen=True)
class Place:
    """A room. Who made it is its owner."""

    key: str
    name: str
    maker: str
    days: int
    private: bool = False
    topic: str = ""
    description: str = ""


CAST = (
    Character(
        YOU,
        OWNER,
        61,
        ("bench", "bikes", "spanish", "fair", "keys", "sky", "reading"),
        bio="I answer the door on Tuesdays and look after this chat.",
        time_zone="Europe/Lisbon",
    ),
    Character(
        "Ines Carvalho",
        MODERATOR,
        60,
        ("bench", "bikes", "spanish", "fair", "keys", "choir", "lost"),
        "she/her",
        "Bookbinder. Ask me about glue, or better, don’t.",
        "At the bench until seven",
        "Europe/Lisbon",
    ),
    Character("Walt", MEMBER, 60, ("bench", "keys", "sky", "choir", "lost"), bio="Forty years of lathes, ten fingers."),
    Character("Priya", MEMBER, 58, ("bikes", "fair", "keys", "sky", "reading"), "she/her", "Wheels, mostly round."),
    Character("Marlene Vogt", MEMBER, 55, ("bench", "spanish", "choir", "fair"), "sie/ihr", "Möbel und Mandoline."),
    Character("Oskar", MEMBER, 54, ("bench", "bikes", "sky"), bio="Tischler in Ausbildung."),
    Character("Mateo", MEMBER, 49, ("spanish", "choir", "fair"), "él", "Profe de español los jueves.", "Corrigiendo"),
    Character("Yusuf", MEMBER, 47, ("bikes", "spanish", "lost", "reading"), "he/him"),
    Character("Leila", MEMBER, 44, ("spanish", "choir", "reading", "sky"), "she/they", "Alto. Reads on trams."),
    Character("Jun", MEMBER, 40, ("bench", "sky", "fair"), "he/him", "Photographs of very small and very far things."),
    Character("Freya", MEMBER, 33, ("choir", "reading", "lost"), status="Back on Monday"),
    Character("Tomás", MEMBER, 26, ("bikes", "fair", "bench")),
    Character("Sanna", GUEST, 12, ("spanish", "choir")),
    Character("Abel", GUEST, 5, ("bikes",)),
    Character("Kit", GUEST, 1, ("reading",)),
)

PLACES = (
    Place(
        "bench",
        "Woodwork",
        "Walt",
        59,
        topic="Bandsaw is back. Please brush the table when you leave.",
        description="Joinery, turning, finishing, and what to do when it does not fit.",
    ),
    Place("bikes", "Bike repair", "Priya", 57, topic="Repair evening every Wednesday, 18:00 to 21:00"),
    Place(
        "spanish",
        "Spanish on Thursdays",
        "Mateo",
        48,
        topic="Esta semana: el pretérito indefinido",
        description="An hour of talking and a little grammar. Beginners sit in front, mistakes are welcome.",
    ),
    Place("choir", "Choir", "Ines Carvalho", 45, topic="Tuesdays at eight, upstairs"),
    Place("sky", "Night sky club", "Jun", 39, topic="Next clear night: the hill behind the mill"),
    Place("reading", "Reading group", "Leila", 30, topic="November: The Summer Book"),
    Place("lost", "Lost and found", "Freya", 29),
    Place("fair", "Winter fair", "Marlene Vogt", 21, private=True, topic="12 December, doors open at ten"),
    Place("keys", "Keyholders", YOU, 56, private=True, topic="Who opens, who closes"),
)
