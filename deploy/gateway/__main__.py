"""Write `nginx.conf` from the route table."""

from __future__ import annotations

from deploy.gateway import CONFIG, render

if __name__ == "__main__":
    CONFIG.write_text(render(), encoding="utf-8")
