"""The chat one writes first: Flask and SQLAlchemy, a commit a request, SQLite in WAL with ``synchronous=FULL``.

python naive_flask.py PORT FILE

With ``DATABASE_URL`` in the environment it is on that PostgreSQL instead, with a connection for each thread.
"""

import logging
import os
import sqlite3
import sys
from datetime import UTC, datetime

import waitress
from flask import Flask, abort, redirect, request, session
from flask.typing import ResponseReturnValue
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

THREADS = 4


class Base(DeclarativeBase):
    pass


class Message(Base):
    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    author: Mapped[str]
    text: Mapped[str]
    client_id: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[datetime]


def open_database(file: str) -> Engine:
    if url := os.environ.get("DATABASE_URL"):
        return create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), pool_size=THREADS)
    engine = create_engine(f"sqlite:///{file}", pool_size=THREADS, connect_args={"timeout": 60})

    @event.listens_for(engine, "connect")
    def durable(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("pragma journal_mode=wal")
        connection.execute("pragma synchronous=full")

    return engine


def create_app(file: str) -> Flask:
    app = Flask(__name__)
    app.secret_key = "for the bench only"
    engine = open_database(file)
    Base.metadata.create_all(engine)

    def post(text: str, client_id: str | None) -> Message:
        if "username" not in session:
            abort(401)
        message = Message(author=session["username"], text=text, client_id=client_id, created_at=datetime.now(UTC))
        with Session(engine, expire_on_commit=False) as db:
            db.add(message)
            db.commit()
        return message

    @app.get("/up")
    def up() -> str:
        return "ok"

    @app.post("/")
    def sign_in() -> ResponseReturnValue:
        session["username"] = request.form["username"]
        return redirect("/rooms/lobby", 303)

    @app.post("/api/rooms/lobby/messages")
    def post_json() -> ResponseReturnValue:
        message = post(request.json["text"], request.json["client_id"])
        return {"id": message.id, "text": message.text, "author": message.author}, 201

    @app.post("/rooms/lobby/messages")
    def post_form() -> ResponseReturnValue:
        post(request.form["message"], None)
        return redirect("/rooms/lobby", 303)

    return app


if __name__ == "__main__":
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # A line for every request that waits costs it time.
    waitress.serve(
        create_app(sys.argv[2]), host="127.0.0.1", port=int(sys.argv[1]), threads=THREADS, connection_limit=1000
    )
