mock_provider "aws" {}

variables {
  name    = "ecommerce-test"
  key_arn = "arn:aws:kms:us-east-1:111122223333:key/mock"
}

run "one_address_is_held_back_before_any_other_rule" {
  command = plan

  assert {
    condition     = { for rule in aws_wafv2_web_acl.this.rule : rule.priority => rule.name }["0"] == "too-many-requests"
    error_message = "The cheapest question first."
  }

  assert {
    condition = [
      for rule in aws_wafv2_web_acl.this.rule : one(one(rule.statement).rate_based_statement).limit if rule.name == "too-many-requests"
    ] == [2000]
    error_message = "Two thousand in five minutes."
  }

  assert {
    condition     = alltrue([for rule in aws_wafv2_web_acl.this.rule : length(one(rule.action).block) == 1 if rule.name == "too-many-requests"])
    error_message = "It blocks."
  }
}

run "awss_rules_apply_and_refuse" {
  command = plan

  assert {
    condition = toset([for rule in aws_wafv2_web_acl.this.rule : rule.name if length(rule.override_action) == 1]) == toset([
      "AWSManagedRulesAmazonIpReputationList",
      "AWSManagedRulesCommonRuleSet",
      "AWSManagedRulesKnownBadInputsRuleSet",
      "AWSManagedRulesSQLiRuleSet",
    ])
    error_message = "Four groups."
  }

  assert {
    condition     = alltrue([for rule in aws_wafv2_web_acl.this.rule : length(one(rule.override_action).count) == 0 if length(rule.override_action) == 1])
    error_message = "None is only counted."
  }

  assert {
    condition     = aws_wafv2_web_acl.this.scope == "REGIONAL"
    error_message = "For a load balancer."
  }
}

run "the_log_holds_nobodys_credentials" {
  command = plan

  assert {
    condition     = toset([for field in aws_wafv2_web_acl_logging_configuration.this.redacted_fields : one(field.single_header).name]) == toset(["authorization", "cookie", "x-cart-token"])
    error_message = "Three headers are left out."
  }

  assert {
    condition     = startswith(aws_cloudwatch_log_group.this.name, "aws-waf-logs-") && aws_cloudwatch_log_group.this.kms_key_id == var.key_arn
    error_message = "The name that WAF insists on, and our key."
  }
}

run "a_limit_that_refuses_people_is_refused" {
  command = plan

  variables {
    requests_in_5_minutes = 10
  }

  expect_failures = [var.requests_in_5_minutes]
}
