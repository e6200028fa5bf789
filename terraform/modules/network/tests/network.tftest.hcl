mock_provider "aws" {}

variables {
  name                 = "ecommerce-test"
  region               = "us-east-1"
  nat_in_each_zone     = true
  flow_logs_bucket_arn = "arn:aws:s3:::ecommerce-logs"
}

run "three_zones_have_three_subnets_each" {
  command = plan

  assert {
    condition     = aws_vpc.this.cidr_block == "10.0.0.0/16"
    error_message = "The document's addresses."
  }

  assert {
    condition     = [for subnet in aws_subnet.public : subnet.cidr_block] == ["10.0.0.0/20", "10.0.16.0/20", "10.0.32.0/20"]
    error_message = "The public subnets that the cluster's network policies name."
  }

  assert {
    condition     = [for subnet in aws_subnet.data : subnet.cidr_block] == ["10.0.64.0/20", "10.0.80.0/20", "10.0.96.0/20"]
    error_message = "The data subnets that the cluster's network policies name."
  }

  assert {
    condition     = [for subnet in aws_subnet.private : subnet.cidr_block] == ["10.0.128.0/19", "10.0.160.0/19", "10.0.192.0/19"]
    error_message = "The private subnets."
  }

  assert {
    condition     = [for subnet in aws_subnet.private : subnet.availability_zone] == ["us-east-1a", "us-east-1b", "us-east-1c"]
    error_message = "One in each zone."
  }

  assert {
    condition     = alltrue([for subnet in aws_subnet.public : subnet.map_public_ip_on_launch != true])
    error_message = "Nothing gets a public address by itself."
  }
}

run "each_zone_leaves_by_its_own_gateway" {
  command = apply

  assert {
    condition     = length(aws_nat_gateway.this) == 3 && length(aws_eip.nat) == 3
    error_message = "Three gateways."
  }

  assert {
    condition     = alltrue([for zone, route in aws_route.nat : route.nat_gateway_id == aws_nat_gateway.this[zone].id && route.route_table_id == aws_route_table.private[zone].id])
    error_message = "A lost zone takes no other's way out with it."
  }
}

run "a_small_environment_shares_one_gateway" {
  command = apply

  variables {
    nat_in_each_zone = false
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && alltrue([for route in aws_route.nat : route.nat_gateway_id == aws_nat_gateway.this["a"].id])
    error_message = "One gateway, used by all three zones."
  }
}

run "databases_have_no_way_out" {
  command = apply

  assert {
    condition     = alltrue([for association in aws_route_table_association.data : association.route_table_id == aws_route_table.data.id])
    error_message = "The data subnets have the table without routes."
  }

  assert {
    condition     = !contains([for route in aws_route.nat : route.route_table_id], aws_route_table.data.id) && aws_route.internet.route_table_id != aws_route_table.data.id
    error_message = "No route leaves that table."
  }
}

run "all_traffic_is_recorded_and_the_default_group_is_empty" {
  command = plan

  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_flow_log.this.log_destination == "arn:aws:s3:::ecommerce-logs/vpc/"
    error_message = "Flow logs."
  }

  assert {
    condition     = length(coalesce(aws_default_security_group.nothing.ingress, [])) == 0
    error_message = "The default security group lets nothing in."
  }
}

run "only_s3_has_an_endpoint_unless_asked_for" {
  command = plan

  assert {
    condition     = aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway" && length(aws_vpc_endpoint.interface) == 0 && length(aws_security_group.endpoints) == 0
    error_message = "The free one."
  }
}

run "endpoints_answer_to_nodes_and_pods" {
  command = plan

  variables {
    interface_endpoints = ["ecr.api", "ecr.dkr"]
  }

  assert {
    condition     = [for endpoint in aws_vpc_endpoint.interface : endpoint.service_name] == ["com.amazonaws.us-east-1.ecr.api", "com.amazonaws.us-east-1.ecr.dkr"]
    error_message = "Both."
  }

  assert {
    condition     = [for rule in aws_vpc_security_group_ingress_rule.endpoints : [rule.cidr_ipv4, rule.from_port, rule.to_port]] == [["10.0.128.0/19", 443, 443], ["10.0.160.0/19", 443, 443], ["10.0.192.0/19", 443, 443]]
    error_message = "HTTPS from the private subnets."
  }
}

run "an_unknown_endpoint_is_refused" {
  command = plan

  variables {
    interface_endpoints = ["s3"]
  }

  expect_failures = [var.interface_endpoints]
}

run "addresses_that_cannot_be_cut_are_refused" {
  command = plan

  variables {
    cidr = "10.0.0.0/20"
  }

  expect_failures = [var.cidr]
}
