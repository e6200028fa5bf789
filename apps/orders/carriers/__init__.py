"""Carriers: what a delivery costs, its label, and where the parcel is."""

from apps.orders.carriers.carrier import Carrier, Label, ShippingOption
from apps.orders.carriers.table_rates import TableRates

CARRIERS: dict[str, Carrier] = {TableRates.code: TableRates()}

__all__ = ["CARRIERS", "Carrier", "Label", "ShippingOption", "TableRates"]
