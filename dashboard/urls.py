"""Page addresses."""

from django.urls import path

from dashboard import views
from dashboard.staff import views as staff

app_name = "dashboard"
urlpatterns = [
    path("me/taste/", views.taste, name="taste"),
    path("staff/", staff.index, name="staff"),
    path("staff/feedback/", staff.feedback, name="staff_feedback"),
    path("staff/lists/", staff.shown, name="staff_shown"),
    path("staff/pipeline/", staff.pipeline, name="staff_pipeline"),
    path("staff/clusters/", staff.clusters, name="staff_clusters"),
    path("status/", staff.status, name="status"),
    path("staff/models/", staff.models, name="staff_models"),
    path("staff/models/<str:version>/", staff.model, name="staff_model"),
    path("staff/tables/<slug:name>.csv", staff.table, name="staff_csv"),
]
