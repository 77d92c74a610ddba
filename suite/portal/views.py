"""The portal's own pages."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme


def back(request: HttpRequest) -> str:
    """Where the form came from, when that is on our host; the dashboard otherwise."""
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return "/"


def dashboard(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/dashboard.html", {"page": "dashboard"})


@login_not_required
def sign_in(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/sign_in.html", {"next": settings.LOGIN_REDIRECT_URL})


refused = search = settings_page = theme = language = accessibility = legal = personal_data = cookies = sign_in
