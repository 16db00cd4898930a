"""The usual Flask chat: Flask-SocketIO on gevent, a message sent to everybody who is connected. Nothing is stored.

python socketio_chat.py PORT
"""

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402

from flask import Flask  # noqa: E402
from flask_socketio import SocketIO, emit  # noqa: E402

app = Flask(__name__)
socketio = SocketIO(app, async_mode="gevent")


@app.get("/up")
def up() -> str:
    return "ok"


def say(text: str) -> None:
    emit("message", {"author": "Ann", "text": text}, broadcast=True)


socketio.on_event("message", say)

if __name__ == "__main__":
    socketio.run(app, host="127.0.0.1", port=int(sys.argv[1]))
