"""``/api/v1/docs/``: the operations to read and to try, from our own server alone."""

from __future__ import annotations

from drf_spectacular.views import SpectacularSwaggerSplitView


class ApiDocsView(SpectacularSwaggerSplitView):
    """Swagger's page in two requests, so that no script stands in the page itself."""

    url_name = "api-schema"
    template_name = "api/docs.html"
