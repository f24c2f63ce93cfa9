# syntax=docker/dockerfile:1
# One image for web, worker, beat and every manage.py command; compose.yaml shows how.

FROM python:3.11-slim-bookworm AS build
# torch's build without CUDA: gigabytes smaller. Set it to nothing for a GPU host.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
COPY requirements.txt /build/
RUN /venv/bin/pip install ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -r /build/requirements.txt \
    && find /venv -name __pycache__ -prune -exec rm -rf {} +

FROM python:3.11-slim-bookworm
# LightGBM is linked against OpenMP and does not bring it.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /tmp --shell /usr/sbin/nologin marquee \
    && install --directory --owner=marquee --group=marquee /srv/marquee
COPY --from=build /venv /venv
COPY . /app
WORKDIR /app
# Compiled kernels are cached in /tmp: the root is read-only.
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings.production \
    MARQUEE_ENV_FILE= \
    MARQUEE_VAR=/srv/marquee \
    STATIC_ROOT=/app/staticfiles \
    LOCALE_ROOT=/app/compiled-locale \
    NUMBA_CACHE_DIR=/tmp/numba \
    HOST=0.0.0.0 \
    PORT=8000
# Made here, so that containers need neither time nor room for it. Nothing is connected to.
RUN export DATABASE_URL=postgres://nobody@localhost/none REDIS_URL=redis://localhost \
    SECRET_KEY=only-for-making-these-files ALLOWED_HOSTS=localhost \
    && python manage.py collectstatic --no-input --verbosity 0 \
    && python manage.py messages --compile
USER marquee
VOLUME /srv/marquee
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "deploy/healthcheck.py"]
ENTRYPOINT ["deploy/process"]
CMD ["web"]
