"""The meeting pages of signed-in agents."""

from django.urls import path

from visio.meetings import act_views, availability_views, plan_pieces, plan_views, views

app_name = "meetings"

urlpatterns = [
    path("", views.meeting_list, name="list"),
    path("planifier/", plan_views.plan, name="plan"),
    path("planifier/recapitulatif/", plan_pieces.recap, name="recap"),
    path("planifier/annuaire/", plan_pieces.directory, name="directory"),
    path("planifier/groupe/", plan_pieces.group, name="group"),
    path("planifier/adresses/", plan_pieces.addresses, name="addresses"),
    path("planifier/disponibilites/", availability_views.availability, name="availability"),
    path("planifier/creneaux/", availability_views.slots, name="slots"),
    path("immediate/", plan_views.instant, name="instant"),
    path("<uuid:public_id>/", views.detail, name="detail"),
    path("<uuid:public_id>/modifier/", plan_views.edit, name="edit"),
    path("<uuid:public_id>/annuler/", plan_views.cancel, name="cancel"),
    path("<uuid:public_id>/repondre/", views.answer, name="answer"),
    path("<uuid:public_id>/retablir/", act_views.undo, name="undo"),
    path("<uuid:public_id>/autre-horaire/", act_views.propose_time, name="propose"),
    path("<uuid:public_id>/autre-horaire/<uuid:counter_id>/", act_views.decide, name="decide"),
    path("<uuid:public_id>/renvoyer/", views.resend, name="resend"),
    path("<uuid:public_id>/reunion.ics", views.ics, name="ics"),
    path("<uuid:public_id>/fragment/entete/", views.fragment_facts, name="fragment-facts"),
    path("<uuid:public_id>/fragment/participants/", views.fragment_ledger, name="fragment-ledger"),
    path("<uuid:public_id>/fragment/dates/", views.fragment_dates, name="fragment-dates"),
    path("<uuid:public_id>/fragment/cote/", views.fragment_side, name="fragment-side"),
    path("<uuid:public_id>/fragment/historique/", views.fragment_history, name="fragment-history"),
]
