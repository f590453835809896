"""Puts analytics together: the store, the folding loop, the paths."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import yaml
from fastapi import APIRouter

from services.analytics_service import dashboard
from services.analytics_service.dashboard.domain.labels import LabelFile
from services.analytics_service.dashboard.endpoints import routes as dashboard_routes
from services.analytics_service.dashboard.service import Dashboard
from services.analytics_service.handlers import REACTIONS, TOPICS
from services.analytics_service.metrics import endpoints as metrics_endpoints
from services.analytics_service.metrics.service import Metrics
from services.analytics_service.projections.endpoints import routes as projections_endpoints
from services.analytics_service.projections.jobs.copying import Copying
from services.analytics_service.projections.jobs.feed import Source
from services.analytics_service.projections.jobs.folding import Folding
from services.analytics_service.projections.repository.files import refuse_other_file
from services.analytics_service.projections.repository.serving import Serving
from services.analytics_service.reports import endpoints as reports_endpoints
from services.analytics_service.reports.service import Reports
from services.analytics_service.settings import AnalyticsSettings
from shared.http.app import create_app
from shared.http.health import Health
from shared.kernel.settings import load
from shared.service import Platform, ServiceUnit
from shared.web.categories import category_words
from shared.web.pages import Pages
from shared.web.regions import region_words
from shared.worker import Supervisor


@dataclass(frozen=True, slots=True)
class Analytics:
    """The parts of the service, for who needs more than HTTP: tests and the dashboard."""

    serving: Serving
    folding: Folding
    copying: Copying
    metrics: Metrics
    reports: Reports


def build(platform: Platform) -> ServiceUnit:
    """Build the service; the store is opened when the unit starts."""
    settings = load(AnalyticsSettings)
    parts = build_parts(platform, settings)
    supervisor = Supervisor()
    supervisor.add("analytics folding", parts.folding.run)
    if settings.copy_hours:
        supervisor.add("analytics copying", parts.copying.run)
    app = create_app(
        platform,
        name="analytics",
        title="Redress analytics",
        routers=[
            metrics_endpoints.router(parts.metrics),
            reports_endpoints.router(parts.reports),
            projections_endpoints.router(parts.folding),
            _dashboard(platform, parts),
        ],
        health=Health(bus=platform.bus, failing=lambda: supervisor.failing),
    )
    app.state.analytics = parts

    async def open_store() -> None:
        parts.serving.open()

    async def close_store() -> None:
        parts.serving.close()

    return ServiceUnit("analytics", app, supervisor, opening=[open_store], closing=[close_store])


def _dashboard(platform: Platform, parts: Analytics) -> APIRouter:
    here = Path(dashboard.__file__).parent
    pages = Pages(
        platform.settings,
        clock=platform.clock,
        templates=[here / "templates"],
        locales=[here / "locale"],
    )
    words = yaml.safe_load((here / "labels.yaml").read_text("utf-8"))
    labels = LabelFile.model_validate({**words, **region_words(), "categories": category_words()})
    board = Dashboard(
        parts.serving,
        platform.settings.zone,
        platform.clock.now,
        lambda: parts.folding.uncounted_since,
    )
    return dashboard_routes.router(board, pages, labels)


def build_parts(platform: Platform, settings: AnalyticsSettings) -> Analytics:
    """Build the parts from the settings."""
    common = platform.settings
    if common.analytics_file is not None:
        refuse_other_file(common.analytics_file)
    serving = Serving(
        common.analytics_file or platform.home / "analytics.duckdb",
        platform.clock.now,
        memory_mb=settings.memory_mb,
        threads=settings.threads,
        readers=settings.readers,
    )
    source = Source(
        bus=platform.bus,
        topics=TOPICS,
        reactions=REACTIONS,
        now=platform.clock.now,
        batch_size=settings.batch_size,
    )
    folding = Folding(source, serving, pause_seconds=settings.pause_ms / 1000)
    copying = Copying(
        folding, serving.copies, platform.clock.now, every=timedelta(hours=settings.copy_hours)
    )
    return Analytics(
        serving,
        folding,
        copying,
        Metrics(serving, common.zone),
        Reports(serving, common.zone),
    )
