"""What calls other servers: webhooks, and orchestrators that start runs."""

from collections.abc import Mapping

import aiohttp

from bot.clock import Clock
from bot.config.settings import Config
from bot.orchestrators.delivery import TriggerDeliverer, orchestrator_of
from bot.ports.delivering import Deliverer
from bot.store.opening import OpenedStore
from bot.webhook import WebhookDeliverer, WebhookTarget


def callers_of(
    config: Config, store: OpenedStore, session: aiohttp.ClientSession, clock: Clock
) -> Mapping[str, Deliverer]:
    """Return what calls other servers: webhooks, and orchestrators that start runs."""
    made = {spec.source: orchestrator_of(spec, session) for spec in config.orchestrators}
    return {
        "webhook": WebhookDeliverer(session, _targets(config), store.reader),
        "trigger_run": TriggerDeliverer(made, store.reader, store.store, clock),
    }


def _targets(config: Config) -> Mapping[str, WebhookTarget]:
    return {w.name: WebhookTarget(w.url, w.secret.get_secret_value()) for w in config.webhooks}
