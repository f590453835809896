"""`/dashboard`, the lists behind its figures, and its figures as CSV."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from services.analytics_service.dashboard.domain.labels import LabelFile
from services.analytics_service.dashboard.domain.periods import CUSTOM, Period
from services.analytics_service.dashboard.endpoints.presenter import Context, Presenter
from services.analytics_service.dashboard.schemas import ListView, View
from services.analytics_service.dashboard.service import BackwardsPeriod, Dashboard
from shared.http.auth import Scope, requires
from shared.web.pages import Pages


def router(dashboard: Dashboard, pages: Pages, labels: LabelFile) -> APIRouter:
    """Make the pages."""
    routes = APIRouter(
        include_in_schema=False, dependencies=[Depends(requires(Scope.ANALYTICS_READ))]
    )

    def render(name: str, request: Request, context: Context, status: int = 200) -> HTMLResponse:
        uncounted = dashboard.uncounted_since()
        return pages.render(request, name, status=status, uncounted_since=uncounted, **context)

    @routes.get("/dashboard", response_class=HTMLResponse)
    async def dashboard_page(request: Request, view: Annotated[View, Query()]) -> HTMLResponse:
        try:
            overview = await dashboard.overview(view)
        except BackwardsPeriod as wrong:
            typed = Presenter(pages, labels, request, view, Period(CUSTOM, *view.days()))
            context = typed.refused(await dashboard.choices(), wrong)
            return render("dashboard/overview.html", request, context, status=422)
        presenter = Presenter(pages, labels, request, view, overview.period)
        return render("dashboard/overview.html", request, presenter.overview(overview))

    @routes.get("/dashboard/complaints", response_class=HTMLResponse)
    async def complaints_page(request: Request, view: Annotated[ListView, Query()]) -> HTMLResponse:
        listing = await dashboard.listing(view)
        presenter = Presenter(pages, labels, request, view, listing.period)
        return render("dashboard/complaints.html", request, presenter.listing(listing))

    @routes.get("/dashboard/{figure}.csv")
    async def figure_csv(request: Request, figure: str, view: Annotated[View, Query()]) -> Response:
        overview = await dashboard.overview(view)
        presenter = Presenter(pages, labels, request, view, overview.period)
        return Response(
            "\ufeff" + presenter.csv(figure, overview),  # the mark makes Excel read UTF-8
            media_type="text/csv",
            headers={"Content-Disposition": f'attachment; filename="{figure}.csv"'},
        )

    return routes
