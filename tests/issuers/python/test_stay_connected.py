"""The Python code of `docs/clients.md`."""

import asyncio
from pathlib import Path
import re
import secrets
import time
import unittest

import socketio

from server import LIMIT
from test_client import ClientCase, token

PAGE = (Path(__file__).parents[3] / "docs" / "clients.md").read_text()
code = {}
exec(re.search(r"```python\n(import .*?)```", PAGE, re.DOTALL)[1], code)
stay_connected = code["stay_connected"]


class Kept:
    """A client that stays connected, and who the server says it is."""

    def __init__(self, case, get_token):
        self.requests = []
        self.sessions = asyncio.Queue()
        self.client = socketio.AsyncClient(reconnection=False)
        self.client.on("session", self.sessions.put)

        async def asked(force):
            self.requests.append(force)
            return await get_token(force)

        self.task = asyncio.create_task(stay_connected(self.client, case.server.url, asked))
        case.addAsyncCleanup(self.stop)

    async def user(self):
        return (await asyncio.wait_for(self.sessions.get(), LIMIT))["user"]

    async def end(self):
        return await asyncio.wait_for(self.task, LIMIT)

    async def stop(self):
        await self.client.shutdown()
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


def source(**options):
    async def get_token(_):
        return token(**options)

    return get_token


class StayConnected(ClientCase):
    settings = {"leeway": "0s", "expiry_warning": "1s"}

    async def test_a_session_outlives_its_tokens(self):
        kept = Kept(self, source(lifetime=3))
        self.assertEqual(await kept.user(), "ada")
        first = time.time()
        while time.time() < first + 7:
            await asyncio.sleep(0.5)
            self.assertEqual((await kept.client.call("whoami"))["user"], "ada")
        self.assertTrue(kept.sessions.empty(), "it has connected again")
        self.assertEqual(set(kept.requests[1:]), {True})

    async def test_a_session_that_was_not_renewed_comes_back(self):
        lifetimes = iter([2, -90, 300])

        async def get_token(_):
            return token(lifetime=next(lifetimes))

        kept = Kept(self, get_token)
        self.assertEqual(await kept.user(), "ada")
        self.assertEqual(await kept.user(), "ada")
        self.assertEqual(kept.requests, [False, True, True])

    async def test_a_server_that_restarts_gets_its_client_back(self):
        kept = Kept(self, source())
        self.assertEqual(await kept.user(), "ada")
        await self.server.stop()
        await asyncio.sleep(2)
        await self.server.start()
        self.assertEqual(await kept.user(), "ada")

    async def test_a_switch_of_the_user_connects_again(self):
        users = iter(["ada", "grace", "grace"])

        async def get_token(_):
            user = next(users)
            return token(user, lifetime=3 if user == "ada" else 300)

        kept = Kept(self, get_token)
        self.assertEqual(await kept.user(), "ada")
        self.assertEqual(await kept.user(), "grace")

    async def test_an_expired_token_is_replaced(self):
        async def get_token(force):
            return token(lifetime=300 if force else -90)

        kept = Kept(self, get_token)
        self.assertEqual(await kept.user(), "ada")
        self.assertEqual(kept.requests, [False, True])

    async def test_an_expired_token_that_comes_again_ends_it(self):
        kept = Kept(self, source(lifetime=-90))
        self.assertEqual(await kept.end(), "token_expired")
        self.assertEqual(kept.requests, [False, True])

    async def test_a_forged_token_ends_it(self):
        kept = Kept(self, source(secret=secrets.token_urlsafe(48)))
        self.assertEqual(await kept.end(), "token_signature_invalid")
        self.assertEqual(kept.requests, [False])


if __name__ == "__main__":
    unittest.main()
