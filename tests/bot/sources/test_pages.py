"""The page of a kind can be followed: its configuration is right and its payloads are there."""

import re
from pathlib import Path

import pytest
import yaml

from bot.config.settings import Config
from bot.sources import registry
from bot.sources.configured import mapping_fault, option_faults
from tests.fakes.deliveries import PAYLOADS

PAGES = Path(__file__).parents[3] / "docs" / "sources"
PART = re.compile(r"```yaml\n# config\.yaml, a part\n(.*?)```", re.DOTALL)
PAYLOAD = re.compile(r"tests/payloads/[\w/.-]+\.json")


WITH_A_PAGE = sorted({page.stem for page in PAGES.glob("*.md")} & set(registry.KINDS))


def page(kind: str) -> str:
    return (PAGES / f"{kind}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", WITH_A_PAGE)
def test_the_configuration_of_a_page_is_right(kind: str) -> None:
    found = PART.findall(page(kind))
    assert found
    kinds = set()
    for part in found:
        written = yaml.safe_load(re.sub(r"\$\{\w+\}", "correct-horse-battery", part))
        if "sources" not in written:
            continue
        config = Config.model_validate({"slack": {"mode": "local"}, "sources": written["sources"]})
        for source in config.sources:
            kinds.add(source.kind)
            assert not mapping_fault(source)
            assert option_faults(source) == []
    assert kind in kinds


@pytest.mark.parametrize("kind", WITH_A_PAGE)
def test_the_payloads_of_a_page_are_there(kind: str) -> None:
    found = set(PAYLOAD.findall(page(kind)))
    assert found
    for name in found:
        assert (PAYLOADS.parent.parent / name).is_file(), name


@pytest.mark.parametrize("kind", WITH_A_PAGE)
def test_a_page_names_the_options_of_its_kind(kind: str) -> None:
    for option in registry.KINDS[kind].options:
        assert option in page(kind)
