variable "name" {
  description = "Name of the role that copies."
  type        = string
}

variable "from" {
  description = "The bucket that is copied, and the key of its objects; null for S3's own."
  type        = object({ name = string, key = optional(object({ arn = string })), versioning = string })
}

variable "to" {
  description = "The bucket in the other region, and the key of the copies."
  type        = object({ name = string, key = optional(object({ arn = string })), versioning = string })
}

variable "regions" {
  description = "The regions of both."
  type        = object({ from = string, to = string })

  validation {
    condition     = var.regions.from != var.regions.to
    error_message = "A copy in the same region is lost with it."
  }
}
