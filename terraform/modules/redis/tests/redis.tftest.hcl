mock_provider "aws" {}

variables {
  name                      = "ecommerce-test-broker"
  description               = "A test"
  node_type                 = "cache.r6g.large"
  replicas                  = 1
  when_full                 = "noeviction"
  vpc_id                    = "vpc-1"
  subnet_ids                = ["subnet-a", "subnet-b", "subnet-c"]
  client_security_group_ids = { pods = "sg-pods" }
  key_arn                   = "arn:aws:kms:us-east-1:111122223333:key/mock"
}

run "a_broker_evicts_nothing" {
  command = plan

  assert {
    condition     = { for parameter in aws_elasticache_parameter_group.this.parameter : parameter.name => parameter.value }["maxmemory-policy"] == "noeviction"
    error_message = "A message is not forgotten."
  }

  assert {
    condition     = aws_elasticache_parameter_group.this.family == "redis7"
    error_message = "Cluster mode is off: no .cluster.on family."
  }
}

run "a_replica_takes_over" {
  command = plan

  assert {
    condition     = aws_elasticache_replication_group.this.num_cache_clusters == 2 && aws_elasticache_replication_group.this.automatic_failover_enabled && aws_elasticache_replication_group.this.multi_az_enabled
    error_message = "Two machines in two zones."
  }

  assert {
    condition     = output.members == ["ecommerce-test-broker-001", "ecommerce-test-broker-002"]
    error_message = "As CloudWatch names them."
  }
}

run "a_single_machine_has_nobody_to_take_over" {
  command = plan

  variables {
    replicas = 0
  }

  assert {
    condition     = aws_elasticache_replication_group.this.num_cache_clusters == 1 && !aws_elasticache_replication_group.this.automatic_failover_enabled && !aws_elasticache_replication_group.this.multi_az_enabled
    error_message = "One."
  }
}

run "nobody_reads_along" {
  command = apply

  assert {
    condition     = aws_elasticache_replication_group.this.transit_encryption_enabled && aws_elasticache_replication_group.this.transit_encryption_mode == "required" && tobool(aws_elasticache_replication_group.this.at_rest_encryption_enabled) && aws_elasticache_replication_group.this.kms_key_id == var.key_arn
    error_message = "TLS, and an encrypted disk."
  }

  assert {
    condition     = startswith(output.url, "rediss://:") && endswith(output.url, "?ssl_cert_reqs=required")
    error_message = "The clients check the certificate."
  }

  assert {
    condition     = strcontains(output.url, ":${aws_elasticache_replication_group.this.auth_token}@")
    error_message = "The clients know the token."
  }

  assert {
    condition     = [for rule in aws_vpc_security_group_ingress_rule.clients : [rule.referenced_security_group_id, rule.from_port, rule.to_port]] == [["sg-pods", 6379, 6379]]
    error_message = "Redis from the pods."
  }
}

run "a_later_plan_leaves_the_token_alone" {
  command = apply

  assert {
    condition     = strcontains(run.nobody_reads_along.url, ":${aws_elasticache_replication_group.this.auth_token}@")
    error_message = "A new random value is drawn at each plan and not used."
  }
}

run "a_raised_version_changes_the_token_and_keeps_the_former_one_good" {
  command = apply

  variables {
    token_version = 2
  }

  assert {
    condition     = !strcontains(run.nobody_reads_along.url, ":${aws_elasticache_replication_group.this.auth_token}@") && aws_elasticache_replication_group.this.auth_token_update_strategy == "ROTATE"
    error_message = "Two tokens for a while."
  }
}

run "another_policy_is_refused" {
  command = plan

  variables {
    when_full = "volatile-ttl"
  }

  expect_failures = [var.when_full]
}

run "another_major_version_is_refused" {
  command = plan

  variables {
    engine_version = "6.2"
  }

  expect_failures = [var.engine_version]
}

run "there_are_only_three_zones" {
  command = plan

  variables {
    replicas = 3
  }

  expect_failures = [var.replicas]
}

run "a_machine_that_is_no_cache_is_refused" {
  command = plan

  variables {
    node_type = "db.t3.medium"
  }

  expect_failures = [var.node_type]
}
