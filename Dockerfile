# One image for every process of the store: web, workers, beat, exporter, migrations and management
# commands. What runs is the command; the default is the web server. A release names PYTHON_IMAGE by
# digest; the tag below is for development.
ARG PYTHON_IMAGE=docker.io/library/python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.lock /build/
# The installer stays behind in /installer: what runs in production cannot install anything.
RUN ["python3", "-m", "venv", "/installer"]
RUN ["python3", "-m", "venv", "--without-pip", "/venv"]
RUN ["/installer/bin/pip", "--python", "/venv/bin/python", "install", "--quiet", "--no-deps", \
     "--only-binary=:all:", "--require-hashes", "--requirement", "/build/requirements.lock"]
# Packages of which something is missing, or of the wrong version, end the build here.
RUN ["/installer/bin/pip", "--python", "/venv/bin/python", "check"]

FROM packages AS code
ENV PATH=/venv/bin:$PATH
WORKDIR /app
COPY manage.py ./
COPY config/gunicorn.conf.py config/
COPY templates templates
COPY static static
COPY ecommerce ecommerce
COPY apps apps
# Not for production: the store on one machine, and restoring a database of one's own.
RUN ["rm", "-r", "ecommerce/local", "ecommerce/recovery"]
# DEBUG gives every variable a harmless default, for this one command: nothing secret gets in.
RUN ["env", "DEBUG=1", "STATIC_ROOT=/app/collected", \
     "python", "manage.py", "collectstatic", "--no-input", "--verbosity=0"]
# Hashes instead of times, and never checked again: the files cannot change.
RUN ["python", "-m", "compileall", "-q", "-f", "--invalidation-mode=unchecked-hash", \
     "apps", "ecommerce"]

FROM ${PYTHON_IMAGE} AS base
RUN ["groupadd", "--system", "--gid", "10001", "store"]
RUN ["useradd", "--system", "--uid", "10001", "--gid", "store", "--no-create-home", \
     "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", "store"]
# The one folder for data, where a volume may be mounted: pictures of a store without a bucket.
RUN ["install", "--directory", "--owner=store", "--group=store", "/var/lib/store"]
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app

# The payment sandbox, for machines without an account at the provider. Not part of the store.
FROM packages AS sandbox-packages
COPY requirements-sandbox.lock /build/
RUN ["/installer/bin/pip", "--python", "/venv/bin/python", "install", "--quiet", "--no-deps", \
     "--only-binary=:all:", "--require-hashes", "--requirement", "/build/requirements-sandbox.lock"]

FROM base AS sandbox
COPY --from=sandbox-packages /venv /venv
COPY ecommerce ecommerce
COPY apps apps
USER 10001:10001
EXPOSE 8020
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s CMD ["python", "-c", \
    "from urllib.request import urlopen; urlopen('http://127.0.0.1:8020/_sandbox/health', timeout=2)"]
CMD ["python", "-m", "ecommerce.local.payment_sandbox", \
     "--host=0.0.0.0", "--beyond-loopback", "--port=8020", "--state=/tmp/sandbox.sqlite"]

FROM base AS store
LABEL org.opencontainers.image.title="ecommerce" \
      org.opencontainers.image.description="The backend of an online shop: web, workers, beat" \
      org.opencontainers.image.licenses="MIT"
ARG RELEASE=
ENV STATIC_ROOT=/app/collected BIND=0.0.0.0:8000 RELEASE=${RELEASE}
COPY --from=packages /venv /venv
COPY --from=code /app /app
USER 10001:10001
EXPOSE 8000 9100
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["python", "-c", \
    "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health/live', timeout=2)"]
CMD ["gunicorn", "-c", "config/gunicorn.conf.py", "ecommerce.wsgi"]
