# One image for every role: the gateway on one machine, a Ray head, a Ray worker, the migration job, administration.
# Any base with Python 3.11 as `python3`, its venv module and apt will do.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
# pip stays in a place of its own, so that it is not in the image.
RUN python3 -m venv pip && python3 -m venv --without-pip /opt/satbridge
COPY requirements.lock ./
# Wheels only: whatever would need a compiler fails here, and not on some machine later. Of Ray, what drives Java
# and what trains models is left out (51 MB).
RUN pip/bin/pip --python /opt/satbridge/bin/python install --no-compile --only-binary :all: \
      --require-hashes --requirement requirements.lock \
    && rm -rf /opt/satbridge/lib/python3.11/site-packages/ray/jars \
      /opt/satbridge/lib/python3.11/site-packages/ray/rllib
COPY requirements-dev.lock pyproject.toml README.md LICENSE ./
# What builds our own wheel is pinned too.
RUN awk '/^[^ #]/ { keep = /^(hatchling|packaging|pathspec|pluggy|tomlkit|trove-classifiers)==/ } keep' requirements-dev.lock \
      > build.lock \
    && pip/bin/pip install --no-compile --only-binary :all: --require-hashes --requirement build.lock
COPY messaging ./messaging
RUN pip/bin/python -m hatchling build -t wheel \
    && pip/bin/pip --python /opt/satbridge/bin/python install --no-compile --no-deps dist/*.whl
# The root file system is read-only where it runs; without this every start would compile everything anew.
RUN /opt/satbridge/bin/python -m compileall -q -j 0 /opt/satbridge/lib

FROM ${BASE}
LABEL org.opencontainers.image.title="Satbridge" \
      org.opencontainers.image.description="A gateway between e-mail, SMS and satellite messaging devices" \
      org.opencontainers.image.licenses="Apache-2.0"

# tini ends what Ray leaves behind when it is the first process. The version is the distribution's.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini \
    && apt-get clean && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 1000 satbridge \
    && useradd --uid 1000 --gid 1000 --home-dir /var/lib/satbridge --create-home --shell /usr/sbin/nologin satbridge
COPY --from=build /opt/satbridge /opt/satbridge
COPY LICENSE NOTICE /usr/share/doc/satbridge/

# Everything that is written goes to the home folder (the store, the run file) or to /tmp (Ray); mount both.
ENV PATH=/opt/satbridge/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    RAY_USAGE_STATS_ENABLED=0 \
    SATBRIDGE_STATE_DIR=/var/lib/satbridge \
    SATBRIDGE_DATABASE_URL=sqlite:////var/lib/satbridge/satbridge.sqlite3 \
    SATBRIDGE_SMTP_LISTEN=0.0.0.0:7420 \
    SATBRIDGE_HTTP_LISTEN=0.0.0.0:8000
WORKDIR /var/lib/satbridge
VOLUME /var/lib/satbridge
EXPOSE 7420 8000
USER 1000:1000
HEALTHCHECK --interval=30s --timeout=15s --start-period=120s --retries=3 CMD ["satbridge", "probe", "http"]
ENTRYPOINT ["tini", "--", "satbridge"]
CMD ["up"]
