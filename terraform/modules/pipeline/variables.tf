variable "name" {
  description = "Name of the role; config/pipeline/environments.toml names it."
  type        = string
}

variable "jenkins_issuer" {
  description = "Issuer of Jenkins' identity tokens, reachable by AWS."
  type        = string

  validation {
    condition     = can(regex("^https://[^*/]+", var.jenkins_issuer))
    error_message = "The issuer is an https address."
  }
}

variable "job" {
  description = "Subject of the tokens: the address of the job of the branch main."
  type        = string

  validation {
    condition     = can(regex("^https://[^*]+/job/main/$", var.job))
    error_message = "Name the job of main alone, such as https://jenkins.example.com/job/ecommerce/job/main/."
  }
}

variable "repository_arn" {
  description = "The repository it pushes to."
  type        = string
}

variable "cluster_arns" {
  description = "The clusters it deploys to."
  type        = list(string)

  validation {
    condition     = length(var.cluster_arns) > 0 && alltrue([for arn in var.cluster_arns : can(regex("^arn:aws:eks:[a-z0-9-]+:[0-9]{12}:cluster/[A-Za-z0-9-]+$", arn))])
    error_message = "Name each cluster in full."
  }
}
