"""OpenID Connect addresses. Without a namespace: mozilla-django-oidc looks them up by these names."""

from django.contrib.auth.decorators import login_not_required
from django.urls import path
from mozilla_django_oidc.views import OIDCAuthenticationRequestView, OIDCLogoutView

from suite.agents.login import CallbackView

urlpatterns = [
    path(
        "oidc/authenticate/",
        login_not_required(OIDCAuthenticationRequestView.as_view()),
        name="oidc_authentication_init",
    ),
    path("oidc/callback/", login_not_required(CallbackView.as_view()), name="oidc_authentication_callback"),
    path("oidc/logout/", login_not_required(OIDCLogoutView.as_view()), name="oidc_logout"),
]
