"""Runs a workspace as a process of its own: `python -m bot.workspace --port 8075`."""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from bot.workspace.model import Json, Shortcut, SlashCommand
from bot.workspace.server import serve
from bot.workspace.state import Workspace


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bot.workspace", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--state", type=Path, help="keep the workspace in this JSON file")
    parser.add_argument("--seed", type=Path, help="people, channels and groups as JSON")
    parser.add_argument("--control", metavar="TOKEN", help="open /control/ for tests")
    return parser.parse_args()


def _workspace(seed: Json, state: Path | None) -> Workspace:
    """`seed`: the arguments of Workspace.seed, `commands`, `shortcuts`, `events`, and tokens."""
    commands = [SlashCommand(**entry) for entry in seed.pop("commands", [])]
    shortcuts = [Shortcut(**entry) for entry in seed.pop("shortcuts", [])]
    events = {"events": seed.pop("events")} if "events" in seed else {}
    workspace = Workspace(commands=commands, shortcuts=shortcuts, path=state, **events)
    for name in ("bot_token", "app_token", "signing_secret"):
        setattr(workspace, name, seed.pop(name, getattr(workspace, name)))
    workspace.seed(**seed)
    return workspace


async def _run(options: argparse.Namespace) -> None:
    seed = json.loads(options.seed.read_text(encoding="utf-8")) if options.seed else {}
    workspace = _workspace(seed, options.state)
    running = await serve(workspace, options.host, options.port, control_token=options.control)
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    address = {
        "url": running.url,
        "api_url": running.api_url,
        "bot_token": workspace.bot_token,
        "app_token": workspace.app_token,
        "signing_secret": workspace.signing_secret,
    }
    # One line that a parent process can read.
    sys.stdout.write(json.dumps(address) + "\n")
    sys.stdout.flush()
    await stop.wait()
    await running.close()


if __name__ == "__main__":
    try:
        asyncio.run(_run(_arguments()))
    except (OSError, ValueError) as refused:
        sys.exit(f"bot.workspace: {refused}")
