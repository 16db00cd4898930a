"""How much is asked: the numbers of a whole run, and small ones that only show that everything works."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    rounds: int = 3
    fanout_readers: int = 5_000
    fanout_posts: int = 60
    arrival_readers: int = 1_000
    arrival_posts: int = 50
    posts_per_second: float = 5.0
    idle_readers: int = 10_000
    idle_posts: int = 10
    behind: int = 1_000
    catch_ups: int = 5
    blackout_readers: int = 200
    blackout_posts_per_second: float = 20.0
    restarts: int = 4
    settle: float = 2.0
    idle: float = 3.0
    post_clients: int = 64
    page_clients: int = 16
    seconds: float = 4.0
    warmup: float = 1.0
    starts: int = 5
    people: int = 5_000
    rooms: int = 500
    in_rooms: int = 300
    page_visits: int = 50


QUICK = Plan(
    rounds=1,
    fanout_readers=200,
    fanout_posts=5,
    arrival_readers=100,
    arrival_posts=5,
    idle_readers=300,
    idle_posts=2,
    behind=100,
    catch_ups=1,
    blackout_readers=10,
    restarts=1,
    settle=0.5,
    idle=0.5,
    seconds=0.5,
    warmup=0.2,
    starts=1,
    people=100,
    rooms=20,
    in_rooms=12,
    page_visits=5,
)
