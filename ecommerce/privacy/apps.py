"""Privacy as Django knows it."""

from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    name = "ecommerce.privacy"
    label = "privacy"
