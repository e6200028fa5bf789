mock_provider "aws" {}

variables {
  name           = "ecommerce-pipeline"
  jenkins_issuer = "https://jenkins.example.com/oidc"
  job            = "https://jenkins.example.com/job/ecommerce/job/main/"
  repository_arn = "arn:aws:ecr:us-east-1:111122223333:repository/ecommerce"
  cluster_arns   = ["arn:aws:eks:us-east-1:111122223333:cluster/ecommerce-staging"]
}

run "one_job_takes_the_role_for_an_hour" {
  command = apply

  assert {
    condition = jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Condition == {
      StringEquals = {
        "jenkins.example.com/oidc:aud" = "sts.amazonaws.com"
        "jenkins.example.com/oidc:sub" = "https://jenkins.example.com/job/ecommerce/job/main/"
      }
    }
    error_message = "Audience and subject, both exact."
  }

  assert {
    condition     = aws_iam_role.this.max_session_duration == 3600
    error_message = "An hour."
  }
}

run "it_pushes_to_one_repository_and_finds_named_clusters" {
  command = plan

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : statement.Sid => statement.Resource } == {
      LogIn        = "*"
      PushAndLook  = "arn:aws:ecr:us-east-1:111122223333:repository/ecommerce"
      FindClusters = ["arn:aws:eks:us-east-1:111122223333:cluster/ecommerce-staging"]
    }
    error_message = "Nothing else; logging in to ECR knows no resource."
  }

  assert {
    condition     = alltrue([for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : alltrue([for action in flatten([statement.Action]) : !strcontains(action, "*")])])
    error_message = "Every action by name."
  }

  assert {
    condition     = length(setintersection(flatten([for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : statement.Action]), ["ecr:DeleteRepository", "ecr:BatchDeleteImage"])) == 0
    error_message = "It deletes nothing."
  }
}

run "a_pull_request_is_refused" {
  command = plan

  variables {
    job = "https://jenkins.example.com/job/ecommerce/job/PR-1/"
  }

  expect_failures = [var.job]
}

run "a_pattern_of_jobs_is_refused" {
  command = plan

  variables {
    job = "https://jenkins.example.com/job/*/job/main/"
  }

  expect_failures = [var.job]
}

run "all_clusters_are_refused" {
  command = plan

  variables {
    cluster_arns = ["arn:aws:eks:us-east-1:111122223333:cluster/*"]
  }

  expect_failures = [var.cluster_arns]
}
