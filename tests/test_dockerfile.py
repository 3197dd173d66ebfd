"""The image: two stages, the hashed lock, nobody's root, a health check, no secrets."""

import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

REPO = Path(__file__).resolve().parent.parent
Instruction = tuple[str, str]


def read(text: str) -> list[Instruction]:
    """Return (instruction, arguments), comments left out and continued lines joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    found = (line.strip().partition(" ") for line in joined.splitlines() if line.strip())
    return [(word.upper(), re.sub(r"\s+", " ", rest).strip()) for word, _, rest in found]


@pytest.fixture(scope="module")
def stages() -> list[list[Instruction]]:
    found: list[list[Instruction]] = []
    for word, rest in read((REPO / "Dockerfile").read_text()):
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest))
    return found


def arguments(stage: list[Instruction], word: str) -> list[str]:
    return [rest for name, rest in stage if name == word]


def lock_part(name: str) -> set[str]:
    """Return the names of the distributions in one part of the lock."""
    _, _, after = (REPO / "requirements.lock").read_text().partition(f"# === {name} ===")
    return set(re.findall(r"^([a-z0-9][\w.-]*)==", after.partition("# ===")[0], re.MULTILINE))


def test_it_builds_in_one_stage_and_runs_in_another(stages: list[list[Instruction]]) -> None:
    build, run = stages
    assert arguments(build, "FROM")[0].endswith(" AS build")
    assert any(rest.startswith("--from=build ") for rest in arguments(run, "COPY"))
    assert not any("pip" in rest for rest in arguments(run, "RUN"))
    assert all(rest.startswith("--from=build ") for rest in arguments(run, "COPY"))


def test_everything_installed_is_locked_with_hashes(stages: list[list[Instruction]]) -> None:
    installs = [
        part.strip()
        for rest in arguments(stages[0], "RUN")
        for part in rest.split("&&")
        if "pip install" in part
    ]
    assert installs == [
        "pip install --no-deps --require-hashes -r image.lock",
        "pip install --no-deps --no-build-isolation .",
    ]


def test_the_image_takes_the_parts_of_the_lock_it_names(stages: list[list[Instruction]]) -> None:
    cut = " ".join(arguments(stages[0], "RUN"))
    for name in re.findall(r"# === (to \w+) ===", cut):
        assert lock_part(name), name
    assert {"aiohttp", "uvloop", "tzdata"} <= lock_part("to run")
    assert "hatchling" in lock_part("to build")
    assert {"pytest", "ruff", "playwright"} <= lock_part("to develop")


def test_the_lock_holds_every_requirement_with_hashes_and_no_index() -> None:
    lock = (REPO / "requirements.lock").read_text()
    entries = re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE)[1:]
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in lock
    assert not re.search(r"^-", lock, re.MULTILINE)
    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for part, wanted in {
        "to run": [*project["dependencies"], *extras["uvloop"]],
        "to build": extras["build"],
        "to develop": extras["dev"],
    }.items():
        names = {re.split(r"[\[>=<; ]", r)[0].lower() for r in wanted}
        assert names <= lock_part(part), part


def test_it_does_not_run_as_root(stages: list[list[Instruction]]) -> None:
    last = stages[-1]
    (user,) = arguments(last, "USER")
    assert user.isdigit()
    assert int(user) > 0
    words = [word for word, _ in last]
    assert words.index("USER") < words.index("ENTRYPOINT")


def test_it_says_whether_it_is_healthy(stages: list[list[Instruction]]) -> None:
    (check,) = arguments(stages[-1], "HEALTHCHECK")
    command = json.loads(check.partition("CMD ")[2])
    assert command[:2] == ["python", "-c"]
    assert "/healthz" in command[2]
    compile(command[2], "healthcheck", "exec")


def test_it_starts_the_bot_with_the_locked_zones(stages: list[list[Instruction]]) -> None:
    last = stages[-1]
    assert json.loads(arguments(last, "ENTRYPOINT")[0]) == ["watchbill"]
    assert json.loads(arguments(last, "CMD")[0]) == ["serve", "-c", "/etc/watchbill/config.yaml"]
    assert 'PYTHONTZPATH=""' in " ".join(arguments(last, "ENV"))


def test_no_secret_is_in_it(stages: list[list[Instruction]]) -> None:
    secret = re.compile(r"(?i)token|secret|password|api_?key|xox[abp]-")
    assert not [rest for stage in stages for word, rest in stage if secret.search(rest)]
    assert not any(word == "ADD" or rest.startswith(". ") for s in stages for word, rest in s)


def test_what_is_not_needed_stays_out_of_the_context(stages: list[list[Instruction]]) -> None:
    lines = (REPO / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    allowed = {line[1:] for line in lines if line.startswith("!")}
    assert allowed - {"requirements.lock"} == copied(stages)


def copied(stages: list[list[Instruction]]) -> set[str]:
    """Return what the build stage takes from the context, but for the lock."""
    words = [word for rest in arguments(stages[0], "COPY") for word in rest.split()[:-1]]
    return {word for word in words if not word.startswith("--")} - {"requirements.lock"}


def test_the_wheel_is_built_of_what_is_copied_and_holds_all_of_it(
    stages: list[list[Instruction]], tmp_path: Path
) -> None:
    source = tmp_path / "src"
    source.mkdir()
    for name in copied(stages):
        if (REPO / name).is_dir():
            shutil.copytree(
                REPO / name, source / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(REPO / name, source / name)
    builder = WheelBuilder(str(source))
    packed = {file.distribution_path for file in builder.recurse_included_files()}
    here = {str(file.relative_to(source)) for file in source.glob("*/**/*") if file.is_file()}
    assert packed == here | {"bot/demo/config.yaml"}
