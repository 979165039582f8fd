"""Clients at work at the same time: what each got, whether it was right, how long it took."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import itertools
import json
import math
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Coroutine, Dict, List, Mapping, Optional, Sequence, TypeVar

import aiohttp
import numpy as np

from benchmarks.reliability.serving.bot import Conversation, texts_of

RIGHT, WRONG, LOST = "right", "wrong", "lost"
_TIMEOUT_S = 120.0
# JSON of a server may have fewer digits.
_TOLERANCE = 1e-9
# What differs from request to request.
_OWN = ("message_id", "metadata")


@dataclasses.dataclass
class Outcomes:
    """What clients saw.

    Attributes:
        seconds: Of each answered request.
        counts: Of RIGHT, WRONG and LOST.
        wall_s: From the first request to the last answer.
        reasons: Of what was lost or wrong, with how often.
    """

    seconds: List[float] = dataclasses.field(default_factory=list)
    counts: Counter[str] = dataclasses.field(default_factory=Counter)
    wall_s: float = 0.0
    reasons: Counter[str] = dataclasses.field(default_factory=Counter)

    def add(self, kind: str, seconds: Optional[float] = None, reason: str = "") -> None:
        """Counts one request."""
        self.counts[kind] += 1
        if seconds is not None:
            self.seconds.append(seconds)
        if reason:
            self.reasons[reason] += 1

    def summary(self) -> Dict[str, Any]:
        """Returns counts, percentiles in ms and messages per second."""
        row: Dict[str, Any] = {"n": sum(self.counts.values())}
        row.update({kind: self.counts[kind] for kind in (WRONG, LOST)})
        for rank in (50, 95, 99):
            has = bool(self.seconds)
            row[f"p{rank}_ms"] = float(np.percentile(self.seconds, rank)) * 1e3 if has else None
        row["messages_per_s"] = len(self.seconds) / self.wall_s if self.wall_s else None
        if self.reasons:
            row["reasons"] = dict(self.reasons.most_common(5))
        return row


Item = TypeVar("Item")
Client = Callable[[aiohttp.ClientSession, Outcomes], Coroutine[Any, Any, None]]


def run_clients(clients: Sequence[Client]) -> Outcomes:
    """Lets clients work side by side, each over a connection of its own that it keeps open."""

    async def work() -> Outcomes:
        found = Outcomes()
        start = time.perf_counter()
        await asyncio.gather(*(_session(client, found) for client in clients))
        found.wall_s = time.perf_counter() - start
        return found

    return asyncio.run(work())


async def _session(client: Client, found: Outcomes) -> None:
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    connector = aiohttp.TCPConnector(limit=1, force_close=False)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        await client(session, found)


def parsing(port: int, texts: Sequence[str], expected: Mapping[str, Mapping[str, Any]]) -> Client:
    """Returns a client that sends these messages to `/model/parse`, one after the other."""

    async def client(session: aiohttp.ClientSession, found: Outcomes) -> None:
        for text in texts:
            await post(
                session, f"http://127.0.0.1:{port}/model/parse", {"text": text}, found,
                functools.partial(differs, expected[text]),
            )  # fmt: skip

    return client


def talking(
    port: int, sender: str, conversation: Conversation, *, ports: Sequence[int] = ()
) -> Client:
    """Returns a client that holds a conversation over the REST channel.

    Args:
        port: The server's.
        sender: Whose conversation; nobody else's.
        conversation: With the replies that are right.
        ports: Servers that the messages go to in turn, instead of `port`.
    """

    async def client(session: aiohttp.ClientSession, found: Outcomes) -> None:
        for number, text in enumerate(conversation.texts):
            to = ports[number % len(ports)] if ports else port
            body = {"sender": sender, "message": text}
            await post(
                session, f"http://127.0.0.1:{to}/webhooks/rest/webhook", body, found,
                functools.partial(_other_reply, conversation.replies[number]),
            )  # fmt: skip

    return client


def talk_during(
    work: Callable[[], None], port: int, conversations: Sequence[Conversation], n_clients: int
) -> Outcomes:
    """Lets clients hold one conversation after the other until some work is done.

    Args:
        work: Runs in a thread of its own, which lives until the clients have ended; what it raises
            is raised here.
        port: Where they ask.
        conversations: With the replies that are right; each is held again, by another sender.
        n_clients: Side by side.
    """
    done = threading.Event()

    def endless(first: int) -> Client:
        async def client(session: aiohttp.ClientSession, found: Outcomes) -> None:
            for number in itertools.count(first, n_clients):
                if done.is_set():
                    return
                each = conversations[number % len(conversations)]
                await talking(port, f"during-{number}", each)(session, found)

        return client

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        working.add_done_callback(lambda _: done.set())
        found = run_clients([endless(first) for first in range(n_clients)])
        working.result()
    return found


async def post(
    session: aiohttp.ClientSession,
    url: str,
    body: Mapping[str, Any],
    found: Outcomes,
    differs: Callable[[Any], str],
) -> None:
    """Sends one request and counts what came of it.

    Args:
        session: The client's.
        url: Where to.
        body: JSON.
        found: Where it is counted.
        differs: Says of the answer what is wrong with it; nothing if it is right.
    """
    start = time.perf_counter()
    try:
        async with session.post(url, json=body) as response:
            status, content = response.status, await response.read()
    except (aiohttp.ClientError, asyncio.TimeoutError) as error:
        found.add(LOST, reason=type(error).__name__)
        return
    seconds = time.perf_counter() - start
    if status != 200:
        found.add(LOST, seconds, f"status {status}")
        return
    try:
        answer = json.loads(content)
    except ValueError:
        found.add(WRONG, seconds, "no JSON")
        return
    reason = differs(answer)
    found.add(WRONG if reason else RIGHT, seconds, reason)


def shared_out(items: Sequence[Item], n_clients: int) -> List[Sequence[Item]]:
    """Returns each client's part."""
    return [items[first::n_clients] for first in range(n_clients)]


def _other_reply(right: Sequence[str], answer: Any) -> str:
    return "" if texts_of(answer) == tuple(right) else "another reply than offline"


def differs(right: Any, answer: Any, place: str = "") -> str:
    """Returns where an answer differs from the right one; nothing if it does not."""
    if isinstance(right, dict) and isinstance(answer, dict):
        own = {key: value for key, value in right.items() if key not in _OWN}
        for key, value in own.items():
            reason = differs(value, answer.get(key), place or str(key))
            if reason:
                return reason
        return "" if set(own) >= set(answer) - set(_OWN) else f"more keys in {place or 'it'}"
    if isinstance(right, (list, tuple)) and isinstance(answer, list):
        if len(right) != len(answer):
            return f"length of {place}"
        return next((r for pair in zip(right, answer) if (r := differs(*pair, place))), "")
    if isinstance(right, float) and isinstance(answer, (int, float)):
        return "" if math.isclose(right, answer, abs_tol=_TOLERANCE) else f"number in {place}"
    return "" if right == answer else f"other {place}"
