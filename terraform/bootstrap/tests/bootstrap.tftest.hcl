mock_provider "aws" {}

run "the_state_has_the_bucket_that_backend_hcl_names" {
  command = plan

  assert {
    condition     = strcontains(file("../backend.hcl"), "\"${output.bucket}\"")
    error_message = "backend.hcl and terraform.tfvars name one account."
  }
}

run "an_account_is_twelve_digits" {
  command = plan

  variables {
    account_id = "1"
  }

  expect_failures = [var.account_id]
}
