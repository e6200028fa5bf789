variable "name" {
  description = "Name of the role; the ServiceAccount's annotation names it."
  type        = string
}

variable "identity_provider" {
  description = "The cluster's identity provider in IAM, and its host name and path."
  type        = object({ arn = string, host = string })

  validation {
    condition     = !startswith(var.identity_provider.host, "https://")
    error_message = "Conditions name the provider without https://."
  }
}

variable "namespace" {
  description = "Namespace of the service account."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9-]+$", var.namespace))
    error_message = "Name one namespace, no pattern."
  }
}

variable "service_account" {
  description = "The service account."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9-]+$", var.service_account))
    error_message = "Name one service account, no pattern."
  }
}

variable "statements" {
  description = "What the role may do, as statements of an IAM policy."
  type        = any
  default     = []
}

variable "managed_policy_arn" {
  description = "A policy that AWS maintains, for what AWS itself runs in the cluster."
  type        = string
  default     = null
}
