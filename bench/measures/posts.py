"""How many posts a second are kept for good: by JSON and by the page's form, on SQLite and on PostgreSQL."""

from bench import engines, load, visitor, workshop
from bench.engines import Engines
from bench.figures import Audit, Series, Target, audit
from bench.plan import Plan
from bench.report import Row
from bench.servers import FLOOR, NAIVE, OURS, Kind, running

KINDS = (FLOOR, NAIVE, OURS)


def by_json(plan: Plan) -> list[Row]:
    target = Target(at_least=5_000, times_peer=8)
    return [measure(plan, "posts", "posts by JSON", "json", "/api/rooms/lobby/messages", target)]


def by_form(plan: Plan) -> list[Row]:
    return [measure(plan, "forms", "posts by form", "form", "/rooms/lobby/messages", Target(at_least=1_000))]


def on_postgresql(plan: Plan) -> list[Row]:
    target = Target(at_least=2_500, times_peer=5)
    with engines.started() as shared:
        title = "posts by JSON, one node on PostgreSQL and Redis"
        return [measure(plan, "node-posts", title, "json", "/api/rooms/lobby/messages", target, shared)]


def measure(
    plan: Plan, key: str, title: str, encoding: str, path: str, target: Target, shared: Engines | None = None
) -> Row:
    """``shared`` has all of them keep what is posted there; the floor keeps nothing anywhere."""
    rates: dict[Kind, list[float]] = {kind: [] for kind in KINDS}
    slowest: dict[Kind, list[float]] = {kind: [] for kind in KINDS}
    shares: dict[Kind, list[float]] = {kind: [] for kind in KINDS}
    kept = {kind: Audit(0, 0, 0) for kind in KINDS}
    for number in range(plan.rounds):
        for kind in KINDS:
            said, found = once(plan, kind, encoding, path, number, shared)
            rates[kind].append(said["per_second"])
            slowest[kind].append(said["p99_ms"])
            shares[kind].append(said["load_share"])
            kept[kind] += found
    return Row(
        key,
        f"durable {title}, {plan.post_clients} clients",
        "/s",
        target,
        Series.of(rates[OURS]),
        NAIVE.name,
        Series.of(rates[NAIVE]),
        Series.of(rates[FLOOR]),
        max(shares[OURS]),
        kept[OURS] if kept[NAIVE].clean else kept[NAIVE],
        [
            f"{kind.name}: p99 {Series.of(slowest[kind]).median:.1f} ms; "
            f"load generator {max(shares[kind]):.0%} of its core"
            + ("" if kind is FLOOR else f"; {kept[kind].acknowledged:,} acknowledged, {kept[kind]}")
            for kind in reversed(KINDS)
        ],
    )


def once(
    plan: Plan, kind: Kind, encoding: str, path: str, number: int, shared: Engines | None
) -> tuple[dict[str, float], Audit]:
    """Posts as fast as it is answered, ends the server as `kill -9` does, and reads everything back after a restart."""
    data = workshop.WORK / "data" / f"{'shared' if shared else 'own'}-{encoding}-{number}-{kind.name}"
    with running(kind, data, shared.settings() if shared else None) as server:
        said, acknowledged = load.requests(
            server,
            encoding,
            path,
            clients=plan.post_clients,
            seconds=plan.seconds,
            warmup=plan.warmup,
            tag=f"{encoding}{number}",
        )
        if kind is FLOOR:
            return said, Audit(0, 0, 0)
        server.kill()
        if shared:
            shared.crash()
        server.start()
        cookie = visitor.sign_in(server, "Auditor")
        return said, audit(acknowledged, (key_of(encoding, *row) for row in visitor.stored(server, cookie)))


def key_of(encoding: str, text: str, client_id: str | None) -> str:
    """The first word of the text; by JSON the client_id must be the same."""
    word = text.partition(" ")[0]
    return word if encoding == "form" or client_id == word else f"{word} with client_id {client_id}"
