"""The portal's own pages."""

from django.urls import path

from suite.portal import dashboard_views, delegation_views, finding, health, hours_views, preferences, public

app_name = "portal"

urlpatterns = [
    path("", dashboard_views.dashboard, name="dashboard"),
    path("accueil/<slug:part>/", dashboard_views.fragment, name="fragment"),
    path("connexion/", public.sign_in, name="sign_in"),
    path("connexion/refus/", public.refused, name="refused"),
    path("deconnexion/", public.sign_out, name="sign_out"),
    path("recherche/", finding.search, name="search"),
    path("reglages/", preferences.settings_page, name="settings"),
    path("reglages/jetons/", preferences.create_token, name="create_token"),
    path("reglages/jetons/<int:token_id>/revoquer/", preferences.revoke, name="revoke_token"),
    path("reglages/horaires/", hours_views.hours, name="hours"),
    path("reglages/absences/", hours_views.add, name="add_leave"),
    path("reglages/absences/<int:leave_id>/retirer/", hours_views.remove, name="remove_leave"),
    path("reglages/absences/remettre/", hours_views.restore, name="restore_leave"),
    path("reglages/delegations/", delegation_views.delegations, name="delegations"),
    path("reglages/delegations/<int:delegation_id>/retirer/", delegation_views.end, name="end_delegation"),
    path("presence/", preferences.choose_presence, name="presence"),
    path("theme/", public.theme, name="theme"),
    path("langue/", public.language, name="language"),
    path("accessibilite/", public.accessibility, name="accessibility"),
    path("mentions-legales/", public.legal, name="legal"),
    path("donnees-personnelles/", public.personal_data, name="personal_data"),
    path("cookies/", public.cookies, name="cookies"),
    path("__heartbeat__", health.heartbeat_view, name="heartbeat"),
    path("__lbheartbeat__", health.lb_heartbeat, name="lb_heartbeat"),
    path("__version__", health.version, name="version"),
]
