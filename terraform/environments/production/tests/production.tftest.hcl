mock_provider "aws" {
  source = "../../mocks"
}

# terraform.tfvars gives the variables, as it does for a plan.
run "the_committed_values_make_an_environment" {
  command = apply

  override_resource {
    target = module.store.aws_acm_certificate.this
    values = {
      arn = "arn:aws:acm:us-east-1:111122223333:certificate/mock"
      domain_validation_options = [
        { domain_name = "shop.example.com", resource_record_name = "_a", resource_record_type = "CNAME", resource_record_value = "a." },
        { domain_name = "pictures.shop.example.com", resource_record_name = "_b", resource_record_type = "CNAME", resource_record_value = "b." },
      ]
    }
  }

  assert {
    condition     = length(output.addresses) == 3
    error_message = "NAT gateways: 3."
  }

  assert {
    condition     = keys(output.buckets.copies) == ["orders", "products", "users"]
    error_message = "What has a copy in another region."
  }

  assert {
    condition     = output.cluster.name == "ecommerce-production" && output.database.target == "rds:us-east-1:ecommerce-production"
    error_message = "Cluster and database carry the environment's name."
  }

  assert {
    condition     = output.settings == { AWS_ORDERS_BUCKET = "ecommerce-orders-production-111122223333", AWS_PRODUCTS_BUCKET = "ecommerce-products-production-111122223333", AWS_PRODUCTS_DOMAIN = "pictures.shop.example.com", AWS_USERS_BUCKET = "ecommerce-users-production-111122223333" }
    error_message = "What the overlay's settings have to say."
  }
}
