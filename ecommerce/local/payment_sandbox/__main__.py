"""Start the sandbox: `python -m ecommerce.local.payment_sandbox --port 8002 --state FILE`."""

import argparse
import asyncio
import ipaddress
import logging
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from aiohttp import web

from ecommerce.local.payment_sandbox.server import application
from ecommerce.local.payment_sandbox.store import Store, UnusableState
from ecommerce.local.payment_sandbox.webhooks import Deliveries


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    logging.basicConfig(format="payment sandbox: %(message)s")
    given = _arguments()
    secret_key = _secret("STRIPE_SECRET_KEY")
    webhook_secret = _secret("STRIPE_WEBHOOK_SECRET") if given.webhook_url else ""
    try:
        store = Store(given.state, delivers=bool(given.webhook_url))
    except UnusableState as refusal:
        sys.exit(str(refusal))
    try:
        asyncio.run(_serve(given, store, secret_key, webhook_secret))
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        sys.exit(f"Cannot listen on {given.host}:{given.port}: {reason}.")
    finally:
        store.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="payment_sandbox", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="0 chooses a free one")
    parser.add_argument("--state", type=Path, required=True, help="SQLite file; made if absent")
    parser.add_argument("--webhook-url", default="", help="where events are delivered")
    parser.add_argument("--host", type=ipaddress.ip_address, default="127.0.0.1")
    parser.add_argument(
        "--beyond-loopback",
        action="store_true",
        help="listen where others can ask, too: on a network that only the store is in",
    )
    given = parser.parse_args()
    if not (given.host.is_loopback or given.beyond_loopback):
        parser.error("the sandbox listens on loopback addresses only")
    return given


def _secret(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        sys.exit(f"Set the environment variable {name}.")
    return value


async def _serve(
    given: argparse.Namespace, store: Store, secret_key: str, webhook_secret: str
) -> None:
    deliveries = None
    if given.webhook_url:
        deliveries = Deliveries(store, url=given.webhook_url, secret=webhook_secret)
    store.forget_old_answers(now=time.time())
    runner = web.AppRunner(
        application(store, deliveries, secret_key=secret_key),
        access_log=None,
        handle_signals=False,
        shutdown_timeout=0.5,
    )
    await runner.setup()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    delivering = asyncio.create_task(deliveries.run() if deliveries else stop.wait())
    delivering.add_done_callback(lambda _: stop.set())
    try:
        await web.TCPSite(runner, str(given.host), given.port).start()
        # The only line on stdout: whoever started us may wait for it.
        host, port = runner.addresses[0][:2]
        print(f"http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)
        await stop.wait()
    finally:
        delivering.cancel()
        await runner.cleanup()
        with suppress(asyncio.CancelledError):
            await delivering


if __name__ == "__main__":
    main()
