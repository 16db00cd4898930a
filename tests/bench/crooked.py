"""A floor that goes wrong in one way: `crooked.py PORT twice|never` writes all of it twice, or leaves a reader out."""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.peers import floor


class Crooked(floor.Floor):
    def answer(self, head: bytes, body: bytes) -> None:
        left_out = min(floor.readers, key=id) if floor.readers else None
        if head.startswith(b"POST /api") and sys.argv[2] == "never" and left_out:
            floor.readers.remove(left_out)
        super().answer(head, body)
        if head.startswith(b"POST /api") and sys.argv[2] == "twice":
            for reader in floor.readers:
                reader.write(b"data: " + body + b"\n\n")


floor.Floor = Crooked  # type: ignore[misc]
asyncio.run(floor.main(int(sys.argv[1])))
