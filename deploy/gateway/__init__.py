"""The gateway in front of the services: nginx, its routes written from the one route table.

`python -m deploy.gateway` writes `nginx.conf` anew; a test compares it with the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from shared.http.route_table import ROUTES, WITHIN

CONFIG = Path(__file__).with_name("nginx.conf")

HOSTS: Mapping[str, str] = {
    "intake": "intake:8000",
    "workflow": "workflow:8000",
    "notification": "notification:8000",
    "analytics": "analytics:8000",
}
"""Where the services are in the compose network."""

IMPORTED = "/v1/complaints/import"
"""Where files of any length come in, which services read while they are sent."""

_INTERNAL = "/v1/internal"


def render(hosts: Mapping[str, str] = HOSTS, *, listen: str = "8080") -> str:
    """Return nginx's configuration; the site, which every service serves, comes from intake."""
    upstreams = "".join(
        f"    upstream {name} {{ server {address}; keepalive 32; }}\n"
        for name, address in hosts.items()
    )
    # Expressions are tried in this order: the longest first, what lies within before its prefix.
    within = "".join(
        f"        ~^{prefix}/[^/]+/{last}$ {service};\n"
        for prefix, inner in WITHIN.items()
        for last, service in inner.items()
    )
    routes = within + "".join(
        f"        ~^{prefix}(/|$) {service};\n"
        for prefix, service in sorted(ROUTES.items(), key=lambda route: -len(route[0]))
        if not prefix.startswith(_INTERNAL)
    )
    return _TEMPLATE.format(upstreams=upstreams, routes=routes, listen=listen, imported=IMPORTED)


_TEMPLATE = """\
# Written by `python -m deploy.gateway` from shared/http/route_table.py: change that, not this.
worker_processes auto;
pid /tmp/nginx.pid;
events {{ worker_connections 4096; }}

http {{
{upstreams}
    map $uri $service {{
        default intake;
{routes}    }}

    access_log off;  # the services log every request, with its trace
    server_tokens off;
    client_body_temp_path /tmp/client_body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;

    server {{
        listen {listen};

        # The services refuse what is over their limit themselves, as problem+json, and read up to
        # 16 MiB of it so that the sender sees the answer.
        client_max_body_size 17m;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_read_timeout 90s;  # `/v1/events?wait=` keeps a request open

        # What services ask each other, and what Prometheus reads, stays inside.
        location /v1/internal {{ return 404; }}
        location = /metrics {{ return 404; }}

        # Imports are streams of any length.
        location = {imported} {{
            client_max_body_size 0;
            proxy_request_buffering off;
            proxy_read_timeout 1h;
            proxy_pass http://$service;
        }}

        location / {{ proxy_pass http://$service; }}
    }}
}}
"""
