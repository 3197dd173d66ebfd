# Two stages: the first builds a virtual environment from the lock, the second runs it.
FROM python:3.12-slim AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /src
RUN python -m venv /opt/watchbill
ENV PATH=/opt/watchbill/bin:$PATH

# One lock for all: the image takes its first two parts, to run and to build.
COPY requirements.lock ./
RUN sed '/^# === to develop ===/,$d' requirements.lock > image.lock \
 && sed '1,/^# === to build ===/d' image.lock > build.lock \
 && pip install --no-deps --require-hashes -r image.lock

COPY pyproject.toml README.md LICENSE config.yaml ./
COPY bot bot
COPY rules rules
RUN pip install --no-deps --no-build-isolation . \
 && pip uninstall --yes -r build.lock \
 && python -c 'from importlib.metadata import packages_distributions as p; assert p()["rules"] == ["watchbill"]'


FROM python:3.12-slim

# PYTHONTZPATH: the zone rules of the locked tzdata answer, not those of the base image.
ENV PATH=/opt/watchbill/bin:$PATH PYTHONTZPATH="" PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/watchbill watchbill
COPY --from=build /opt/watchbill /opt/watchbill

USER 10001
WORKDIR /var/lib/watchbill
VOLUME /var/lib/watchbill
EXPOSE 8080

# config.yaml: `listen: 0.0.0.0:8080`; another port: set WATCHBILL_PORT for this check.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=4 \
  CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ.get('WATCHBILL_PORT', '8080')}/healthz\", timeout=4).close()"]

ENTRYPOINT ["watchbill"]
CMD ["serve", "-c", "/etc/watchbill/config.yaml"]
