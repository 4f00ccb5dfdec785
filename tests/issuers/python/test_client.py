"""python-socketio as a client: where it puts its token, and what it sees of a session's life."""

import asyncio
import secrets
import time
import unittest

import jwt
import socketio

from server import LIMIT, Server

SECRET = secrets.token_urlsafe(48)


def token(subject="ada", lifetime=300.0, secret=SECRET):
    """Returns a token that expires after this time, in seconds, rounded down."""
    claims = {"sub": subject, "exp": int(time.time() + lifetime)}
    return jwt.encode(claims, secret, algorithm="HS256")


def expiry_of(encoded):
    return jwt.decode(encoded, options={"verify_signature": False})["exp"]


class Events:
    """What a client receives in one namespace, to wait for."""

    NAMES = (
        "connect_error",
        "disconnect",
        "session",
        "token_expiring",
        "unauthorized",
    )

    def __init__(self, client, namespace):
        self._queues = {name: asyncio.Queue() for name in self.NAMES}
        for name, queue in self._queues.items():
            client.on(name, self._handler(queue), namespace=namespace)

    @staticmethod
    def _handler(queue):
        async def handle(data=None):
            queue.put_nowait(data)

        return handle

    async def next(self, name):
        return await asyncio.wait_for(self._queues[name].get(), LIMIT)


class ClientCase(unittest.IsolatedAsyncioTestCase):
    """Tests with a server of their own."""

    settings = {}

    async def asyncSetUp(self):
        self.server = Server(secret=SECRET, algorithms=["HS256"], **self.settings)
        await self.server.start()
        self.addAsyncCleanup(self.server.stop)

    def client(self, *namespaces, **options):
        """Returns a client, and its events in each of the namespaces."""
        client = socketio.AsyncClient(**{"reconnection": False, **options})
        self.addAsyncCleanup(client.shutdown)
        return client, *(Events(client, namespace) for namespace in namespaces)

    async def connect(self, client, query="", transports=None, **options):
        url = self.server.url + query
        await client.connect(url, transports=transports, wait_timeout=LIMIT, **options)

    async def assert_user(self, events, user):
        self.assertEqual((await events.next("session"))["user"], user)

    async def assert_refused(self, code, namespace="/", **options):
        client, events = self.client(namespace)
        with self.assertRaises(socketio.exceptions.ConnectionError, msg=self.server.log):
            await self.connect(client, namespaces=[namespace], **options)
        self.assertEqual(await events.next("connect_error"), {"message": code})
        self.assertFalse(client.connected)


class Tokens(ClientCase):
    async def test_a_token_in_the_auth_dictionary_is_accepted(self):
        for transports in (["polling"], ["websocket"], None):
            with self.subTest(transports=transports):
                client, events = self.client("/")
                await self.connect(client, auth={"token": token()}, transports=transports)
                await self.assert_user(events, "ada")
                self.assertEqual((await client.call("whoami"))["user"], "ada")

    async def test_a_token_of_an_auth_function_is_accepted(self):
        async def fetch():
            return {"token": token("grace")}

        for auth in (lambda: {"token": token("grace")}, fetch):
            client, events = self.client("/")
            await self.connect(client, auth=auth)
            await self.assert_user(events, "grace")

    async def test_a_token_in_a_header_is_accepted(self):
        for headers in ({"Authorization": f"Bearer {token()}"}, {"X-Auth-Token": token()}):
            client, events = self.client("/")
            await self.connect(client, headers=headers)
            await self.assert_user(events, "ada")

    async def test_a_token_in_the_query_is_accepted(self):
        client, events = self.client("/")
        await self.connect(client, query=f"?auth_token={token()}")
        await self.assert_user(events, "ada")

    async def test_the_auth_dictionary_comes_before_a_header(self):
        client, events = self.client("/")
        headers = {"Authorization": f"Bearer {token('grace')}"}
        await self.connect(client, auth={"token": token("ada")}, headers=headers)
        await self.assert_user(events, "ada")

    async def test_a_client_that_is_refused_sees_the_code(self):
        await self.assert_refused("token_missing")
        await self.assert_refused("token_missing", auth={"token": ""})
        await self.assert_refused("token_malformed", auth={"token": "not a token"})
        await self.assert_refused("token_expired", auth={"token": token(lifetime=-90)})
        other = token(secret=secrets.token_urlsafe(48))
        await self.assert_refused("token_signature_invalid", auth={"token": other})
        header, _, signature = token().split(".")
        forged = ".".join((header, token("admin").split(".")[1], signature))
        await self.assert_refused("token_signature_invalid", auth={"token": forged})
        unsigned = jwt.encode({"sub": "ada", "exp": 2**40}, None, algorithm="none")
        await self.assert_refused("token_algorithm_not_allowed", auth={"token": unsigned})


class Namespaces(ClientCase):
    async def test_one_token_opens_several_namespaces(self):
        names = ["/", "/rooms/a", "/rooms/b"]
        client, *all_events = self.client(*names)
        await self.connect(client, auth={"token": token()}, namespaces=names)
        for name, events in zip(names, all_events):
            await self.assert_user(events, "ada")
            self.assertEqual((await client.call("whoami", namespace=name))["user"], "ada")

    async def test_a_client_without_a_token_is_a_guest_where_guests_are_welcome(self):
        client, events = self.client("/guests")
        await self.connect(client, namespaces=["/guests"])
        await self.assert_user(events, None)
        await self.assert_refused("token_missing", namespace="/rooms/a")

    async def test_a_guest_logs_in(self):
        client, events = self.client("/guests")
        await self.connect(client, namespaces=["/guests"])
        await self.assert_user(events, None)
        own = token()
        answer = await client.call("authenticate", {"token": own}, namespace="/guests")
        self.assertEqual(answer["expires_at"], expiry_of(own))
        self.assertEqual((await client.call("whoami", namespace="/guests"))["user"], "ada")

    async def test_a_refused_namespace_leaves_the_others_connected(self):
        client, guests, room = self.client("/guests", "/rooms/a")
        names = ["/guests", "/rooms/a"]
        await self.connect(client, namespaces=names, wait=False)
        await self.assert_user(guests, None)
        self.assertEqual(await room.next("connect_error"), {"message": "token_missing"})
        self.assertEqual(await client.call("whoami", namespace="/guests"), {"user": None})


class Sessions(ClientCase):
    settings = {"leeway": "0s", "expiry_warning": "1s"}

    async def test_a_token_is_renewed_when_it_is_about_to_expire(self):
        client, events = self.client("/")
        first = token(lifetime=3)
        await self.connect(client, auth={"token": first})
        await self.assert_user(events, "ada")

        await events.next("token_expiring")
        second = token(lifetime=5)
        answer = await client.call("authenticate", {"token": second}, timeout=LIMIT)
        self.assertEqual(answer["expires_at"], expiry_of(second))

        # The next warning shows that the first token's end has passed.
        await events.next("token_expiring")
        self.assertGreaterEqual(time.time(), expiry_of(first))
        self.assertEqual((await client.call("whoami"))["user"], "ada")

    async def test_a_renewal_that_is_refused_leaves_the_session_as_it_is(self):
        client, events = self.client("/")
        await self.connect(client, auth={"token": token()})
        await self.assert_user(events, "ada")
        for payload, code in (
            ({"token": token("grace")}, "subject_mismatch"),
            ({"token": token(lifetime=-90)}, "token_expired"),
            ({"token": "not a token"}, "token_malformed"),
        ):
            answer = await client.call("authenticate", payload)
            self.assertEqual(answer["error"]["code"], code)
        self.assertEqual((await client.call("whoami"))["user"], "ada")

    async def test_a_client_whose_token_expires_is_told_and_disconnected(self):
        for transports in (["polling"], ["websocket"]):
            with self.subTest(transports=transports):
                client, events = self.client("/")
                own = token(lifetime=2)
                await self.connect(client, auth={"token": own}, transports=transports)
                self.assertEqual((await events.next("unauthorized"))["code"], "token_expired")
                self.assertEqual(await events.next("disconnect"), client.reason.SERVER_DISCONNECT)
                self.assertGreaterEqual(time.time(), expiry_of(own))
                await self.assert_refused("token_expired", auth={"token": own})


class Reconnection(ClientCase):
    async def test_a_client_reconnects_with_a_fresh_token_after_a_restart(self):
        handed_out = []

        def fetch():
            handed_out.append(token(lifetime=300 + len(handed_out)))
            return {"token": handed_out[-1]}

        client, events = self.client(
            "/", reconnection=True, reconnection_delay=0.1, reconnection_delay_max=0.5
        )
        await self.connect(client, auth=fetch)
        await self.assert_user(events, "ada")

        await self.server.stop()
        self.assertEqual(await events.next("disconnect"), client.reason.TRANSPORT_ERROR)
        await self.server.start()
        await self.assert_user(events, "ada")
        self.assertEqual((await client.call("whoami"))["user"], "ada")
        self.assertGreater(len(set(handed_out)), 1)

    async def test_a_client_whose_token_has_expired_meanwhile_sees_the_code(self):
        lifetimes = iter([300, -90])
        client, events = self.client(
            "/", reconnection=True, reconnection_delay=0.1, reconnection_delay_max=0.5
        )
        await self.connect(client, auth=lambda: {"token": token(lifetime=next(lifetimes, 300))})
        await self.assert_user(events, "ada")

        await self.server.stop()
        await events.next("disconnect")
        await self.server.start()
        # While the server is down, the client sees the errors of its connection, which are strings.
        while isinstance(error := await events.next("connect_error"), str):
            pass
        self.assertEqual(error, {"message": "token_expired"})


if __name__ == "__main__":
    unittest.main()
