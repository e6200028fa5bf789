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
        { domain_name = "staging.shop.example.com", resource_record_name = "_a", resource_record_type = "CNAME", resource_record_value = "a." },
        { domain_name = "pictures.staging.shop.example.com", resource_record_name = "_b", resource_record_type = "CNAME", resource_record_value = "b." },
      ]
    }
  }

  assert {
    condition     = length(output.addresses) == 1
    error_message = "NAT gateways: 1."
  }

  assert {
    condition     = keys(output.buckets.copies) == []
    error_message = "What has a copy in another region."
  }

  assert {
    condition     = output.cluster.name == "ecommerce-staging" && output.database.target == "rds:us-east-1:ecommerce-staging"
    error_message = "Cluster and database carry the environment's name."
  }

  assert {
    condition     = output.settings == { AWS_ORDERS_BUCKET = "ecommerce-orders-staging-111122223333", AWS_PRODUCTS_BUCKET = "ecommerce-products-staging-111122223333", AWS_PRODUCTS_DOMAIN = "pictures.staging.shop.example.com", AWS_USERS_BUCKET = "ecommerce-users-staging-111122223333" }
    error_message = "What the overlay's settings have to say."
  }
}
