"""How the API is described."""

from typing import Any

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "E-commerce storefront API",
    "DESCRIPTION": "Users, catalog and orders of one store. Errors are RFC 9457 problems.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "OrderStatus": "apps.orders.states.OrderStatus",
        "PaymentStatus": "apps.orders.states.AttemptStatus",
        "RefundStatus": "apps.orders.states.RefundStatus",
        "LedgerAccount": "apps.orders.models.LedgerAccount",
        "LedgerPostingKind": "apps.orders.models.LedgerPosting.Kind",
        "ShipmentStatus": "apps.orders.states.ShipmentStatus",
        "ReturnStatus": "apps.orders.states.ReturnStatus",
        "ReturnReason": "apps.orders.serializers.returns.REASONS",
        "ChangeKind": "apps.orders.serializers.changes.KINDS",
        "ChangeStatus": "apps.orders.serializers.changes.CHANGE_STATUSES",
        "Resolution": "apps.orders.serializers.returns.RESOLUTIONS",
        "ProductStatus": "apps.catalog.models.Product.Status",
        "ReservationState": "apps.catalog.models.Reservation.State",
        "ImportState": "apps.catalog.models.Import.State",
        "ExportState": "apps.catalog.models.Export.State",
        "SimulationState": "apps.orders.models.PromotionSimulation.State",
        "ContributionStatus": "apps.catalog.models.contributions.Contribution.Status",
        "StockTransferStatus": "apps.catalog.models.StockTransfer.Status",
        "StockTransferMove": "apps.catalog.serializers.warehouse.MOVES",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "apps.kernel.openapi.add_general_problems",
    ],
}
