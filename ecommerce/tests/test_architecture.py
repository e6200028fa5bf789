"""What the import contracts cannot show."""

import ast
import dataclasses
import inspect
import re
import typing
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from celery import current_app
from django.apps import apps
from django.conf import settings
from django.db.models import Manager, Model, QuerySet

from apps.kernel.errors import DomainError

ROOT = settings.BASE_DIR
APPS = ("users", "catalog", "orders")
OURS = ("apps.", "ecommerce.")
INTERFACES = [import_module(f"apps.{app}.interface") for app in APPS]
MODELS = [model for model in apps.get_models() if model.__module__.startswith(OURS)]
PROGRAM = sorted(
    path
    for folder in (ROOT / "apps", ROOT / "ecommerce" / "notices", ROOT / "ecommerce" / "privacy")
    for path in folder.rglob("*.py")
    if not {"tests", "migrations", "__pycache__"} & set(path.parts)
)
HANDLES = re.compile(r"\b(Model|QuerySet|Manager|RelatedManager|Queryset)\b")


def public_things() -> Iterator[tuple[ModuleType, str]]:
    for module in INTERFACES:
        for name in getattr(module, "__all__", ()):
            yield module, name


def is_a_handle(kind: object) -> bool:
    """Whether the annotation is, or holds, a row or the means to get at rows."""
    if isinstance(kind, type) and issubclass(kind, Model | QuerySet | Manager):
        return True
    return any(is_a_handle(part) for part in typing.get_args(kind))


def is_of_the_kernel(function: object) -> bool:
    """Whether the function is the wrapper that @subscriber puts round an effect."""
    code = getattr(function, "__code__", None)
    return code is not None and code.co_filename.endswith("apps/kernel/delivery.py")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_models_relate_only_within_their_app(model: type[Model]) -> None:
    related = {
        other for field in model._meta.get_fields() if (other := field.related_model) in MODELS
    }

    assert {other._meta.app_label for other in related if other} <= {model._meta.app_label}


@pytest.mark.parametrize("module", INTERFACES, ids=lambda module: module.__name__)
def test_an_interface_lists_all_that_it_offers(module: ModuleType) -> None:
    own = {
        name
        for name, thing in vars(module).items()
        if not name.startswith("_") and getattr(thing, "__module__", None) == module.__name__
    }

    assert own <= set(getattr(module, "__all__", ()))


@pytest.mark.parametrize(
    ("module", "name"), list(public_things()), ids=lambda part: getattr(part, "__name__", part)
)
def test_what_an_interface_offers_is_a_function_a_frozen_fact_or_a_refusal(
    module: ModuleType, name: str
) -> None:
    thing = getattr(module, name)

    if inspect.isfunction(thing):
        parameters = inspect.signature(thing).parameters.values()
        assert {parameter.kind for parameter in parameters} <= {inspect.Parameter.KEYWORD_ONLY}
        assert all(parameter.annotation is not parameter.empty for parameter in parameters)
        hints = typing.get_type_hints(thing)
        assert "return" in hints
    elif dataclasses.is_dataclass(thing):
        assert vars(thing)["__dataclass_params__"].frozen
        assert "__slots__" in vars(thing)
        hints = typing.get_type_hints(thing)
    else:
        assert isinstance(thing, type)
        assert issubclass(thing, DomainError)
        assert thing.code != DomainError.code
        hints = {}
    assert not [part for part, kind in hints.items() if is_a_handle(kind)]
    assert inspect.getdoc(thing)


@pytest.mark.parametrize("module", INTERFACES, ids=lambda module: module.__name__)
def test_an_interface_never_writes_model_queryset_or_manager(module: ModuleType) -> None:
    tree = ast.parse(inspect.getsource(module))
    annotations = [
        ast.unparse(part)
        for node in ast.walk(tree)
        for part in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if part is not None
    ]

    assert not [text for text in annotations if HANDLES.search(text)]


def test_every_subscription_names_a_task_that_has_its_effect_once() -> None:
    names = {name for tasks in settings.EVENT_SUBSCRIPTIONS.values() for name in tasks}

    assert names
    assert names <= set(current_app.tasks)
    for name in names:
        code = inspect.unwrap(current_app.tasks[name].run, stop=is_of_the_kernel).__code__
        assert code.co_filename.endswith("apps/kernel/delivery.py"), f"{name} lacks @subscriber"


def test_every_subscribed_event_is_published_by_somebody() -> None:
    published = {
        node.value.value
        for path in PROGRAM
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.AnnAssign | ast.Assign)
        and isinstance(node.value, ast.Constant)
        and "name" in ast.unparse(node).partition("=")[0]
    }

    assert set(settings.EVENT_SUBSCRIPTIONS) <= published


def test_every_beat_entry_and_every_route_names_a_task() -> None:
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}

    assert scheduled | set(settings.CELERY_TASK_ROUTES) <= set(current_app.tasks)


def test_tasks_of_the_store_are_named_after_their_app() -> None:
    ours = {
        name: task
        for name, task in current_app.tasks.items()
        if task.__module__.startswith(OURS) and ".tests." not in task.__module__
    }

    assert ours
    assert [
        name for name, task in ours.items() if name.split(".")[0] != task.__module__.split(".")[1]
    ] == []


def test_nothing_but_the_relay_puts_work_into_the_queue() -> None:
    banned = {"delay", "apply_async", "delay_on_commit", "apply_async_on_commit", "send_task"}
    calls = {
        f"{path.relative_to(ROOT)}: {node.func.attr}"
        for path in PROGRAM
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in banned
    }

    assert calls == {"apps/kernel/delivery.py: apply_async"}


def test_no_model_overrides_save_or_delete() -> None:
    assert [model._meta.label for model in MODELS if {"save", "delete"} & set(vars(model))] == []


@pytest.mark.parametrize("path", PROGRAM, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_is_short_and_says_what_belongs_in_it(path: Path) -> None:
    text = path.read_text()

    assert text.count("\n") <= 400
    assert not text.strip() or ast.get_docstring(ast.parse(text))
