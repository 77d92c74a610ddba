"""The poll pages of signed-in agents."""

from django.urls import path

from visio.polls import form_views, views

app_name = "polls"

urlpatterns = [
    path("", views.poll_list, name="list"),
    path("nouveau/", form_views.new, name="new"),
    path("<uuid:public_id>/", views.detail, name="detail"),
    path("<uuid:public_id>/modifier/", form_views.edit, name="edit"),
    path("<uuid:public_id>/repondre/", views.answer, name="answer"),
    path("<uuid:public_id>/choisir/<slug:key>/", views.choose, name="choose"),
    path("<uuid:public_id>/clore/", views.close, name="close"),
    path("<uuid:public_id>/rouvrir/", views.reopen, name="reopen"),
    path("<uuid:public_id>/relancer/", views.remind_people, name="remind"),
    path("<uuid:public_id>/fragment/<slug:piece>/", views.fragment, name="fragment"),
]
