variable "name" {
  description = "Name of the repository."
  type        = string
}

variable "account_id" {
  description = "The account of AWS."
  type        = string
}

variable "images_kept" {
  description = "How many images are kept."
  type        = number
  default     = 50

  validation {
    condition     = var.images_kept >= 10
    error_message = "Keep ten images at least: releases to go back to, in two environments."
  }
}

variable "key_arn" {
  description = "KMS key of the layers."
  type        = string
}

variable "replica_region" {
  description = "Region that gets a copy; null for none."
  type        = string
  default     = null
}
