from django.urls import path

from tchap_bridge import views

app_name = "tchap_bridge"
urlpatterns = [
    path("_matrix/app/v1/transactions/<path:transaction_id>", views.receive_transaction, name="transaction"),
    path("_matrix/app/v1/ping", views.receive_ping, name="ping"),
    path("_matrix/app/v1/users/<path:user_id>", views.has_user, name="user"),
    path("_matrix/app/v1/rooms/<path:alias>", views.has_room, name="room"),
]
