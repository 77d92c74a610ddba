"""The portal's own pages."""

from django.urls import path

from suite.portal import views

app_name = "portal"

urlpatterns = [
    path("", views.dashboard, name="dashboard"),
    path("connexion/", views.sign_in, name="sign_in"),
    path("connexion/refus/", views.refused, name="refused"),
    path("recherche/", views.search, name="search"),
    path("reglages/", views.settings_page, name="settings"),
    path("theme/", views.theme, name="theme"),
    path("langue/", views.language, name="language"),
    path("accessibilite/", views.accessibility, name="accessibility"),
    path("mentions-legales/", views.legal, name="legal"),
    path("donnees-personnelles/", views.personal_data, name="personal_data"),
    path("cookies/", views.cookies, name="cookies"),
]
