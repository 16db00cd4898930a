"""How many times a second one process can answer with the room's page, 50 messages in it."""

from bench import load, visitor, workshop
from bench.figures import Series, Target
from bench.plan import Plan
from bench.report import Row
from bench.servers import FLOOR, OURS, Kind, Server, running

ROOM = "/rooms/lobby"
MESSAGES = 50
SAYINGS = (
    "Good morning! Has anybody seen the long ladder?",
    "It was behind the shed on Friday.\nI can look this afternoon.",
    "We meet at seven by the old bridge; bring the map, please. https://example.org/map?scale=1:5000",
    "Yes.",
    "So that nobody has to remember: Bob brings bread, Cleo the soup, Dora the guitar. If it rains we meet at Ann's.",
)


def room(plan: Plan) -> list[Row]:
    """Pages a second, signed in, compressed as browsers ask for them."""
    rates: dict[Kind, list[float]] = {OURS: [], FLOOR: []}
    figures = []
    for number in range(plan.rounds):
        for kind in (FLOOR, OURS):
            with running(kind, workshop.WORK / "data" / f"page-{number}-{kind.name}") as server:
                if kind is OURS:
                    furnish(server)
                said, _ = load.requests(
                    server, "page", ROOM, clients=plan.page_clients, seconds=plan.seconds, warmup=plan.warmup
                )
                rates[kind].append(said["per_second"])
                if kind is OURS:
                    figures.append(said)
    slowest = Series.of(said["p99_ms"] for said in figures).median
    return [
        Row(
            "page",
            f"the room's page with {MESSAGES} messages, {plan.page_clients} clients",
            "/s",
            Target(at_least=1_000),
            Series.of(rates[OURS]),
            None,
            None,
            Series.of(rates[FLOOR]),
            max(said["load_share"] for said in figures),
            None,
            [f"{OURS.name}: p99 {slowest:.1f} ms, {figures[-1]['answer_bytes']:,.0f} bytes an answer, gzip"],
        )
    ]


def furnish(server: Server) -> None:
    """Four people say fifty things, and the page shows them all. Raises RuntimeError when it does not."""
    cookies = [visitor.sign_in(server, name) for name in visitor.PEOPLE]
    talk(server, cookies, MESSAGES)
    articles = visitor.open_page(server, ROOM, cookies[0]).count("<article")
    if articles != MESSAGES:
        raise RuntimeError(f"GET {ROOM} shows {articles} messages, not {MESSAGES}")


def talk(server: Server, cookies: list[str], count: int) -> None:
    """So many messages from those who are signed in, a few from each at a time."""
    for number in range(count):
        body = {"text": SAYINGS[number % len(SAYINGS)], "client_id": f"talk-{number}"}
        visitor.call(server, cookies[number // 3 % len(cookies)], "POST", "/api/rooms/lobby/messages", body)
