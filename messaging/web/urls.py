"""The pages of the Django project."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from messaging.web.sign_in.views import logout, reauthenticate, sign_in
from messaging.web.static import static_file

admin.site.site_url = None  # there is no site but the admin
admin.site.site_header = admin.site.site_title = "Satbridge"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/login/", sign_in, name="account_login"),
    path("admin/sign-out/", logout, name="account_logout"),
    path("admin/reauthenticate/", reauthenticate, name="account_reauthenticate"),
    path("admin/two-factor/", include("allauth.mfa.urls")),
    path("admin/", admin.site.urls),
    path("static/<path:path>", static_file, name="static"),
]

# The name is Django's.
handler500 = "messaging.web.unavailable.answer_failure"
