"""The kernel as Django knows it."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class KernelConfig(AppConfig):
    name = "apps.kernel"
    label = "kernel"

    def ready(self) -> None:
        """Let every process know every task, since any of them may relay events."""
        autodiscover_modules("tasks")
