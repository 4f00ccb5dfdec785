"""The server of this crate, for the tests of one class."""

import asyncio
import json
import os
from pathlib import Path
import re

BINARY = os.environ.get(
    "ISSUERS_SERVER", Path(__file__).parents[3] / "target" / "debug" / "issuers-server"
)
LIMIT = 15


class Server:
    """A server on loopback, which can be stopped and started again under the same URL."""

    def __init__(self, **settings):
        self.settings = settings
        self.log = ""

    async def start(self):
        self._process = await asyncio.create_subprocess_exec(
            BINARY,
            json.dumps(self.settings),
            # Only this environment, so that variables of the shell have no effect.
            env={},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        self._reader = asyncio.create_task(self._read_log())
        line = await asyncio.wait_for(self._process.stdout.readline(), LIMIT)
        address = re.fullmatch(rb"listening on (http://127\.0\.0\.1:(\d+))\n", line)
        if not address:
            await self.stop()
            raise RuntimeError(f"the server did not start:\n{self.log}")
        self.url = address[1].decode()
        self.settings["port"] = int(address[2])

    async def stop(self):
        # The server ends when its stdin does.
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), LIMIT)
        except asyncio.TimeoutError:
            self._process.kill()
            raise
        await self._reader

    async def _read_log(self):
        async for line in self._process.stderr:
            self.log += line.decode()
