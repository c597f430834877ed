"""The pages of the Django project."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from messaging.web.static import static_file

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("static/<path:path>", static_file, name="static"),
]

# The name is Django's.
handler500 = "messaging.web.unavailable.answer_failure"
