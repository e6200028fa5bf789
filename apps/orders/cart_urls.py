"""Paths of carts, below /api/v1/carts/."""

from django.urls import path

from apps.orders.views import cart_merging, cart_tenders, carts, saved_items

urlpatterns = [
    path("current", carts.CurrentCart.as_view()),
    path("<id:cart_id>", carts.OneCart.as_view()),
    path("<id:cart_id>/items", carts.CartItems.as_view()),
    path("<id:cart_id>/items/<id:item_id>", carts.OneCartItem.as_view()),
    path("<id:cart_id>/email", carts.CartEmail.as_view()),
    path("<id:cart_id>/shipping-address", carts.CartShippingAddress.as_view()),
    path("<id:cart_id>/shipping-options", carts.CartShippingOptions.as_view()),
    path("<id:cart_id>/shipping-option", carts.CartShippingOption.as_view()),
    path("<id:cart_id>/coupons", carts.CartCoupons.as_view()),
    path("<id:cart_id>/coupons/<str:coupon>", carts.OneCartCoupon.as_view()),
    path("<id:cart_id>/gift-cards", cart_tenders.CartGiftCards.as_view()),
    path("<id:cart_id>/gift-cards/<id:gift_card_id>", cart_tenders.OneCartGiftCard.as_view()),
    path("<id:cart_id>/store-credit", cart_tenders.CartStoreCredit.as_view()),
    path("<id:cart_id>/items/<id:item_id>/saves", saved_items.ItemSaves.as_view()),
    path("<id:cart_id>/saved-items", saved_items.SavedItems.as_view()),
    path("<id:cart_id>/saved-items/<id:saved_item_id>", saved_items.OneSavedItem.as_view()),
    path(
        "<id:cart_id>/saved-items/<id:saved_item_id>/moves",
        saved_items.SavedItemMoves.as_view(),
    ),
    path("<id:cart_id>/merges", cart_merging.CartMerges.as_view()),
    path("<id:cart_id>/checkout", carts.Checkout.as_view()),
]
