mock_provider "aws" {}

variables {
  name              = "ecommerce-test-web"
  identity_provider = { arn = "arn:aws:iam::111122223333:oidc-provider/issuer", host = "issuer" }
  namespace         = "ecommerce-test"
  service_account   = "web"
}

run "one_service_account_takes_the_role" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_role.this.assume_role_policy).Statement == [{
      Effect    = "Allow"
      Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/issuer" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = { StringEquals = { "issuer:aud" = "sts.amazonaws.com", "issuer:sub" = "system:serviceaccount:ecommerce-test:web" } }
    }]
    error_message = "Audience and subject, both exact."
  }

  assert {
    condition     = length(aws_iam_role_policy.this) == 0 && length(aws_iam_role_policy_attachment.managed) == 0
    error_message = "It may do nothing until told."
  }
}

run "what_it_may_do_is_what_it_was_given" {
  command = plan

  variables {
    statements = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::bucket/*" }]
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.this[0].policy).Statement == [{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::bucket/*" }]
    error_message = "No more and no less."
  }
}

run "a_pattern_is_no_namespace" {
  command = plan

  variables {
    namespace = "*"
  }

  expect_failures = [var.namespace]
}

run "a_pattern_is_no_service_account" {
  command = plan

  variables {
    service_account = "web-*"
  }

  expect_failures = [var.service_account]
}

run "conditions_name_the_provider_without_a_scheme" {
  command = plan

  variables {
    identity_provider = { arn = "arn", host = "https://issuer" }
  }

  expect_failures = [var.identity_provider]
}
