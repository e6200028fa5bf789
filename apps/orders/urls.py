"""Paths of the orders app, below /api/v1/."""

from django.urls import path

from apps.orders.views import (
    carts,
    hooks,
    orders,
    promotions,
    tax_classes,
    tax_quotes,
    tax_rates,
    tax_zones,
)

urlpatterns = [
    path("carts", carts.Carts.as_view()),
    path("carts/current", carts.CurrentCart.as_view()),
    path("carts/<id:cart_id>", carts.OneCart.as_view()),
    path("carts/<id:cart_id>/items", carts.CartItems.as_view()),
    path("carts/<id:cart_id>/items/<id:item_id>", carts.OneCartItem.as_view()),
    path("carts/<id:cart_id>/email", carts.CartEmail.as_view()),
    path("carts/<id:cart_id>/shipping-address", carts.CartShippingAddress.as_view()),
    path("carts/<id:cart_id>/shipping-options", carts.CartShippingOptions.as_view()),
    path("carts/<id:cart_id>/shipping-option", carts.CartShippingOption.as_view()),
    path("carts/<id:cart_id>/coupons", carts.CartCoupons.as_view()),
    path("carts/<id:cart_id>/coupons/<str:coupon>", carts.OneCartCoupon.as_view()),
    path("carts/<id:cart_id>/checkout", carts.Checkout.as_view()),
    path("orders", orders.Orders.as_view()),
    path("orders/<id:order_id>", orders.OneOrder.as_view()),
    path("orders/<id:order_id>/events", orders.OrderTimeline.as_view()),
    path("orders/<id:order_id>/payments", orders.OrderPayments.as_view()),
    path("orders/<id:order_id>/cancellations", orders.Cancellations.as_view()),
    path("promotions", promotions.Promotions.as_view()),
    path("promotions/<id:promotion_id>", promotions.OnePromotion.as_view()),
    path("promotions/<id:promotion_id>/activations", promotions.Activations.as_view()),
    path("promotions/<id:promotion_id>/coupon-batches", promotions.CouponBatches.as_view()),
    path(
        "promotions/<id:promotion_id>/coupon-batches/<id:batch_id>",
        promotions.OneCouponBatch.as_view(),
    ),
    path("tax-classes", tax_classes.TaxClasses.as_view()),
    path("tax-classes/<id:class_id>", tax_classes.OneTaxClass.as_view()),
    path("tax-zones", tax_zones.TaxZones.as_view()),
    path("tax-zones/<id:zone_id>", tax_zones.OneTaxZone.as_view()),
    path("tax-rates", tax_rates.TaxRates.as_view()),
    path("tax-rates/<id:rate_id>", tax_rates.OneTaxRate.as_view()),
    path("tax/quotes", tax_quotes.TaxQuotes.as_view()),
    path("hooks/payments/stripe", hooks.StripeHook.as_view()),
]
