"""Paths that providers call (interface.md section 7). Without a trailing slash: providers follow no redirect."""

from django.urls import path

from webhooks import views

urlpatterns = [
    path("whatsapp/webhook", views.whatsapp, name="whatsapp-webhook"),
    path("sms/twilio/status", views.twilio_status, name="twilio-status"),
]
