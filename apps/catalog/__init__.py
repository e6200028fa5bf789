"""What is sold: products, categories, prices, stock."""
