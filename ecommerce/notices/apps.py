"""Notices as Django knows them."""

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "ecommerce.notices"
    label = "notices"
