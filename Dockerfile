# The chat in a container: docker build -t flask-chat . ; docker run -p 5000:5000 -v chat:/data flask-chat
# compose.yaml runs two of them with PostgreSQL, Redis and a proxy; docs/hosting.md tells how.

FROM python:3.13-slim AS build
COPY requirements.txt /
# Without a pip of its own: what only builds stays behind. Wheels alone: nothing is compiled, so no compiler is needed.
RUN python -m venv --without-pip /venv \
 && pip --python /venv/bin/python install --no-cache-dir --disable-pip-version-check \
    --require-hashes --only-binary :all: --requirement /requirements.txt
COPY src /chat/src
COPY migrations /chat/migrations
# The user below may not write here, and a start that compiles everything anew is a slow one.
RUN python -m compileall -q --invalidation-mode unchecked-hash /chat

FROM python:3.13-slim
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin chat \
 && install --directory --owner=chat --group=chat --mode=700 /data
COPY --from=build /venv /venv
COPY --from=build /chat /chat
ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/chat/src \
    PYTHONUNBUFFERED=1 \
    FLASK_CHAT_DATA=/data
WORKDIR /data
USER chat
VOLUME /data
EXPOSE 5000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-I", "-S", "-c", "import http.client, os; \
        up = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('PORT') or 5000), timeout=4); \
        up.request('GET', ('/' + os.environ.get('FLASK_CHAT_PREFIX', '').strip('/')).rstrip('/') + '/up'); \
        raise SystemExit(up.getresponse().status != 200)"]
ENTRYPOINT ["python", "-P", "-m", "flask_chat"]
CMD ["serve"]
