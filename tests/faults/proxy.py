"""A network that loses an answer: it passes on what is asked, and drops what is said."""

from __future__ import annotations

import socket
import threading
from types import TracebackType

from ..servers import ChatServer


class LossyProxy:
    """Between a client and the server. While ``losing``, an answer is waited for and then thrown away."""

    def __init__(self, server: ChatServer) -> None:
        self.losing = True
        self.lost = 0
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> LossyProxy:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _run(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                self._pass_on(client)

    def _pass_on(self, client: socket.socket) -> None:
        """One request and one answer; each is small enough for one connection of its own."""
        with socket.create_connection(("127.0.0.1", self._server.port)) as server:
            asked = b""
            while not _whole(asked):
                more = client.recv(65536)
                if not more:
                    return
                asked += more
            server.sendall(asked.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            said = b""
            while more := server.recv(65536):
                said += more
            if self.losing:
                # The answer has come, so that the commit is behind us; the client hears nothing of it.
                self.lost += bool(said)
                return
            client.sendall(said)


def _whole(request: bytes) -> bool:
    top, found, body = request.partition(b"\r\n\r\n")
    if not found:
        return False
    lengths = [line.split(b":")[1] for line in top.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return len(body) >= int(lengths[0] if lengths else 0)
