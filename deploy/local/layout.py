"""Where things lie on a developer's machine, and who listens where."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
HOME = REPOSITORY / "var"
STORES = HOME / "dev"
UP = HOME / "up"
LOCAL_ENV = REPOSITORY / "deploy" / "local.env"

POSTGRES_PORT = 15432
KAFKA_PORT = 19092

PORTS = {
    "intake": 8001,
    "workflow": 8002,
    "notification": 8003,
    "analytics": 8004,
    "intake-relay": 8011,
}
"""The processes of the distributed profile, in the order in which they are started."""

WITH_DATABASE = ("intake", "workflow", "notification")
WITH_ADDRESS = ("intake", "workflow", "notification", "analytics")
