# syntax=docker/dockerfile:1
# web, worker and every manage.py command are this one image: docker-compose.yml shows how.

FROM python:3.13-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
# base, or telemetry for Sentry and OpenTelemetry
ARG REQUIREMENTS=base
RUN python -m venv /venv
WORKDIR /app
COPY requirements/base.txt requirements/telemetry.txt requirements/
RUN /venv/bin/pip install --require-hashes -r requirements/${REQUIREMENTS}.txt
COPY . .
# No secret is needed for this, and none may be in the image.
RUN AUTHSVC_MODE=test DATABASE_URL=sqlite:///:memory: /venv/bin/python manage.py collectstatic --no-input \
    && /venv/bin/python -m compileall -q /venv/lib /app

FROM python:3.13-slim-bookworm
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin authsvc
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
# Nothing below /app is ever written: the root file system may be read-only. /tmp has to be writable.
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 AUTHSVC_VAR=/tmp/authsvc HOST=0.0.0.0 PORT=8000
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "scripts/healthcheck.py"]
CMD ["python", "manage.py", "serve", "--only", "web"]
