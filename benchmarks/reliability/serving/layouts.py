"""Tries the layouts of docs/deployment.md: an NLU server of two, replicas behind nginx, a quota.

Every answer is compared with what the model answers in one process.
"""

from __future__ import annotations

import argparse
import contextlib
import shlex
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Optional, Sequence, Tuple

from tqdm import tqdm

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.reliability.serving.bot import (
    Expected,
    add_work,
    bot_messages,
    conversations_of,
    expected_of,
    train_bot,
    varied,
    work_folder,
)
from benchmarks.reliability.serving.load import (
    parsing,
    run_clients,
    shared_out,
    talk_during,
    talking,
)
from benchmarks.reliability.serving.memory import memory
from benchmarks.reliability.serving.quota import group_with_quota, throttled_share
from benchmarks.reliability.serving.running import need
from benchmarks.reliability.serving.serving import about_now
from benchmarks.reliability.serving.stack import (
    nginx_server,
    rasa_server,
    redis_server,
    store_endpoints,
)
from benchmarks.rows import Row, RowStore
from rasa_tokprune.errors import ConfigError, did_you_mean

_TURNS = 5
_N_CLIENTS = 8
_QUOTA = 0.5
# Before and after a server is restarted.
_BETWEEN_S = 2.0


def shared_nlu(work: Path, folder: Path, expected: Expected) -> Iterator[Row]:
    """Yields the row of one NLU server that two dialogue servers ask.

    The dialogue servers take turns in each conversation, so that both need the same stores.
    """
    nlu = train_bot(work, "nlu", nlu_only=True)
    bot = train_bot(work)
    with redis_server(folder) as redis, rasa_server(folder, nlu) as understanding:
        url = {"url": f"http://127.0.0.1:{understanding.port}"}
        endpoints = store_endpoints(folder / "two.yml", redis.port, nlu=url)
        with contextlib.ExitStack() as stack:
            ports = [
                stack.enter_context(rasa_server(folder, bot, endpoints=endpoints)).port
                for _ in range(2)
            ]
            yield _row("nlu server of two", _talk(ports, expected), about=memory(understanding.pid))
            payloads = _payloads(ports, expected)
            yield _row("nlu server of two, payloads", payloads)


def behind_nginx(work: Path, folder: Path, expected: Expected) -> Iterator[Row]:
    """Yields the rows of two servers behind nginx, set up with the document's own lines."""
    bot = train_bot(work)
    with redis_server(folder) as redis, contextlib.ExitStack() as stack:
        endpoints = store_endpoints(folder / "replicas.yml", redis.port)
        ports = [
            stack.enter_context(rasa_server(folder, bot, endpoints=endpoints)).port
            for _ in range(2)
        ]
        proxy = stack.enter_context(nginx_server(folder, ports))
        yield _row("two replicas behind nginx", _talk([proxy.port], expected))
        texts = shared_out(list(expected.parsed), _N_CLIENTS)
        clients = [parsing(proxy.port, part, expected.parsed) for part in texts]
        yield _row("two replicas behind nginx, parse", run_clients(clients).summary())


def restarted(work: Path, folder: Path, expected: Expected) -> Iterator[Row]:
    """Yields the row of two servers behind nginx, each of which is stopped and started again."""
    bot = train_bot(work)
    with redis_server(folder) as redis, contextlib.ExitStack() as stack:
        endpoints = store_endpoints(folder / "restarted.yml", redis.port)

        def start(port: Optional[int] = None) -> Tuple[contextlib.ExitStack, int]:
            own = stack.enter_context(contextlib.ExitStack())
            server = own.enter_context(rasa_server(folder, bot, endpoints=endpoints, port=port))
            return own, server.port

        servers = [start(), start()]
        proxy = stack.enter_context(nginx_server(folder, [port for _, port in servers]))

        def restart() -> None:
            for own, port in servers:
                time.sleep(_BETWEEN_S)
                own.close()
                start(port)
            time.sleep(_BETWEEN_S)

        found = talk_during(restart, proxy.port, expected.conversations, _N_CLIENTS)
        yield _row("two replicas behind nginx, each restarted", found.summary())


def under_quota(work: Path, folder: Path, expected: Expected) -> Iterator[Row]:
    """Yields the row of a server with time for half a core; of one core where no group is made."""
    bot = train_bot(work)
    with group_with_quota(_QUOTA) as entrance:
        kind, prefix = f"group with a quota of {_QUOTA} cores", ["sh", "-c"]
        if entrance is None:
            kind, prefix = "bound to one core", ["taskset", "-c", "0"]
        else:
            enter = f'echo $$ > {shlex.quote(str(entrance))} && exec "$@"'
            prefix = ["sh", "-c", enter, "sh"]
        # Nobody sets threads here: what the package chooses by itself is looked at.
        with rasa_server(folder, bot, prefix=prefix) as server:
            texts = shared_out(list(expected.parsed), _N_CLIENTS)
            clients = [parsing(server.port, part, expected.parsed) for part in texts]
            summary = run_clients(clients).summary()
            about = {"start_s": server.start_s, **memory(server.pid)}
            if entrance is not None:
                about["throttled"] = throttled_share(entrance)
            yield _row("quota", summary, about={"limit": kind, **about})


LAYOUTS: Dict[str, Callable[[Path, Path, Expected], Iterator[Row]]] = {
    "nlu": shared_nlu,
    "nginx": behind_nginx,
    "restarts": restarted,
    "quota": under_quota,
}


def _talk(ports: Sequence[int], expected: Expected) -> Row:
    """Returns what came of all conversations, held at the same time, over these servers in turn."""
    clients = [
        talking(ports[0], f"layout-{number}", each, ports=ports)
        for number, each in enumerate(expected.conversations)
    ]
    return run_clients(clients).summary()


def _payloads(ports: Sequence[int], expected: Expected) -> Row:
    """Returns what came of buttons' payloads, of which the NLU server has to make intents."""
    clients = [
        talking(port, f"payload-{number}-{port}", each)
        for port in ports
        for number, each in enumerate(expected.conversations[-1:])
    ]
    return run_clients(clients).summary()


def _row(kind: str, summary: Row, *, about: Optional[Dict[str, Any]] = None) -> Row:
    key = {"benchmark": "layouts", "kind": kind}
    return {**key, **summary, **(about or {}), **about_now()}


def run(arguments: argparse.Namespace) -> None:
    """Tries each layout and writes its rows as they come."""
    for name in arguments.layouts:
        if name not in LAYOUTS:
            known = f"{did_you_mean(name, LAYOUTS)} Layouts: {', '.join(LAYOUTS)}"
            raise ConfigError(f"no layout '{name}'.{known}")
    with_nginx = {"nginx", "restarts"} & set(arguments.layouts)
    need("redis-server", *(["nginx"] if with_nginx else []))
    store = RowStore(arguments.out)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        work = work_folder(arguments, folder)
        expected = _expected(work, arguments.messages)
        for name in tqdm(arguments.layouts, desc="Layouts"):
            for row in LAYOUTS[name](work, folder, expected):
                store.add([row])
                counts = f"{row['n']} messages, {row['wrong']} wrong, {row['lost']} lost"
                tqdm.write(f"{row['kind']}: {counts} {row.get('reasons', '')}")


def _expected(work: Path, n_messages: int) -> Expected:
    """Returns messages and conversations, the last of which is made of payloads."""
    texts = bot_messages()
    held = conversations_of(texts, max(1, n_messages // _TURNS), _TURNS)
    payloads: Tuple[str, ...] = ("/greet", "/opening_hours", '/track_order{"order_number": "CB-1"}')
    payload = type(held[0])(payloads)
    return expected_of(train_bot(work), varied(texts, n_messages), [*held, payload])


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "layouts.jsonl")
    made.add_argument("--layouts", nargs="+", default=list(LAYOUTS), metavar="LAYOUT")
    made.add_argument("--messages", type=int, default=200, help="of each kind; default: 200")
    add_work(made)
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
