"""Addresses below /api/v1/ that are none: a problem document, as every other refusal."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import Http404
from django.http.response import HttpResponseRedirectBase
from django.urls import resolve
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView


class PermanentRedirect(HttpResponseRedirectBase):
    """308 (RFC 9110 §15.4.9): the method and the body stay."""

    status_code = 308


@extend_schema(exclude=True)
class UnknownApi(APIView):
    """404 for everybody; a known address without its last slash is redirected to it."""

    scopes: ClassVar[dict[str, str]] = {}
    permission_classes = ()
    authentication_classes = ()

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        request_path: str = request.path_info
        if not request_path.endswith("/") and resolve(f"{request_path}/").url_name != "api-unknown":
            query = request.META.get("QUERY_STRING", "")
            return PermanentRedirect(f"{request.path}/" + (f"?{query}" if query else ""))
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise Http404
