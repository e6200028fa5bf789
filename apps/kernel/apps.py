"""The kernel as Django knows it."""

from django.apps import AppConfig
from django.urls import register_converter
from django.utils.module_loading import autodiscover_modules

from apps.kernel.converters import IdConverter


class KernelConfig(AppConfig):
    name = "apps.kernel"
    label = "kernel"

    def ready(self) -> None:
        """Let every process know every task, since any of them may relay events."""
        register_converter(IdConverter, "id")
        autodiscover_modules("tasks")
